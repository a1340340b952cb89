"""What the answer to a repeated submit says, where the provider honours its key: one key makes at most one video."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from pipeline.errors import ProviderError, Untrusted
from pipeline.pacing import retry_after_s
from pipeline.policy.verdict import Backoff, Stop, pause_after, words_of
from pipeline.providers.base import Problem, Refusal, Submission

TRIES = 6
"""So often a key is replayed in one run, before something else has to settle the job."""
KEY_MARGIN_S = 300.0
"""So long before a key is forgotten it is repeated no more: a POST may take 120 s to arrive there, and their clock may
be ahead of ours. A forgotten key buys again.
"""
_REFUSES_THE_WISH = (400, 413, 415, 422)
"""Refusals of what was asked for: had the first request been accepted, its key would have been answered with it."""


class Turn(Enum):
    """Where an answer leads."""

    ADOPT = "adopt"
    NOT_CREATED = "not_created"
    AGAIN = "again"
    NEVER = "never"  # nothing can be learned from this key


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What to do after a replay."""

    turn: Turn
    reason: str = ""
    again_s: float = 0.0
    """How long to wait before the next."""
    throttled: bool = False
    """Nothing should be submitted meanwhile."""
    stop: Stop = Stop.NOTHING


def may_replay(*, began_at: datetime, now: datetime, keys_s: float) -> bool:
    """Whether a submit's key will still be remembered there when a repeat that is sent *now* arrives: its very bytes
    then make no second video. Keys of a short life keep half of it for that.
    """
    margin_s = min(KEY_MARGIN_S, keys_s / 2)
    return timedelta(0) <= now - began_at < timedelta(seconds=keys_s - margin_s)


def after_replay(
    outcome: Submission | Refusal | ProviderError,
    tries: int,
    *,
    backoff: Backoff,
    now: datetime,
    spread: float,
    linked: bool = False,
) -> Replayed:
    """What came of the *tries*-th replay of a key. The job is uncertain until this says otherwise.

    *linked*: it builds on another video, which may be gone by now: what is refused today was perhaps accepted then.
    """
    if isinstance(outcome, Submission):
        return Replayed(turn=Turn.ADOPT)
    if isinstance(outcome, Untrusted):
        return Replayed(turn=Turn.NEVER, reason=str(outcome), stop=Stop.RUN)
    again = Replayed(
        turn=Turn.AGAIN if tries < TRIES else Turn.NEVER,
        reason=words_of(outcome),
        again_s=pause_after(backoff, tries, spread),
    )
    if not isinstance(outcome, Refusal):
        return again
    replayed = _after_refusal(outcome, again, now)
    return replace(replayed, turn=Turn.NEVER) if linked and replayed.turn is Turn.NOT_CREATED else replayed


def _after_refusal(refusal: Refusal, again: Replayed, now: datetime) -> Replayed:
    match refusal.problem:
        case Problem.BAD_KEY | Problem.WRONG_ADDRESS:
            return Replayed(turn=Turn.NEVER, reason=again.reason, stop=Stop.RUN)
        case Problem.NO_MONEY:
            return Replayed(turn=Turn.NEVER, reason=again.reason, stop=Stop.SUBMITS)
        case Problem.THROTTLED:
            asked_s = retry_after_s(refusal.retry_after, now=now) or 0.0
            return Replayed(turn=again.turn, reason=again.reason, again_s=max(asked_s, again.again_s), throttled=True)
        case Problem.REJECTED if refusal.http in _REFUSES_THE_WISH and not _speaks_of_the_key(refusal):
            return Replayed(turn=Turn.NOT_CREATED, reason=again.reason)
        case Problem.REJECTED | Problem.NO_SUCH_MODEL | Problem.UNKNOWN_ID | Problem.GONE | Problem.FAILED:
            return Replayed(turn=Turn.NEVER, reason=again.reason)
        case _:
            return again


def _speaks_of_the_key(refusal: Refusal) -> bool:
    """It is the key that is refused, and not the wish: that says nothing about the first request."""
    return "idempoten" in f"{refusal.code} {refusal.message}".lower()
