"""The retry table: one pure function a lane, from what came back to what to do about it.

The rows and their reasons are in docs/reliability.md. The one rule behind the submit lane: a POST is repeated only
when it provably made nothing — no byte was sent, or the provider said "not now". Everything else that is no clear
answer is `uncertain`, and stays so until there is proof or a person's word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from pipeline.errors import ArtifactError, NotAVideo, NotSent, ProviderError, Untrusted
from pipeline.lifecycle import Fact
from pipeline.pacing import backoff_s, retry_after_s
from pipeline.providers.base import Observation, Problem, Refusal, Status, Submission


class Stop(Enum):
    """How far an outcome reaches beyond its own job."""

    NOTHING = "nothing"
    SUBMITS = "submits"  # nothing more is bought; what was bought is brought home
    RUN = "run"  # no request will do better


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do after a request."""

    fact: Fact | None
    """What to write about the job; `None`: nothing new."""
    reason: str = ""
    stop: Stop = Stop.NOTHING
    pause_s: float = 0.0
    """The whole lane waits so long."""
    again_s: float | None = None
    """Look or fetch again after so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How patient a lane is."""

    base_s: float
    cap_s: float


SUBMIT_BACKOFF = Backoff(base_s=2.0, cap_s=300.0)
LOOK_BACKOFF = Backoff(base_s=2.0, cap_s=60.0)
FETCH_BACKOFF = Backoff(base_s=1.0, cap_s=60.0)

UNREACHABLE_TRIES = 8
UNREACHABLE_S = 600.0
"""So many submits in a row that could not be sent, over so long: then the address is taken for dead."""
UNREACHABLE_AT_START = 5
"""The same, before anything was accepted: more likely a wrong address than an outage."""
UNCERTAIN_IN_A_ROW = 5
"""Submits in a row of unknown outcome: each may be a bill, so no more are sent."""
REJECTED_AT_START = 5
"""Rejections in a row before anything was accepted: the settings are wrong, not the prompts."""
NO_SUCH_PLACE = (404, 405)
"""Of a submit, before any was accepted: the address or the model is wrong, not the wish."""
WRONG_CONTENT_TRIES = 8
"""So often a whole download may turn out to be no video, before it is left to a later run."""
FETCH_S_MIN, FETCH_S_MAX = 600.0, 86_400.0
"""So long a run tries for a video: at least, whatever the clocks say; at most, whatever the provider promises."""
NO_CONTENT_TRIES = 3
ABSENT_PATIENCE = 60.0
"""So much longer is the wait after "not there": a gateway's store may lag behind its own status by a minute."""
LOST_TRIES = 5
LOST_GRACE_S = 600.0
"""A gateway's database may lag behind its own answer: an unknown id is believed after so long, not before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """What the submit lane has just been through."""

    unreachable: int = 0
    unreachable_s: float = 0.0
    """Since the first of them."""
    throttled: int = 0
    uncertain: int = 0
    rejected: int = 0
    accepted: int = 0

    def after(self, fact: Fact | None) -> Streak:
        """The streak with one more outcome; an acceptance ends every bad one."""
        if fact is Fact.ACCEPTED:
            return Streak(accepted=self.accepted + 1)
        if fact is Fact.REJECTED:
            return Streak(rejected=self.rejected + 1, accepted=self.accepted)
        if fact is Fact.UNCERTAIN:
            return Streak(uncertain=self.uncertain + 1, rejected=self.rejected, accepted=self.accepted)
        if fact is Fact.NOT_SENT:
            return Streak(unreachable=self.unreachable + 1, uncertain=self.uncertain, accepted=self.accepted)
        if fact is Fact.THROTTLED:
            return Streak(throttled=self.throttled + 1, uncertain=self.uncertain, accepted=self.accepted)
        return self


def after_submit(
    outcome: Submission | Refusal | ProviderError, streak: Streak, *, now: datetime, spread: float
) -> Verdict:
    """What a POST's outcome means. *streak* is the lane's before this outcome."""
    match outcome:
        case Submission():
            return Verdict(fact=Fact.ACCEPTED)
        case NotSent():
            return Verdict(
                fact=Fact.NOT_SENT,
                reason=str(outcome),
                stop=Stop.SUBMITS if _is_dead(streak) else Stop.NOTHING,
                pause_s=_wait(SUBMIT_BACKOFF, streak.unreachable + 1, spread),
            )
        case Untrusted():
            return Verdict(fact=Fact.NOT_SENT, reason=str(outcome), stop=Stop.RUN)
        case Refusal():
            return _after_refused_submit(outcome, streak, now, spread)
        case _:
            return _uncertain(str(outcome), streak)


def _is_dead(streak: Streak) -> bool:
    """Whether one more submit that could not be sent is one too many."""
    if streak.accepted == 0:
        return streak.unreachable + 1 >= UNREACHABLE_AT_START
    return streak.unreachable + 1 >= UNREACHABLE_TRIES and streak.unreachable_s >= UNREACHABLE_S


def _after_refused_submit(refusal: Refusal, streak: Streak, now: datetime, spread: float) -> Verdict:
    reason = _words(refusal)
    match refusal.problem:
        case Problem.REJECTED if refusal.http in NO_SUCH_PLACE and streak.accepted == 0:
            return Verdict(fact=Fact.TURNED_AWAY, reason=f"{reason} (wrong address or model?)", stop=Stop.SUBMITS)
        case Problem.REJECTED:
            hopeless = streak.accepted == 0 and streak.rejected + 1 >= REJECTED_AT_START
            return Verdict(fact=Fact.REJECTED, reason=reason, stop=Stop.SUBMITS if hopeless else Stop.NOTHING)
        case Problem.THROTTLED:
            asked_s = retry_after_s(refusal.retry_after, now=now) or 0.0
            own_s = _wait(SUBMIT_BACKOFF, streak.throttled + 1, spread)
            wait_s = asked_s * (1.0 + spread / 10) if asked_s else own_s
            return Verdict(fact=Fact.THROTTLED, reason=reason, pause_s=wait_s)
        case Problem.NO_MONEY:
            return Verdict(fact=Fact.TURNED_AWAY, reason=reason, stop=Stop.SUBMITS)
        case Problem.BAD_KEY | Problem.WRONG_ADDRESS:
            return Verdict(fact=Fact.TURNED_AWAY, reason=reason, stop=Stop.RUN)
        case _:
            return _uncertain(reason, streak)


def _uncertain(reason: str, streak: Streak) -> Verdict:
    too_many = streak.uncertain + 1 >= UNCERTAIN_IN_A_ROW
    return Verdict(fact=Fact.UNCERTAIN, reason=reason, stop=Stop.SUBMITS if too_many else Stop.NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What the watch lane has seen of one video so far."""

    age_s: float
    """Since it was accepted."""
    unknown: int = 0
    """Answers in a row that did not know its id."""
    failures: int = 0
    """Looks in a row, of the whole lane, that told nothing."""


