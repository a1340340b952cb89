"""The watch lane's rows: looking is free, so a look that fails never fails a job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.errors import ProviderError, Untrusted
from pipeline.lifecycle import Fact
from pipeline.policy.verdict import Backoff, Stop, Verdict, is_of_one, pause_after, throttled_s, words_of
from pipeline.providers.base import Observation, Problem, Refusal, Status

UNREADABLE_TRIES = 10
"""So many answers in a row that nobody can read, for one video, while others can be looked at: it is stalled."""
SLOW_S = 300.0
"""So often a stalled video is looked at, as long as the run has anything else to do."""
LOST_TRIES = 5
LOST_GRACE_S = 600.0
"""A gateway's database may lag behind its own answer, or be restored, and another account's key knows none of our ids:
after so long an unknown id is waited for no longer, and it is believed when the video would be gone anyway.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What the watch lane has seen of one video so far."""

    age_s: float
    """Since this run began to watch it, without the time in which nobody answered."""
    old_s: float = 0.0
    """Since it was accepted, by the wall clock where an earlier run submitted it."""
    unknown: int = 0
    """Answers in a row that did not know its id."""
    unreadable: int = 0
    """Answers in a row about it that nobody can read."""
    failures: int = 0
    """Pauses in a row, of the whole lane, because looks told nothing."""


def after_look(
    outcome: Observation | Refusal | ProviderError,
    looks: Looks,
    *,
    deadline_s: float,
    retention_s: float,
    backoff: Backoff,
    now: datetime,
    spread: float,
) -> Verdict:
    """What a look means. `again_s` is set where only this policy knows when; else the pace decides."""
    match outcome:
        case Observation():
            verdict = _after_observation(outcome)
        case Untrusted():
            return Verdict(fact=None, reason=str(outcome), stop=Stop.RUN)
        case Refusal():
            verdict = _after_refused_look(
                outcome, looks, retention_s=retention_s, backoff=backoff, now=now, spread=spread
            )
        case _:
            verdict = Verdict(fact=None, reason=str(outcome), pause_s=pause_after(backoff, looks.failures + 1, spread))
    if verdict.fact in (None, Fact.STATUS) and verdict.stop is Stop.NOTHING:
        unreadable = is_unreadable(outcome) and looks.unreadable + 1 >= UNREADABLE_TRIES
        if unreadable or looks.age_s > deadline_s:
            reason = verdict.reason or f"no end after {looks.age_s:.0f} s"
            return Verdict(fact=Fact.STALLED, reason=reason, pause_s=verdict.pause_s, again_s=SLOW_S)
    return verdict


def is_unreadable(outcome: object) -> bool:
    """Whether it is an answer that should tell of the video, and nobody can read it."""
    return isinstance(outcome, Refusal) and outcome.problem is Problem.TROUBLE and 200 <= outcome.http < 300


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


def _after_refused_look(
    refusal: Refusal, looks: Looks, *, retention_s: float, backoff: Backoff, now: datetime, spread: float
) -> Verdict:
    reason = words_of(refusal)
    match refusal.problem:
        case Problem.BAD_KEY | Problem.WRONG_ADDRESS:
            return Verdict(fact=None, reason=reason, stop=Stop.RUN)
        case Problem.GONE:
            return Verdict(fact=Fact.LOST, reason=reason)
        case Problem.FAILED:  # a profile's rule reads it so: there never will be a video
            return Verdict(fact=Fact.FAILED, reason=reason)
        case Problem.NOT_READY:
            return Verdict(fact=None, reason=reason)
        case Problem.UNKNOWN_ID:
            if looks.unknown + 1 >= LOST_TRIES and looks.age_s >= LOST_GRACE_S:
                if looks.old_s >= retention_s:
                    return Verdict(fact=Fact.LOST, reason=reason)
                return Verdict(
                    fact=Fact.STALLED, reason=f"the provider does not know its id ({reason})", again_s=SLOW_S
                )
            return Verdict(fact=None, reason=reason, again_s=pause_after(backoff, looks.unknown + 1, spread))
        case Problem.THROTTLED:
            wait_s = throttled_s(refusal, looks.failures + 1, backoff=backoff, now=now, spread=spread)
            return Verdict(fact=None, reason=reason, pause_s=wait_s)
        case _ if is_of_one(refusal):  # nobody else waits for it, and its deadline does not either
            return Verdict(fact=None, reason=reason)
        case _:
            return Verdict(fact=None, reason=reason, pause_s=pause_after(backoff, looks.failures + 1, spread))
