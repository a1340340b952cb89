"""A secret is taken out of what is heard, however it is written there, and nothing else is."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.spellings import MARK, Unspoken, spellings

KEY = "sk-Wombat/7f3a9c+Zq-81bd52e0"


@pytest.mark.parametrize("before", ["", "x", "xx", "xxx", "Bearer "])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_base64_hides_no_secret_whatever_stands_around_it(before: str, encode: type) -> None:
    heard = encode(f"{before}{KEY} and more".encode())

    assert encode(KEY.encode())[4:-4] not in Unspoken(KEY).without(heard)
    assert MARK in Unspoken(KEY).without(heard)


@pytest.mark.parametrize(
    "written",
    [KEY, quote(KEY, safe=""), KEY.encode().hex(), KEY.replace("/", "\\/"), "".join(f"\\u{ord(c):04X}" for c in KEY)],
)
def test_a_json_answer_never_reads_as_the_secret(written: str) -> None:
    left = Unspoken(KEY).without(f'{{"message": "no: {written}", "id": "video_1", "é": "\\n \\" \\u00e9"}}'.encode())

    assert json.loads(left) == {"message": "no: [key]", "id": "video_1", "é": '\n " é'}


def test_a_dozen_characters_of_it_are_hidden_and_fewer_are_not() -> None:
    hide = Unspoken(KEY).without

    assert hide(f"{KEY[:15]}***{KEY[-13:]}".encode()) == b"[key]***[key]"
    assert hide(f"{KEY[:11]}***{KEY[-11:]}".encode()) == f"{KEY[:11]}***{KEY[-11:]}".encode()


@given(st.binary(max_size=200))
def test_what_holds_no_secret_and_no_escape_stays_byte_for_byte(heard: bytes) -> None:
    heard = heard.replace(b"\\", b"")

    assert Unspoken(KEY).without(heard) == heard


@given(st.recursive(st.none() | st.text(max_size=20), lambda inner: st.dictionaries(st.text(max_size=5), inner)))
def test_a_document_without_the_secret_means_the_same(document: object) -> None:
    assert json.loads(Unspoken(KEY).without(json.dumps(document).encode())) == document


@pytest.mark.parametrize("word", ["", "sandbox"])
def test_a_short_word_is_no_secret(word: str) -> None:
    assert spellings(word) == ()
    assert Unspoken(word).without(b"the sandbox") == b"the sandbox"
