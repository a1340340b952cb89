"""Names that every file system takes, whatever was written."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.naming import NAME_BYTES_MAX, PATH_BYTES_MAX, UnsafePath, beside, portable_path, sidecar, slug

PORTABLE = re.compile(r"[a-z0-9_]+(-[a-z0-9_]+)*")
RESERVED = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}

anything = st.text(st.characters(), max_size=150)
letters = st.text(st.characters(categories=["L"]), min_size=1, max_size=40)
keys = st.text("0123456789abcdef", min_size=32, max_size=32)


def rendered_paths() -> st.SearchStrategy[str]:
    """What a template may come to: mostly reasonable, now and then not."""
    segment = anything | st.sampled_from(
        ["..", ".", "", " ", "con", "fox.mp4", ".mp4", "a.mov", "~", "C:", "-", "A" * 300]
    )
    return st.lists(segment, max_size=5).map("/".join)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("A heron at dawn", "a-heron-at-dawn"),
        ("  --Fox!!  ", "fox"),
        ("café", "cafe"),
        ("16:9", "16-9"),
        ("v1.2", "v1-2"),
        ("snake_case", "snake_case"),
        ("CON", "con-x"),
        ("com¹", "com1-x"),
        ("lpt9", "lpt9-x"),
        ("console", "console"),
    ],
)
def test_a_slug_is_what_a_person_expects(text: str, word: str) -> None:
    assert slug(text) == word


@pytest.mark.parametrize("text", ["狐狸", "Лиса", "🦊", "", "...", "ß", "é狐"])
def test_where_letters_are_dropped_a_digest_stands(text: str) -> None:
    assert re.fullmatch(r"(.*-)?[0-9a-f]{6}", slug(text))


@given(anything)
@example("İ")
@example("a" * 52 + "-é" + "狐")
@example("x" * 61)
def test_every_slug_is_portable_short_and_a_slug_of_itself(text: str) -> None:
    word = slug(text)

    assert PORTABLE.fullmatch(word)
    assert len(word) <= 60
    assert word not in RESERVED
    assert slug(word) == word


@given(letters, letters)
@example("狐", "狸")
@example("a" * 70, "a" * 71)
def test_texts_that_differ_in_more_than_case_and_accents_stay_apart(one: str, other: str) -> None:
    same_when_plain = slug(one) == slug(other)

    assert not same_when_plain or _plain(one) == _plain(other)


@pytest.mark.parametrize(
    ("rendered", "path"),
    [
        ("coast/heron", "coast/heron.mp4"),
        ("coast/heron.mp4", "coast/heron.mp4"),
        ("/heron/", "heron.mp4"),
        ("//coast// heron ", "coast/heron.mp4"),
        ("Coast/He.ron", "coast/he-ron.mp4"),
        ("nul/con", "nul-x/con-x.mp4"),
        ("a.mp4/b", "a-mp4/b.mp4"),
    ],
)
def test_a_rendered_template_becomes_a_path(rendered: str, path: str) -> None:
    assert portable_path(rendered) == path


@pytest.mark.parametrize(
    ("rendered", "why"),
    [
        ("../heron", "leaves the run's folder"),
        ("coast/../../heron", "leaves the run's folder"),
        ("./heron", "leaves the run's folder"),
        ("heron/..", "leaves the run's folder"),
        ("coast\\heron", "backslash"),
        ("heron\0", "NUL"),
        ("", "names no file"),
        ("///", "names no file"),
        ("coast/.mp4", "names no file"),
        ("heron.mov", "'.mov'"),
        ("heron.JPEG", "'.JPEG'"),
        ("heron.json.mp4", "'.json'"),
        ("/".join(["a" * 59] * 5), "240 is the most"),
    ],
)
def test_a_path_that_we_will_not_use_is_refused_with_its_reason(rendered: str, why: str) -> None:
    with pytest.raises(UnsafePath, match=re.escape(why)):
        portable_path(rendered)


@given(rendered_paths())
def test_every_path_is_contained_portable_and_a_path_of_itself(rendered: str) -> None:
    try:
        path = portable_path(rendered)
    except UnsafePath:
        return

    assert_portable(path)
    assert len(path) <= PATH_BYTES_MAX
    assert portable_path(path) == path


@given(rendered_paths(), keys)
def test_the_path_beside_is_portable_too_and_another(rendered: str, key: str) -> None:
    try:
        path = portable_path(rendered)
    except UnsafePath:
        return

    other = beside(path, key[:8])

    assert_portable(other)
    assert other != path
    assert other.removesuffix(".mp4").endswith(key[:8])
    assert len(other) <= len(path) + 9


def test_a_newcomers_name_says_whose_it_is() -> None:
    assert beside("coast/heron.mp4", "1234abcd") == "coast/heron-1234abcd.mp4"
    assert beside("heron.mp4", "1234abcd") == "heron-1234abcd.mp4"


def test_a_sidecar_lies_beside_its_video() -> None:
    assert sidecar("coast/heron.mp4") == "coast/heron.json"


def assert_portable(path: str) -> None:
    *folders, name = path.split("/")
    stem = name.removesuffix(".mp4")
    assert stem != name
    assert len(name) <= NAME_BYTES_MAX
    for word in (*folders, stem):
        assert PORTABLE.fullmatch(word)
        assert word not in RESERVED


def _plain(text: str) -> str:
    """Without case and accents: what a slug does not tell apart."""
    import unicodedata

    for _ in range(2):
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()
    return text