def after_look(
    outcome: Observation | Refusal | ProviderError, looks: Looks, *, deadline_s: float, now: datetime, spread: float
) -> Verdict:
    """What a look means. `again_s` is set where only this policy knows when; else the pace decides."""
    match outcome:
        case Observation():
            verdict = _after_observation(outcome)
        case Untrusted():
            return Verdict(fact=None, reason=str(outcome), stop=Stop.RUN)
        case Refusal():
            verdict = _after_refused_look(outcome, looks, now, spread)
        case _:
            verdict = Verdict(fact=None, reason=str(outcome), pause_s=_wait(LOOK_BACKOFF, looks.failures + 1, spread))
    if verdict.fact in (None, Fact.STATUS) and verdict.stop is Stop.NOTHING and looks.age_s > deadline_s:
        reason = verdict.reason or f"no end after {looks.age_s:.0f} s"
        return replace(verdict, fact=Fact.STALLED, reason=reason, again_s=None)
    return verdict


def _after_observation(seen: Observation) -> Verdict:
    reason = ": ".join(part for part in (seen.code, seen.message) if part)
    match seen.status:
        case Status.DONE:
            return Verdict(fact=Fact.FINISHED)
        case Status.FAILED:
            return Verdict(fact=Fact.FAILED, reason=reason or "the provider gave no reason")
        case Status.CANCELLED:
            return Verdict(fact=Fact.FAILED, reason=reason or f"cancelled at the provider ({seen.word})")
        case Status.EXPIRED:
            return Verdict(fact=Fact.EXPIRED, reason="the provider no longer has it")
        case _:
            return Verdict(fact=Fact.STATUS)


