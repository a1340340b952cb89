"""T2: a runner of twenty jobs is killed at every named point, and at every operation on its disk."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import anyio

from tests.crash.deadly import NAMED, Point
from tests.crash.killing import Killed, Killer, a_killer, every_operation, named_points
from tests.crash.runs import JOBS
from tests.soak.proof import Proof

WHAT = "kills at every named point and every open, write, fsync, rename and removal of a run of 20 jobs"
SIZE = 1000
"""More than there are: all of them."""
TIMES = (1, 4, 10, 16)
"""Which time a named point is met."""
FAULTS_MAX = 20


def prove(*, size: int, seed: int) -> Proof:
    """Up to *size* kills, spread evenly over all that there are. *seed* says where a spread begins."""
    with tempfile.TemporaryDirectory() as folder:
        return anyio.run(_prove, Path(folder), size, random.Random(seed))


async def _prove(folder: Path, size: int, chance: random.Random) -> Proof:
    async with a_killer(folder) as killer:
        operations = every_operation(await killer.count())
        everywhere = [*named_points(TIMES), *operations]
        points = spread(everywhere, size, chance)
        sales = range(1, JOBS + 1, max(len(everywhere) // size, 1))
        killed = [*await at_points(killer, points), *[await killer.kill(None, sale=sale) for sale in sales]]
    return Proof(
        figures={
            "named points": f"{len(NAMED) + 1}, met for the {', '.join(f'{n}.' for n in TIMES)} time",
            "operations of a run, before, amid and after": f"{len(operations)}",
            "kills": f"{sum(one.fired for one in killed)} of {len(killed)} points were met",
            "jobs uncertain after one, at most": max(one.uncertain for one in killed),
        },
        faults=tuple(f"{one.point}: {fault}" for one in killed for fault in one.faults)[:FAULTS_MAX],
    )


def spread(points: Sequence[Point], size: int, chance: random.Random) -> Sequence[Point]:
    """*size* of them, evenly."""
    step = max(len(points) // size, 1)
    return points[chance.randrange(step) :: step]


async def at_points(killer: Killer, points: Iterable[Point]) -> list[Killed]:
    """Kill at each of them."""
    return [await killer.kill(point) for point in points]
