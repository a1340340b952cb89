"""What becomes of the submits of unknown outcome that earlier runs left: counted before a run, by its own rules."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pipeline.ledger.claims import times_again, twice_paid
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState
from pipeline.lifecycle import State
from pipeline.model import Profile
from pipeline.plan import Doubts, Plan, Step
from pipeline.policy.unknown import Held, why_held
from pipeline.providers.pricing import total

UNKNOWN = (State.UNCERTAIN, State.SUBMITTING)
"""Of unknown outcome: the latter once the crash that left it so is noticed."""


def doubts(plan: Plan, state: RunState, profile: Profile, ceiling: Decimal | None, origin: str) -> Doubts:
    """What a run of *plan* at *origin* (empty: not known) would do about them, may *ceiling* be paid twice."""
    uncertain = [job for job in state.jobs.values() if job.state in UNKNOWN]
    here = [job for job in uncertain if not origin or job.origin == origin]
    keys = {job.key for job in here}
    steps = {step.job.key: step for step in plan.steps if step.job.key in keys} if keys else {}
    paid = twice_paid(state)
    again, over_ceiling = ([], 0) if ceiling is None else _sent_again(here, steps, paid, ceiling)
    return Doubts(
        count=len(uncertain),
        cost=total(job.attempts[-1].price for job in uncertain),
        asked=sum(_is_asked_about(job, profile) for job in here),
        again=len(again),
        again_cost=total(step.price for step in again),
        over_ceiling=over_ceiling,
        paid_twice=paid,
    )


def _is_asked_about(job: JobState, profile: Profile) -> bool:
    return profile.lists or (profile.honours_keys and bool(job.attempts[-1].idempotency_key))


def _sent_again(
    uncertain: list[JobState], steps: Mapping[str, Step], paid: Decimal | None, ceiling: Decimal
) -> tuple[list[Step], int]:
    """Those that the ceiling has room for, one after another, and how many it has not."""
    again: list[Step] = []
    over_ceiling = 0
    for job in uncertain:
        if job.key not in steps:
            continue
        price = job.attempts[-1].price
        held = why_held(price, paid=paid, ceiling=ceiling, times=times_again(job))
        over_ceiling += held is Held.OVER_CEILING
        if held is None and paid is not None and price is not None:
            again.append(steps[job.key])
            paid += price
    return again, over_ceiling
