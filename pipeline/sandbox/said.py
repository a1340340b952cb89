"""Our refusals as another server would word them: its status, its code, its words, its shape. Pure.

How it says something stands in the profile's rehearsal. Where that is silent, the first of its rules that means this
says how; else we say it as ever.
"""

from __future__ import annotations

from typing import Final

from pipeline.model import JSON
from pipeline.profile import Profile
from pipeline.sandbox.refusal import Refused
from pipeline.wire import Rule, Said

_TURNED_ROUND: Final = ("not_ready", "failed", "gone", "unknown_id", "no_money")
"""Which problems are worded by the rules that read them. Of the others a rule names but one kind among many."""


def said_of(problem: str, call: str, profile: Profile, natural_http: int = 0) -> Said | None:
    """How the profile's server tells of *problem* in its answer to *call*; `None`: it is not known."""
    if problem in profile.rehearsal.says:
        return profile.rehearsal.says[problem]
    rules = (rule for rule in profile.wire.problems if rule.means == problem and (not rule.to or call in rule.to))
    rule = next(rules, None) if problem in _TURNED_ROUND else None
    return _turned_round(rule, natural_http) if rule else None


def refusal(refused: Refused, call: str, video_id: str, profile: Profile) -> tuple[int, dict[str, JSON]]:
    """The HTTP status and the document of an answer to *call* that is not the one asked for."""
    said = said_of(refused.problem, call, profile, refused.http)
    if said is None:
        return refused.http, _shaped(refused, refused.code or "", refused.message, profile)
    message = said.message.replace("{id}", video_id) or refused.message
    return said.http, _shaped(refused, said.code, message, profile)


def _turned_round(rule: Rule, natural_http: int) -> Said:
    http = natural_http if not rule.http or natural_http in rule.http else rule.http[0]
    return Said(http=http, code=next(iter(rule.code), ""), message=next(iter(rule.text), ""))


def _shaped(refused: Refused, code: str, message: str, profile: Profile) -> dict[str, JSON]:
    match profile.rehearsal.errors:
        case "flat":
            return {"code": code or refused.kind, "message": message, "data": None}
        case "detail":
            return {"detail": message}
        case "text":
            return {"error": message, **({"code": code} if code else {})}
        case _:
            return refused.object_of(code or None, message)
