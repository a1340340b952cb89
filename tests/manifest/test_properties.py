"""What holds of every input: no traceback, keys that know no order, and shortcuts that change nothing."""

from __future__ import annotations

import hashlib
import json
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.errors import InvalidManifest, UsageError
from pipeline.manifest.identity import quick_slug
from pipeline.manifest.load import load
from pipeline.manifest.placing import Placing
from pipeline.manifest.report import issue_json, render_issue
from pipeline.manifest.template import BadTemplate, Template, is_template
from pipeline.model import Manifest
from pipeline.naming import portable_path, slug
from pipeline.profile import Profile
from tests.manifest.wishes import job_key

FORMATS = ["yaml", "csv", "jsonl"]
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
words = st.text(max_size=30)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PIECES = [
    *("jobs:\n", "  - ", "prompt: ", "a heron", "id: x", "seconds", "takes", "params.", "meta.a", "8", "012"),
    *("{{", "}}", "{%", "%}", "&a ", "*a", "<<: ", "[", "]", "{", "}", '"', "'", ",", ";", "\t", "\r\n", "\n", "\n\n"),
    *("  ", "    ", ": ", "? ", "# ", "!x ", "---\n", "\\", "\\ud800", "\ufeff", "é", "😀", "%", "@", ">", "|", "- "),
    '{"prompt": "a"}',
]
pieces = st.sampled_from(PIECES)
YAML_LINE_ENDS = frozenset("\x85\u2028\u2029")
"""Line ends of YAML 1.1, which folds them even in quotes."""


def read(content: bytes, kind: str, profiles: dict[str, Profile]) -> Manifest:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"m.{kind}"
        path.write_bytes(content)
        return load(path, find_profile=profiles.get, profile_names=sorted(profiles))


def read_or_refuse(content: bytes, kind: str, profiles: dict[str, Profile]) -> Manifest | None:
    """The manifest, or `None` where it was refused in the way it should be."""
    try:
        return read(content, kind, profiles)
    except InvalidManifest as invalid:
        issues = invalid.issues
    except UsageError:
        return None
    assert issues, "a refusal says why"
    for issue in issues:
        assert min(issue.position.line, issue.position.column) >= 1
        assert len(render_issue(issue).split("\n")) in {1, 3}
        json.dumps(issue_json(issue)).encode()
    return None


@pytest.mark.parametrize("kind", FORMATS)
@SHARED
@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(kind: str, profiles: dict[str, Profile], content: bytes) -> None:
    read_or_refuse(content, kind, profiles)


@pytest.mark.parametrize("kind", FORMATS)
@SHARED
@given(content=st.lists(pieces, max_size=40).map("".join))
@example('prompt\n"a\n')
@example('{"prompt": "a", "meta": {"a": 1}, "a": 2}')
def test_anything_like_a_manifest_is_read_or_refused(kind: str, profiles: dict[str, Profile], content: str) -> None:
    read_or_refuse(content.encode(), kind, profiles)


@pytest.mark.parametrize("kind", FORMATS)
@SHARED
@given(content=st.text(max_size=100))
def test_a_prompt_of_any_characters_comes_through_or_is_refused(
    kind: str, profiles: dict[str, Profile], content: str
) -> None:
    prompt = content.encode("utf-8", "replace").decode()
    quoted = json.dumps(prompt, ensure_ascii=False)
    cell = prompt.replace('"', '""')
    text = {
        "yaml": f"jobs: [{{prompt: {quoted}}}]\n",
        "jsonl": f'{{"prompt": {quoted}}}\n',
        "csv": f'prompt\n"{cell}"\n',
    }

    manifest = read_or_refuse(text[kind].encode(), kind, profiles)

    if manifest is not None and (kind != "yaml" or not (is_template(prompt) or YAML_LINE_ENDS & set(prompt))):
        assert manifest.jobs[0].prompt == (prompt.removesuffix("\n") if kind == "yaml" else prompt)


@SHARED
@given(order=st.permutations(range(6)), renamed=st.booleans())
def test_keys_know_neither_order_nor_names(profiles: dict[str, Profile], order: list[int], renamed: bool) -> None:
    def keys(numbers: list[int], prefix: str) -> dict[str, str]:
        entries = "".join(
            f"  - {{id: {prefix}{n}, group: {prefix}, prompt: 'heron {n}', takes: {1 + n % 2}}}\n" for n in numbers
        )
        jobs = read(f"jobs:\n{entries}".encode(), "yaml", profiles).jobs
        return {f"{job.prompt} {job.take}": job.key for job in jobs}

    assert keys(order, "b" if renamed else "a") == keys(list(range(6)), "a")


