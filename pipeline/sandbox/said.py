"""Our refusals as another server would word them: its status, its code, its words, its shape. Pure.

How it says something stands in the profile's rehearsal. Where that is silent, the first of its rules that means this
says how; else we say it as ever.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from pipeline.model import JSON
from pipeline.profile import Profile
from pipeline.sandbox.filled import filled
from pipeline.sandbox.refusal import Refused
from pipeline.sandbox.shown import put
from pipeline.wire import Rule, Said

_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}
_TURNED_ROUND: Final = ("not_ready", "failed", "gone", "unknown_id", "no_money")
"""Which problems are worded by the rules that read them. Of the others a rule names but one kind among many."""


def said_of(problem: str, call: str, profile: Profile, natural_http: int = 0) -> Said | None:
    """How the profile's server tells of *problem* in its answer to *call*; `None`: it is not known."""
    for said in profile.rehearsal.says.get(problem, ()):
        if not said.to or call in said.to:
            return said
    rules = (rule for rule in profile.wire.problems if rule.means == problem and (not rule.to or call in rule.to))
    rule = next(rules, None) if problem in _TURNED_ROUND else None
    return _turned_round(rule, natural_http) if rule else None


def refusal(refused: Refused, call: str, video_id: str, profile: Profile) -> tuple[int, dict[str, JSON]]:
    """The HTTP status and the document of an answer to *call* that is not the one asked for."""
    said = said_of(refused.problem, call, profile, refused.http) or Said(code=refused.code or "")
    http, message = said.http or refused.http, said.message.replace("{id}", video_id) or refused.message
    form = profile.rehearsal.errors if said.document is None else said.document
    if not form:
        return http, _placed(refused, said.code, message, profile)
    if isinstance(form, str):
        return http, _shaped(refused, said.code, message, form)
    about: dict[str, JSON] = {"http": http, "phrase": _PHRASES.get(http), "type": refused.kind, "param": refused.param}
    return http, filled(form, {**about, "code": said.code or None, "message": message, "id": video_id})


def _turned_round(rule: Rule, natural_http: int) -> Said:
    http = natural_http if not rule.http or natural_http in rule.http else rule.http[0]
    return Said(http=http, code=next(iter(rule.code), ""), message=next(iter(rule.text), ""))


def _placed(refused: Refused, code: str, message: str, profile: Profile) -> dict[str, JSON]:
    """Code and words where the profile says that they stand; what it does not say is as we have it."""
    stated = {"error_code": code or None, "error_text": message}
    places = {word: paths[0] for word in stated if (paths := profile.wire.answers[word])}
    document = {} if len(places) == len(stated) else refused.object_of(code or None, message)
    for word, path in places.items():
        put(document, path, stated[word])
    return document


def _shaped(refused: Refused, code: str, message: str, shape: str) -> dict[str, JSON]:
    match shape:
        case "flat":
            return {"code": code or refused.kind, "message": message, "data": None}
        case "detail":
            return {"detail": message}
        case "text":
            return {"error": message, **({"code": code} if code else {})}
        case _:
            return refused.object_of(code or None, message)
