"""After a crash: what must be true of the jobs that it caught in the middle of a POST."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from pipeline.ledger.replay import RunState
from pipeline.lifecycle import State

CRASH_REASON = "the run ended while this request was under way, so whether it was accepted is not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff:
    """An attempt of which an intent is on disk and no outcome: the fields of its `uncertain` record."""

    job: str
    attempt: int
    price: Decimal | None
    phase: str = "crash"
    reason: str = CRASH_REASON


def cut_off(state: RunState) -> list[CutOff]:
    """The attempts that a crash left open, in plan order. Every one of them may have been paid for."""
    return [
        CutOff(job=job.key, attempt=job.attempt, price=job.attempts[-1].price)
        for job in state.jobs.values()
        if job.state is State.SUBMITTING
    ]
