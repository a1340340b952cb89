"""A plan of very many jobs: what it takes beyond the jobs themselves."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

from pipeline.ledger.replay import RunState
from pipeline.model import Job, Position
from pipeline.prepare import Choice, outlook_on
from pipeline.storage import RunFolder
from tests.core.harbour import manifest

JOBS = 20_000
BYTES_MAX = 230
"""Of a plan, for each job. A million of them is to be planned in 250 MB."""


def a_row(n: int) -> Job:
    return Job(
        key=f"{n:032x}",
        id=f"row-{n}",
        prompt="a heron",
        model="sora-2",
        seconds=4 + 4 * (n % 2),
        size="1280x720",
        path=f"birds/row-{n}.mp4",
        position=Position(file="birds.csv", line=n + 2, column=1),
    )


def test_a_plan_of_a_new_run_is_small_beside_its_jobs(tmp_path: Path) -> None:
    wanted = replace(manifest(), jobs=tuple(map(a_row, range(JOBS))))
    tracemalloc.start()
    try:
        outlook = outlook_on(wanted, Choice(), RunFolder(tmp_path / "run"), RunState())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(outlook.plan.submits) == JOBS
    assert peak / JOBS < BYTES_MAX
    assert len({id(step.price) for step in outlook.plan.steps}) == 2
    assert all(step.job is job for step, job in zip(outlook.plan.steps, wanted.jobs, strict=True))
