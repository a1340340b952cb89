"""Reading what a provider says, whatever its shape."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import JSON
from pipeline.providers.base import REPLY_BYTES_MAX, Reply
from pipeline.providers.replies import EXCERPT_BYTES_MAX, clean, complaint, document, excerpt, mapping, read_error, text


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        ({"error": {"code": "bad", "type": "t", "message": "no"}}, "bad", "no"),
        ({"error": {"code": None, "type": "t", "message": "no"}}, "t", "no"),
        ({"error": {"code": 404}}, "404", ""),
        ({"error": {}}, "", ""),
        ({"error": "no"}, "", "no"),
        ({"error": "no", "code": 5}, "5", "no"),
        ({"error": "", "message": "no"}, "", "no"),
        ({"error": None, "message": "no", "code": "bad"}, "bad", "no"),
        ({"error": ["no"], "message": "no"}, "", "no"),
        ({"fail_reason": "no"}, "", "no"),
        ({"detail": "no"}, "", "no"),
        ({"detail": [{"msg": "a"}, {"msg": "b"}, "c"]}, "", "a; b"),
        ({"detail": {"message": "no"}}, "", "no"),
        ({"detail": {"error": "no"}}, "", "no"),
        ({"detail": {"error": ["no"]}}, "", ""),
        ({}, "", ""),
        ({"error": {"message": "a\x1b[31m\r\nb\u202e"}}, "", "a [31m b"),
        ({"error": {"message": "x" * 500}}, "", "x" * 399 + "…"),
    ],
)
def test_an_error_is_found_in_every_shape(value: dict[str, JSON], code: str, message: str) -> None:
    assert read_error(value) == (code, message)
    assert complaint(json.dumps(value).encode()) == (code, message)


@pytest.mark.parametrize(
    ("value", "read"),
    [("a", "a"), (7, "7"), (7.5, "7.5"), (None, ""), (True, ""), (["a"], ""), ({"a": 1}, "")],
)
def test_only_a_scalar_is_text(value: JSON, read: str) -> None:
    assert text(value) == read


@pytest.mark.parametrize(
    "body", [b"", b"x", b"\xff\xfe", b"[" * 100_000, b"1" * 5000, b'{"a":', '{"a": 1}'.encode("utf-16")[:-1]]
)
def test_what_is_no_json_is_none(body: bytes) -> None:
    assert document(body) is None


@pytest.mark.parametrize("leaf", [b"[],", b"{},", b"0,"], ids=["lists", "objects", "numbers"])
def test_a_long_document_of_nothing_but_marks_is_not_taken_apart(leaf: bytes) -> None:
    bomb = b'{"data": [' + leaf * (REPLY_BYTES_MAX // len(leaf)) + b"0]}"

    assert document(bomb) is None
    assert document(b'{"data": "' + bytes(REPLY_BYTES_MAX).hex().encode() + b'"}') is not None


@pytest.mark.parametrize("body", [b"[1]", b"1", b'"a"', b"null", b"true"])
def test_json_that_is_no_object_is_no_mapping(body: bytes) -> None:
    assert mapping(body) is None


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (b"<html>\n<h1>502</h1>\n</html>", "502"),
        (b"<html><head><title>502 Bad Gateway</title></head><body><h1>Oh</h1></body>", "502 Bad Gateway"),
        (b"<html><title>", ""),
        (b"upstream < 3 > connect error", "upstream < 3 > connect error"),
    ],
)
def test_of_a_page_of_html_the_words_are_the_message(page: bytes, said: str) -> None:
    assert complaint(page) == ("", said)


@given(st.binary(max_size=5000))
def test_an_excerpt_is_bounded_and_harmless(body: bytes) -> None:
    said = excerpt(Reply(status=500, body=body))
    assert len(said) <= EXCERPT_BYTES_MAX
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in said)


@given(st.text(), st.integers(1, 100))
def test_cleaning_twice_is_cleaning_once(said: str, limit: int) -> None:
    once = clean(said, limit)
    assert len(once) <= limit
    assert clean(once, limit) == once