def _after_refused_look(refusal: Refusal, looks: Looks, now: datetime, spread: float) -> Verdict:
    reason = _words(refusal)
    match refusal.problem:
        case Problem.BAD_KEY | Problem.WRONG_ADDRESS:
            return Verdict(fact=None, reason=reason, stop=Stop.RUN)
        case Problem.GONE:
            return Verdict(fact=Fact.LOST, reason=reason)
        case Problem.UNKNOWN_ID:
            if looks.unknown + 1 >= LOST_TRIES and looks.age_s >= LOST_GRACE_S:
                return Verdict(fact=Fact.LOST, reason=reason)
            return Verdict(fact=None, reason=reason, again_s=_wait(LOOK_BACKOFF, looks.unknown + 1, spread))
        case Problem.THROTTLED:
            asked_s = retry_after_s(refusal.retry_after, now=now) or 0.0
            return Verdict(
                fact=None, reason=reason, pause_s=max(asked_s, _wait(LOOK_BACKOFF, looks.failures + 1, spread))
            )
        case _:
            return Verdict(fact=None, reason=reason, pause_s=_wait(LOOK_BACKOFF, looks.failures + 1, spread))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetches:
    """What the collect lane has been through with one video, in this run."""

    tries: int = 0
    """Tries that ended without the whole video, before this one."""
    absent: int = 0
    """Of these, answers that the content is not there."""
    wrong: int = 0
    """Of these, whole downloads that were no video."""

    def after(self, outcome: NoVideo) -> Fetches:
        """The same with one more."""
        absent = isinstance(outcome, Refusal) and outcome.problem is Problem.UNKNOWN_ID
        return Fetches(
            tries=self.tries + 1, absent=self.absent + absent, wrong=self.wrong + isinstance(outcome, NotAVideo)
        )


NoVideo: TypeAlias = Refusal | ProviderError | ArtifactError | OSError
"""What a download came to instead; an `OSError` is our own disk's."""


def fetching_s(kept_s: float) -> float:
    """How long to try for a video that the provider keeps for so long, by its word and the wall clock."""
    return min(max(kept_s, FETCH_S_MIN), FETCH_S_MAX)


def after_fetch(outcome: NoVideo, fetches: Fetches, *, left_s: float, now: datetime, spread: float) -> Verdict:
    """What a download that did not end with a video means, *left_s* before its time is up."""
    reason = _words(outcome)
    give_up = Verdict(fact=Fact.DOWNLOAD_FAILED, reason=reason)
    wait_s = min(_wait(FETCH_BACKOFF, fetches.tries + 1, spread), left_s)  # one more try just before the end
    again = Verdict(fact=None, reason=reason, again_s=wait_s) if left_s > 0 else give_up
    if isinstance(outcome, Refusal):
        return _after_refused_fetch(outcome, fetches, again, left_s=left_s, now=now, spread=spread)
    if isinstance(outcome, Untrusted):
        return replace(give_up, stop=Stop.RUN)
    if isinstance(outcome, NotAVideo) and fetches.wrong + 1 >= WRONG_CONTENT_TRIES:
        return give_up
    return replace(again, stop=Stop.SUBMITS) if isinstance(outcome, OSError) else again


def _after_refused_fetch(
    outcome: Refusal, fetches: Fetches, again: Verdict, *, left_s: float, now: datetime, spread: float
) -> Verdict:
    match outcome.problem:
        case Problem.BAD_KEY:
            return Verdict(fact=None, reason=again.reason, stop=Stop.RUN)
        case Problem.GONE:
            return Verdict(fact=Fact.EXPIRED, reason=again.reason)
        case Problem.UNKNOWN_ID if fetches.absent + 1 >= NO_CONTENT_TRIES:
            return Verdict(fact=Fact.EXPIRED, reason=again.reason)
        case Problem.UNKNOWN_ID:
            again_s = ABSENT_PATIENCE * _wait(FETCH_BACKOFF, fetches.absent + 1, spread)
            return Verdict(fact=None, reason=again.reason, again_s=again_s)
        case Problem.THROTTLED:
            asked_s = retry_after_s(outcome.retry_after, now=now) or 0.0
            return replace(again, pause_s=min(asked_s, max(left_s, 0.0)))
        case Problem.WRONG_ADDRESS:
            return Verdict(fact=Fact.DOWNLOAD_FAILED, reason=again.reason)
        case _:
            return again


def _words(outcome: object) -> str:
    if not isinstance(outcome, Refusal):
        return str(outcome)
    code = f"{outcome.code}: " if outcome.code and outcome.code not in outcome.message else ""
    return f"{outcome.http} {code}{outcome.message}"


def _wait(backoff: Backoff, failures: int, spread: float) -> float:
    return backoff_s(failures, base_s=backoff.base_s, cap_s=backoff.cap_s, spread=spread)
