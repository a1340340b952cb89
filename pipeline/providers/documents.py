"""Content that comes in a document: a URL under one of several names, or the bytes as base64 text.

What comes as the bytes themselves after all is taken as it is: gateways change their minds from model to model.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Mapping
from dataclasses import replace

from pipeline.model import JSON
from pipeline.profile import Profile
from pipeline.providers.answers import first_text, video_in
from pipeline.providers.base import Found, Problem, Refusal, Reply, Status
from pipeline.providers.complaints import failure_of
from pipeline.providers.meanings import is_success, refusal_of, refused
from pipeline.providers.replies import clean, mapping
from pipeline.providers.video_object import is_carried
from pipeline.providers.words import read_word
from pipeline.signature import looks_like_mp4

LOOK_BYTES = 256 << 10
"""So much of such a document is read to learn how a video is doing: more than the longest prompt repeated, so that
what is longer holds the video.
"""
DOCUMENT_BYTES_MAX = 128 << 20
"""The longest that is read: 90 MB of video as text. (Those of the field have 8 to 14 MB.)"""


def read_document(reply: Reply, profile: Profile) -> Found | Refusal:
    """Where the content is, or the very bytes; else why there is none (yet)."""
    call = profile.wire.content_in
    if _is_video(reply, call, profile):
        return Found(content=reply.body)
    raw = mapping(reply.body)
    if raw is None or not is_success(reply, call, profile):
        return refusal_of(reply, call, profile)
    video = video_in(raw, profile.wire)
    return _not_to_be_had(video, reply, profile) or _found(video, profile) or _without(reply, profile)


def has_video(reply: Reply, profile: Profile) -> bool:
    """Whether an answer of which `LOOK_BYTES` were read has the video, or names it, and says nothing else."""
    call = profile.wire.content_in
    if _is_video(reply, call, profile):
        return True
    raw = mapping(reply.body)
    if not is_success(reply, call, profile):
        return False
    if raw is None:
        return len(reply.body) >= LOOK_BYTES and reply.body.lstrip().startswith(b"{")
    video = video_in(raw, profile.wire)
    return not first_text(video, profile.wire.answers["status"]) and _found(video, profile) is not None


def read_instead(reply: Reply, profile: Profile) -> Refusal:
    """What an answer says that came in the place of a video's bytes; a video object by its own word."""
    raw = mapping(reply.body)
    video = {} if raw is None else video_in(raw, profile.wire)
    if is_carried(video, reply, "content", profile) and (why := _not_to_be_had(video, reply, profile)) is not None:
        return why
    return refusal_of(reply, "content", profile)


def _is_video(reply: Reply, call: str, profile: Profile) -> bool:
    return looks_like_mp4(reply.body[:8]) and is_success(reply, call, profile)


def _not_to_be_had(video: Mapping[str, JSON], reply: Reply, profile: Profile) -> Refusal | None:
    """Where it says of itself that it is not done: so it is, whatever link it may have already."""
    word = first_text(video, profile.wire.answers["status"])
    if not word:
        return None
    match read_word(word, profile.status_words)[0]:
        case Status.DONE:
            return None
        case Status.FAILED | Status.CANCELLED:
            code, message = failure_of(video, profile)
            return replace(
                refused(reply, Problem.FAILED, profile), code=code, message=message or f"it {word.strip()}"[:100]
            )
        case Status.EXPIRED:
            return refused(reply, Problem.GONE, profile)
        case _:
            return refused(reply, Problem.NOT_READY, profile)


def _found(video: Mapping[str, JSON], profile: Profile) -> Found | None:
    answers = profile.wire.answers
    if text := first_text(video, answers["bytes"]):
        return _decoded(text)
    url = first_text(video, answers["link"])
    if url.startswith("data:"):
        return _decoded(url)
    return Found(url=url) if url else None


def _decoded(text: str) -> Found | None:
    """Base64, with or without the head of a data URL (RFC 2397), in one line or many; whole, or nothing."""
    try:
        content = b64decode("".join(text.rpartition(",")[2].split()), validate=True)
    except (NoBase64, ValueError):
        return None
    return Found(content=content) if content else None


def _without(reply: Reply, profile: Profile) -> Refusal:
    refusal = refused(reply, Problem.TROUBLE, profile)
    return replace(refusal, message=clean(f"an answer without a video: {refusal.message}"))
