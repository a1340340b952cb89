"""How long a run will take, foretold from its limits, the profile's usual render time and what waits for what. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.limits import Limits
from pipeline.plan import BUYS, Action, Step
from pipeline.profile import Pace


def longest_chain(steps: Sequence[Step]) -> int:
    """How many videos have to be made one after another, because each builds on the one before; 1: none does."""
    coming = [step.job for step in steps if step.job.source and _comes(step)]
    source = {job.key: job.source for job in coming}
    roots = {key for key in source.values() if key not in source}
    to_come = {step.job.key for step in steps if step.job.key in roots and _comes(step)} if roots else set()
    depths = {key: int(key in to_come) for key in roots}
    for last in source:
        row, key = [], last
        while key not in depths:  # it has an end: a key is a hash of its source's
            row.append(key)
            key = source[key]
        for n, above in enumerate(reversed(row), start=1):
            depths[above] = depths[key] + n
    return max(depths.values(), default=1)


def _comes(step: Step) -> bool:
    return step.action in BUYS or step.action is Action.RESUME


def duration_s(submits: int, resumes: int, limits: Limits, pace: Pace, *, chain: int = 1) -> float:
    """How long a run will take at the limits in force and the profile's usual render time, roughly.

    *chain* videos have to be made one after another.
    """
    if not submits and not resumes:
        return 0.0
    by_rate_s = max(submits - 1, 0) * 60.0 / limits.submits_per_minute
    by_room_s = math.ceil((submits + resumes) / limits.in_flight) * pace.typical_s
    return max(by_rate_s + chain * pace.typical_s, by_room_s)