@given(
    st.fixed_dictionaries(
        {
            "profile": words,
            "model": words,
            "prompt": words,
            "seconds": st.integers(1, 60) | st.floats(0.1, 60),
            "size": words,
            "params": st.dictionaries(st.text(max_size=5), json_values, max_size=3),
            "take": st.integers(1, 9),
        }
    )
)
def test_a_key_is_the_hash_of_canonical_json(wish: dict[str, Any]) -> None:
    length = wish["seconds"]
    asked = {**wish, "v": 1, "seconds": int(length) if float(length).is_integer() else length}
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"))

    assert job_key(**wish) == hashlib.sha256(text.encode()).hexdigest()[:32]


def test_a_key_changes_with_every_part_of_the_wish() -> None:
    wish: dict[str, Any] = {
        "profile": "p", "model": "m", "prompt": "a", "seconds": 4, "size": "1x1", "params": {"s": 1}, "take": 1
    }  # fmt: skip
    others = {
        "profile": "q", "model": "n", "prompt": "b", "seconds": 4.5, "size": "2x1", "params": {"s": "1"}, "take": 2
    }  # fmt: skip

    keys = {job_key(**wish), *(job_key(**{**wish, name: other}) for name, other in others.items())}

    assert len(keys) == 1 + len(others)


def test_a_key_never_changes_between_versions() -> None:
    key = job_key(
        profile="sandbox", model="sora-2", prompt="a heron at dawn", seconds=8, size="1280x720", params={}, take=1
    )

    assert key == "a629297f91fc20f84b6ea41ca0d120d0"


@given(st.text(max_size=80) | st.from_regex(r"[a-z0-9_\-]{1,80}", fullmatch=True), st.sampled_from([40, 80]))
@example("con", 40)
@example("lpt1", 40)
@example("a--b", 40)
@example("_x_", 40)
def test_the_quick_slug_is_the_slug(text: str, bytes_max: int) -> None:
    assert quick_slug(text, bytes_max=bytes_max) == slug(text, bytes_max=bytes_max)


@given(
    st.text(alphabet="abXY-_./ é", max_size=40),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", fullmatch=True),
)
def test_the_default_path_is_what_its_template_makes(group: str, name: str) -> None:
    ours = Placing().path({}, group=group, name=name)
    template = Placing("{{group}}/{{   id }}.mp4{{ '' }}")

    assert ours == template.path({}, group=group, name=name)
    assert ours == portable_path(ours)


@given(
    st.lists(st.sampled_from(["a", " ", "{{ x }}", "{{y}}", "{{  z }}", "}}", "{", "\n", "é"]), max_size=8).map(
        "".join
    ),
    st.fixed_dictionaries({"x": json_values, "y": json_values, "z": json_values}),
)
def test_a_template_filled_in_directly_is_what_jinja_makes(text: str, variables: dict[str, Any]) -> None:
    def made(template: str) -> str:
        try:
            return Template(template).render(variables)
        except BadTemplate as fault:
            return str(fault.code)

    # `{# #}` is nothing to Jinja, and takes the text off the direct way.
    assert made(text) == made("{# #}" + text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'a' * 10 ** 9 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ x.__class__.__mro__ }}",
        "{{ x.format(1) }}",
        "{{ x.upper }}",
        "{{ range(9) }}",
        "{{ x | center(1000000000) }}",
        "{{ x | round(-1000000000) }}",
        "{{ (x ~ x ~ x ~ x) | replace('', x ~ x ~ x ~ x) }}",
        "{% for a in x %}{% endfor %}",
        "{% set a = 1 %}",
        "{% include 'a' %}",
        "{% macro a() %}{% endmacro %}",
        "{{ " + "(" * 5_000 + ")" * 5_000 + " }}",
        "{{ 1 // 0 }}",
        "{{ x | truncate('a') }}",
        "{{ missing.attribute }}",
        "{{ x ",
    ],
)
def test_a_template_cannot_run_code_nor_for_ever(text: str) -> None:
    with pytest.raises(BadTemplate):
        Template(text).render({"x": "word" * 1_000})


@pytest.mark.parametrize("text", ["{{ x | join(x) }}", "{{ x | join(x) | join(x) }}", "{{ x | replace('', x) }}"])
def test_a_template_that_makes_too_much_is_stopped_before_it_is_made(text: str) -> None:
    template = Template(text)
    tracemalloc.start()
    with pytest.raises(BadTemplate, match="too long"):
        template.render({"x": "word" * 5_000})
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 8 << 20


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("{{ ['a', 1, 2.5] | join(', ') }}", "a, 1, 2.5"),
        ("{{ 'abc' | join('-') }}", "a-b-c"),
        ("{{ [] | join(x) }}", ""),
        ("{{ ['a', 'b'] | join }}", "ab"),
    ],
)
def test_join_joins_as_jinja_does(text: str, made: str) -> None:
    assert Template(text).render({"x": "-"}) == made
