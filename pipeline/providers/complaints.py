"""What an error says, its code and its words: where the profile says they stand, else wherever servers have them."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.model import JSON
from pipeline.profile import Profile
from pipeline.providers.answers import first, first_text
from pipeline.providers.base import Reply
from pipeline.providers.replies import CODE_CHARACTERS_MAX, EXCERPT_BYTES_MAX, clean, complaint, mapping, read_error


def complaint_of(reply: Reply, profile: Profile) -> tuple[str, str]:
    """The code and the message of an answer that is not the one asked for, each empty where it gives none."""
    value = mapping(reply.body)
    return complaint(reply.body) if value is None else _stated(value, profile, read_error(value))


def failure_of(video: Mapping[str, JSON], profile: Profile) -> tuple[str, str]:
    """The same of a video object: why it failed."""
    told = first(video, profile.wire.answers["error"])
    return _stated(video, profile, read_error(video if told is None else {"error": told}))


def start_of(reply: Reply) -> str:
    """The beginning of an answer, as a message: for where its code and its words are not found."""
    return clean(reply.body[:EXCERPT_BYTES_MAX].decode("utf-8", "replace"))


def _stated(value: Mapping[str, JSON], profile: Profile, otherwise: tuple[str, str]) -> tuple[str, str]:
    """What stands in *value* where the profile says, each else as *otherwise* has it."""
    code, message = (first_text(value, profile.wire.answers[name]) for name in ("error_code", "error_text"))
    return clean(code, CODE_CHARACTERS_MAX) or otherwise[0], clean(message) or otherwise[1]
