"""Whichever operation on the disk fails: no id is lost, nothing is paid for twice, and the next run completes.

All operations of a run of twenty jobs: `python -m tests.soak disk`.
"""

from __future__ import annotations

import errno
from pathlib import Path

import anyio
import pytest

from tests.disk.trial import attempt

COUNT = 3
STRIDE = 6
"""Every sixth operation for each way to fail, each way beginning with another one."""
WAYS = [(errno.ENOSPC, False), (errno.EIO, False), (errno.ENOSPC, True), (errno.EIO, True)]


@pytest.mark.parametrize("first", range(len(WAYS)), ids=["full once", "bad once", "full from then on", "dead"])
def test_every_operation_may_fail(small_film: bytes, tmp_path: Path, first: int) -> None:
    kind, stays = WAYS[first]
    failed: set[str] = set()
    wrong: dict[int, tuple[str, ...]] = {}
    for at in range(1 + first, 10_000, STRIDE):
        trial = anyio.run(lambda n: attempt(small_film, tmp_path / str(n), n, kind, stays=stays, count=COUNT), at)
        if not trial.failed:
            break
        failed.add(trial.failed)
        wrong |= {at: trial.wrong} if trial.wrong else {}

    assert wrong == {}
    assert at > 20 * COUNT / 2, "a run has more operations than that"
    assert stays or len(failed) >= 3
