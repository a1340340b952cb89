"""Reading what a provider says, whatever its shape: JSON where there is JSON, words where there are words.

The shapes met in the field: `{"error": {"message", "type", "code"}}` (OpenAI), the same flat or with `data` (the
new-api family), `{"error": "text"}` (OpenRouter), `{"detail": "text" | [...]}` (FastAPI), and pages of HTML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from pipeline.model import JSON
from pipeline.providers.base import REPLY_BYTES_MAX, Reply

MESSAGE_CHARACTERS_MAX = 400
CODE_CHARACTERS_MAX = 100
EXCERPT_BYTES_MAX = 2048

MARKS_MAX = 100_000
"""Brackets and commas in a long document: no video object has more."""
_MARKS = (b"[", b"{", b",")

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]+")


_TITLE = re.compile(r"<title[^<>]{0,200}>([^<]*)<", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>?")


def clean(text: str, limit: int = MESSAGE_CHARACTERS_MAX) -> str:
    """*text* without anything that could move a cursor or turn a line around, and no longer than *limit*."""
    text = _UNPRINTABLE.sub(" ", text).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def document(body: bytes) -> JSON:
    """The JSON in *body*; `None` where it is none. `NaN` and its kin, which are no JSON, are read as absent.

    So is what is long and made of very many values: each takes many times its bytes. What holds a video is one text.
    """
    if len(body) > REPLY_BYTES_MAX and sum(map(body.count, _MARKS)) > MARKS_MAX:
        return None
    try:
        value: JSON = json.loads(body, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None
    return value


def mapping(body: bytes) -> Mapping[str, JSON] | None:
    """The JSON object in *body*; `None` where it is none."""
    value = document(body)
    return value if isinstance(value, dict) else None


def text(value: JSON) -> str:
    """A scalar as text; anything else is empty."""
    return "" if value is None or isinstance(value, dict | list | bool) else str(value)


def complaint(body: bytes) -> tuple[str, str]:
    """The code and the message of an error, each empty where the provider gave none."""
    value = mapping(body)
    if value is None:
        return "", clean(_words_of_page(body[:EXCERPT_BYTES_MAX].decode("utf-8", "replace")))
    return read_error(value)


def _words_of_page(text: str) -> str:
    """What a page of HTML says: its title, or else its text; anything else as it is."""
    if not text.lstrip().startswith("<"):
        return text
    title = _TITLE.search(text)
    return " ".join(_TAG.sub(" ", title[1] if title else text).split())


def read_error(value: Mapping[str, JSON]) -> tuple[str, str]:
    """The code and the message in an error document or a failed video."""
    error = value.get("error")
    if isinstance(error, dict):
        code = text(error.get("code")) or text(error.get("type"))
        message = text(error.get("message"))
    elif isinstance(error, str) and error:
        code, message = text(value.get("code")), error
    else:
        code = text(value.get("code"))
        message = text(value.get("message")) or text(value.get("fail_reason")) or _detail(value.get("detail"))
    return clean(code, CODE_CHARACTERS_MAX), clean(message)


def kind_of(body: bytes) -> str:
    """The type of an error, where it has one: some say there what others say as its code."""
    value = mapping(body)
    error = None if value is None else value.get("error", value)
    return clean(text(error.get("type")), CODE_CHARACTERS_MAX) if isinstance(error, dict) else ""


def excerpt(reply: Reply) -> str:
    """The start of a body, fit for the ledger."""
    return clean(reply.body[:EXCERPT_BYTES_MAX].decode("utf-8", "replace"), EXCERPT_BYTES_MAX)


def moment(value: JSON) -> datetime | None:
    """A Unix time as an aware moment; `None` where it is absent, zero or no time at all."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 32_503_680_000:
        return None
    return datetime.fromtimestamp(value, UTC)


def _detail(detail: JSON) -> str:
    if isinstance(detail, list):
        return "; ".join(text(d.get("msg")) for d in detail if isinstance(d, dict))
    if isinstance(detail, dict):
        return text(detail.get("message")) or text(detail.get("error"))
    return text(detail)
