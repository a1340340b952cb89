"""Where an error says what, as the profile's rehearsal has it and as it came.

A status such as 404 says little: any server answers so. That it is said in another form than the profile knows may
mean that it is another server. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pipeline.model import JSON
from pipeline.profile import Profile
from pipeline.providers.base import Problem
from pipeline.providers.replies import clean, mapping, text
from pipeline.sandbox import refusal
from pipeline.sandbox.said import refusal as worded

_WORDS = ("code", "type")
_OF_AN_ERROR = (*_WORDS, "message", "detail", "fail_reason")


def error_form(body: bytes) -> str:
    """The form of an error: `{error: {type: too_bad, message}}`, `{code: 404, message}`, `{detail}`."""
    value = mapping(body)
    if value is None:
        return "without JSON"
    error = value.get("error")
    inner = _filled(error) if isinstance(error, dict) else ""
    return f"{{error: {{{inner}}}}}" if inner else "{error}" if text(error) else f"{{{_filled(value)}}}"


def known_form(problem: Problem | None, call: str, profile: Profile) -> str:
    """The form in which the profile's server says *problem* in its answer to *call*."""
    said = {Problem.NOT_READY: refusal.not_ready(), Problem.GONE: refusal.gone(profile.retention_s)}
    document = worded(said.get(problem, refusal.unknown("")), call, "", profile)[1] if problem else {}
    return error_form(json.dumps(document).encode())


def _filled(value: Mapping[str, JSON]) -> str:
    there = (name for name in _OF_AN_ERROR if value.get(name) not in (None, "", [], {}))
    return ", ".join(f"{name}: {clean(text(value[name]), 40)}" if name in _WORDS else name for name in there)
