"""What becomes of the submits of unknown outcome that earlier runs left: counted before a run, by its own rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from pipeline.chains import WAITS, Blocked, Standing
from pipeline.ledger.claims import times_again, twice_paid
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState
from pipeline.lifecycle import State
from pipeline.outlook import Doubts
from pipeline.plan import BUYS, Plan, Step
from pipeline.policy.unknown import Held, may_repeat, why_held
from pipeline.profile import Profile
from pipeline.providers.pricing import total
from pipeline.settling.replay import may_replay

UNKNOWN = (State.UNCERTAIN, State.SUBMITTING)
"""Of unknown outcome: the latter once the crash that left it so is noticed."""


def doubts(
    plan: Plan,
    state: RunState,
    profile: Profile,
    ceiling: Decimal | None,
    origin: str,
    *,
    now: datetime,
    repeats_keys: bool = True,
    standing_of: Callable[[JobState], Standing] = lambda source: WAITS,  # noqa: ARG005 - whatever one builds on may come
) -> Doubts:
    """What a run of *plan* at *origin* (empty: not known) would do about them, may *ceiling* be paid twice.

    *repeats_keys*: it does so *now*, where these are still remembered. *standing_of* says whether a job in the ledger
    has a video that another can be built on.
    """
    uncertain = [job for job in state.jobs.values() if job.state in UNKNOWN]
    here = [job for job in uncertain if not origin or job.origin == origin]
    keys = {key for job in here for key in (job.key, job.wish.source)}
    steps = {step.job.key: step for step in plan.steps if step.job.key in keys} if keys else {}
    paid = twice_paid(state)

    def may_be_made(job: JobState) -> bool:
        source = state.jobs.get(job.wish.source)
        if source is None or (source.key in steps and steps[source.key].action in BUYS):
            return True
        return not isinstance(standing_of(source), Blocked)

    planned = [job for job in here if job.key in steps and may_be_made(job)]
    again, over_ceiling = ([], 0) if ceiling is None else _sent_again(planned, steps, paid, ceiling)
    return Doubts(
        count=len(uncertain),
        cost=total(job.attempts[-1].price for job in uncertain),
        asked=sum(is_asked_about(job, profile, now=now, repeats_keys=repeats_keys) for job in here),
        again=len(again),
        again_cost=total(step.price for step in again),
        over_ceiling=over_ceiling,
        paid_twice=paid,
    )


def is_asked_about(job: JobState, profile: Profile, *, now: datetime, repeats_keys: bool = True) -> bool:
    """Whether the provider may tell *now* what became of a submit of unknown outcome."""
    return profile.lists or (repeats_keys and has_living_key(job, profile, now))


def has_living_key(job: JobState, profile: Profile, now: datetime) -> bool:
    """Whether the provider still remembers the key of its latest submit, and answers a repeat with the same video."""
    latest = job.attempts[-1]
    honoured = may_repeat(profile, linked=bool(job.wish.source)) and bool(latest.idempotency_key)
    return honoured and may_replay(began_at=latest.submitted_at, now=now, keys_s=profile.keys_s)


def _sent_again(
    uncertain: list[JobState], steps: Mapping[str, Step], paid: Decimal | None, ceiling: Decimal
) -> tuple[list[Step], int]:
    """Those that the ceiling has room for, one after another, and how many it has not."""
    again: list[Step] = []
    over_ceiling = 0
    for job in uncertain:
        price = job.attempts[-1].price
        held = why_held(price, paid=paid, ceiling=ceiling, times=times_again(job))
        over_ceiling += held is Held.OVER_CEILING
        if held is None and paid is not None and price is not None:
            again.append(steps[job.key])
            paid += price
    return again, over_ceiling
