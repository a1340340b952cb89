"""Where an error says what, as the profile's rehearsal has it and as it came.

A status such as 404 says little: any server answers so. That it is said in another form than the profile knows may
mean that it is another server. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pipeline.model import JSON
from pipeline.profile import Profile
from pipeline.providers.answers import first_text
from pipeline.providers.base import Problem
from pipeline.providers.replies import clean, mapping, text
from pipeline.sandbox import refusal
from pipeline.sandbox.said import refusal as worded

_WORDS = ("code", "type")
_OF_AN_ERROR = (*_WORDS, "message", "detail", "fail_reason")


def error_form(body: bytes, profile: Profile) -> str:
    """The form of an error: `{error: {type: too_bad, message}}`, `{code: 404, message}`, `{detail}`.

    Where *profile* says where code and words stand, and they do, it is made of these places: `{err: {c: E_1, m}}`.
    """
    value = mapping(body)
    if value is None:
        return "without JSON"
    if places := _stated(value, profile):
        return _drawn(places)
    error = value.get("error")
    inner = _filled(error) if isinstance(error, dict) else ""
    return f"{{error: {{{inner}}}}}" if inner else "{error}" if text(error) else f"{{{_filled(value)}}}"


def known_form(problem: Problem | None, call: str, profile: Profile) -> str:
    """The form in which the profile's server says *problem* in its answer to *call*."""
    said = {Problem.NOT_READY: refusal.not_ready(), Problem.GONE: refusal.gone(profile.retention_s)}
    document = worded(said.get(problem, refusal.unknown("")), call, "", profile)[1] if problem else {}
    return error_form(json.dumps(document).encode(), profile)


def _stated(value: Mapping[str, JSON], profile: Profile) -> dict[str, str]:
    """What stands where the profile says that code and words do, by place; of words that they are there."""
    answers = profile.wire.answers
    code = {path: clean(text_at, 40) for path in answers["error_code"] if (text_at := first_text(value, [path]))}
    words = {path: "" for path in answers["error_text"] if first_text(value, [path])}
    return dict([*list(code.items())[:1], *list(words.items())[:1]])


def _drawn(places: Mapping[str, str]) -> str:
    """Places as one document: `{err.c: 1, err.m: ""}` as `{err: {c: 1, m}}`."""
    below: dict[str, dict[str, str]] = {}
    for path, said in places.items():
        name, _, rest = path.partition(".")
        below.setdefault(name, {})[rest] = said
    return f"{{{', '.join(_branch(name, rest) for name, rest in below.items())}}}"


def _branch(name: str, rest: Mapping[str, str]) -> str:
    if "" not in rest:
        return f"{name}: {_drawn(rest)}"
    return f"{name}: {rest['']}" if rest[""] else name


def _filled(value: Mapping[str, JSON]) -> str:
    there = (name for name in _OF_AN_ERROR if value.get(name) not in (None, "", [], {}))
    return ", ".join(f"{name}: {clean(text(value[name]), 40)}" if name in _WORDS else name for name in there)
