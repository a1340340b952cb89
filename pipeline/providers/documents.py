"""Content that comes in a document: a URL under one of several names, or the bytes as base64 text."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Mapping
from dataclasses import replace

from pipeline.model import JSON
from pipeline.profile import Profile
from pipeline.providers.answers import first_text, video_in
from pipeline.providers.base import Found, Problem, Refusal, Reply, Status
from pipeline.providers.meanings import is_success, refusal_of, refused
from pipeline.providers.replies import mapping, read_error
from pipeline.providers.words import read_word

DOCUMENT_BYTES_MAX = 128 << 20
"""The longest that is read: 90 MB of video as text. (Those of the field have 8 to 14 MB.)"""


def read_document(reply: Reply, profile: Profile) -> Found | Refusal:
    """Where the content is, or the very bytes; else why there is none (yet)."""
    call = profile.wire.content_in
    raw = mapping(reply.body)
    if raw is None or not is_success(reply, call, profile):
        return refusal_of(reply, call, profile)
    video = video_in(raw, profile.wire)
    return _not_to_be_had(video, reply, profile) or _found(video, profile) or _without(reply)


def _not_to_be_had(video: Mapping[str, JSON], reply: Reply, profile: Profile) -> Refusal | None:
    """Where it says of itself that it is not done: so it is, whatever link it may have already."""
    word = first_text(video, profile.wire.answers["status"])
    if not word:
        return None
    match read_word(word, profile.status_words)[0]:
        case Status.DONE:
            return None
        case Status.FAILED | Status.CANCELLED:
            code, message = read_error(video)
            return replace(refused(reply, Problem.FAILED), code=code, message=message or f"it {word.strip()}"[:100])
        case Status.EXPIRED:
            return refused(reply, Problem.GONE)
        case _:
            return refused(reply, Problem.NOT_READY)


def _found(video: Mapping[str, JSON], profile: Profile) -> Found | None:
    answers = profile.wire.answers
    if text := first_text(video, answers["bytes"]):
        return _decoded(text)
    url = first_text(video, answers["link"])
    if url.startswith("data:"):
        return _decoded(url)
    return Found(url=url) if url else None


def _decoded(text: str) -> Found | None:
    """Base64, with or without the head of a data URL (RFC 2397)."""
    try:
        return Found(content=b64decode(text.rpartition(",")[2]))
    except (NoBase64, ValueError):
        return None


def _without(reply: Reply) -> Refusal:
    refusal = refused(reply, Problem.TROUBLE)
    return replace(refusal, message=f"an answer without a video: {refusal.message}")
