"""T2: a runner killed at every named point, and here and there among the operations on its disk.

`python -m tests.soak killpoints` kills at all of them.
"""

from __future__ import annotations

import random
from pathlib import Path

import anyio

from tests.crash.deadly import NAMED
from tests.crash.killing import Killed, a_killer, every_operation, named_points
from tests.crash.runs import SLOTS
from tests.soak.killpoints import at_points, spread

OPERATIONS = 10


def test_a_runner_killed_at_any_named_point_leaves_what_the_next_one_ends_well(tmp_path: Path) -> None:
    async def kill_all() -> list[Killed]:
        async with a_killer(tmp_path) as killer:
            return [*await at_points(killer, named_points([3])), await killer.kill(None, sale=5)]

    killed = anyio.run(kill_all)

    assert [(one.point, one.faults) for one in killed if one.faults] == []
    assert len(killed) == len(NAMED) + 1
    assert [one.point for one in killed if not one.fired] == []
    assert killed[-1].uncertain >= 1, "what was sold and never answered is not known"


def test_a_runner_killed_at_any_operation_on_its_disk_leaves_what_the_next_one_ends_well(tmp_path: Path) -> None:
    async def kill_some() -> list[Killed]:
        async with a_killer(tmp_path) as killer:
            points = every_operation(await killer.count())
            return await at_points(killer, spread(points, OPERATIONS, random.SystemRandom()))

    killed = anyio.run(kill_some)

    assert [(one.point, one.faults) for one in killed if one.faults] == []
    assert sum(one.fired for one in killed) >= OPERATIONS - 2
    assert all(one.uncertain <= SLOTS for one in killed)
