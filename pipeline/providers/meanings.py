"""What an answer means that is not the one asked for: the profile's own rules, then what is known of any server.

A rule is data, and the first that fits counts: by code or text where these speak, else by the HTTP status. Which
servers say so stands beside each; a status alone means what HTTP says (RFC 9110 §15).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pipeline.profile import Profile
from pipeline.providers.base import Problem, Refusal, Reply
from pipeline.providers.complaints import complaint_of, start_of
from pipeline.providers.replies import excerpt, kind_of
from pipeline.wire import Rule

SUBMITS = ("submit", "remix", "extend", "edit")
DOUBTFUL = (408, 409)
"""As any 5xx: what is answered so may have been made all the same."""
_REFUSALS = range(300, 1000)
"""What a rule without `http` is about."""
LOOKS = ("look", "list", "delete")
CONTENT = ("content",)

_UPSTREAM_404 = ("status 404", "status: 404", "status code 404", "status code: 404")

ANYWHERE: tuple[Rule, ...] = (
    Rule(means="no_money", code=("insufficient_quota", "billing_hard_limit_reached", "quota_exceeded")),  # OpenAI
    # the new-api family, mostly with 403: relay/relay_task.go and types/error.go there
    Rule(means="no_money", code=("insufficient_user_quota", "pre_consume_token_quota_failed", "quota_not_enough")),
    # the same with 503, before it has asked anybody (middleware/distributor.go): for want of a channel just now, too
    Rule(means="throttled", to=SUBMITS, http=(503,), code=("model_not_found",)),
    Rule(means="no_such_model", to=SUBMITS, http=(400, 404), code=("model_not_found",)),  # OpenAI
    Rule(means="unknown_id", to=LOOKS, http=(400,), code=("task_not_exist",)),  # new-api: not 404
    Rule(means="not_ready", to=CONTENT, http=(404,), text=("not ready", "not completed", "in progress", "in-progress")),
    # how new-api's content proxy words an upstream 404, which it wraps (controller/video_proxy.go)
    Rule(means="unknown_id", to=CONTENT, http=(502,), text=_UPSTREAM_404),
    Rule(means="gone", to=CONTENT, http=(404,), text=("no longer available", "expire")),  # OpenAI
)
"""What some servers say of themselves."""

BY_HTTP: tuple[Rule, ...] = (
    Rule(means="no_money", to=SUBMITS, http=(402,)),
    Rule(means="bad_key", http=(401, 403)),
    Rule(means="trouble", to=SUBMITS, http=(408, 409)),
    Rule(means="not_ready", to=CONTENT, http=(202, 400, 409, 425)),
    Rule(means="throttled", http=(425, 429)),
    Rule(means="unknown_id", to=(*LOOKS, *CONTENT), http=(404,)),
    Rule(means="gone", to=(*LOOKS, *CONTENT), http=(410,)),
)
"""What a status alone means."""


def meaning_of(reply: Reply, call: str, profile: Profile) -> Problem:
    """Which problem an answer to *call* tells of."""
    said = _said(reply, call, profile)
    stated = _first(profile.wire.problems, replace(said, message=said.message or _unstated(reply)))
    known = _first(ANYWHERE, said) if reply.status >= 400 else None
    return stated or known or _first(BY_HTTP, said) or _of_the_rest(reply, call)


def is_success(reply: Reply, call: str, profile: Profile) -> bool:
    """Whether it says that what was asked for was done: 2xx, and none of the profile's rules knows better."""
    if not 200 <= reply.status < 300:
        return False
    rules = [rule for rule in profile.wire.problems if reply.status in rule.http]
    return not rules or _first(rules, _said(reply, call, profile)) is None


def refusal_of(reply: Reply, call: str, profile: Profile) -> Refusal:
    """An answer to *call* that is not the one asked for, in our words."""
    return refused(reply, meaning_of(reply, call, profile), profile)


def refused(reply: Reply, problem: Problem, profile: Profile) -> Refusal:
    """The same where the problem is known."""
    code, message = complaint_of(reply, profile)
    if not (code or message):
        message = start_of(reply)
    return Refusal(
        problem=problem,
        http=reply.status,
        code=code,
        message=message or f"HTTP {reply.status}",
        retry_after=reply.headers.get("retry-after", ""),
        excerpt=excerpt(reply),
    )


def is_foreseen(reply: Reply, call: str, profile: Profile) -> bool:
    """Whether a rule of the profile's own knows it by its code or its words."""
    rules = (rule for rule in profile.wire.problems if rule.code or rule.text)
    said = _said(reply, call, profile)
    return _first(rules, replace(said, message=said.message or _unstated(reply))) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What an answer to a call says, in lower case."""

    call: str
    http: int
    codes: frozenset[str]
    message: str


def _said(reply: Reply, call: str, profile: Profile) -> _Said:
    code, message = complaint_of(reply, profile)
    codes = frozenset(word.lower() for word in (code, kind_of(reply.body)) if word)
    return _Said(call=call, http=reply.status, codes=codes, message=message.lower())


def _unstated(reply: Reply) -> str:
    """The words of an answer that nobody knows how to read, for rules whose author knows that server: as it came, and
    only where it surely made nothing, for a prompt may be repeated in it.
    """
    surely = 400 <= reply.status < 500 and reply.status not in DOUBTFUL
    return start_of(reply).lower() if surely else ""


def _first(rules: Iterable[Rule], said: _Said) -> Problem | None:
    return next((Problem(rule.means) for rule in rules if _fits(rule, said)), None)


def _fits(rule: Rule, said: _Said) -> bool:
    if (rule.to and said.call not in rule.to) or said.http not in (rule.http or _REFUSALS):
        return False
    if rule.code and said.codes.isdisjoint(known.lower() for known in rule.code):
        return False
    return not rule.text or any(words.lower() in said.message for words in rule.text)


_REJECTED: Mapping[str, Problem] = dict.fromkeys(SUBMITS, Problem.REJECTED)


def _of_the_rest(reply: Reply, call: str) -> Problem:
    if reply.status == 503 and "retry-after" in reply.headers:
        return Problem.THROTTLED
    if reply.status >= 500 or reply.status < 300:
        return Problem.TROUBLE
    return Problem.WRONG_ADDRESS if reply.status < 400 else _REJECTED.get(call, Problem.TROUBLE)
