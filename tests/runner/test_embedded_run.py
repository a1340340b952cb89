"""A run with a sandbox of its own: what becomes of it when the sandbox dies, or is gone before it begins."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from pipeline import api
from pipeline.errors import LedgerBroken, UsageError
from pipeline.launch import first_of
from pipeline.ledger.ledger import read_run
from pipeline.lifecycle import State
from pipeline.model import JSON, Manifest
from pipeline.prepare import Choice
from pipeline.progress import Event, Moved
from tests.runner.night import HUNG_S, NAME

RENDERING: dict[str, JSON] = {"render_s": 3600}
READY: dict[str, JSON] = {"render_s": 0}


def manifest(folder: Path, sandbox: dict[str, JSON]) -> Manifest:
    """Two prompts for a sandbox with these settings."""
    path = folder / f"{NAME}.yaml"
    provider = f"{{profile: sandbox, sandbox: {{render_s: {sandbox['render_s']}}}}}"
    path.write_text(f"provider: {provider}\njobs: [{{prompt: a tug}}, {{prompt: a heron}}]\n", encoding="utf-8")
    return api.load(path)


def sandboxes_over(folder: Path) -> Iterator[int]:
    """The processes that were started for *folder*."""
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ended while we looked
            if str(folder).encode() in place.read_bytes().split(b"\0"):
                yield int(place.parent.name)


async def run_until_sandbox_is_killed(folder: Path) -> api.Outcome:
    """A run whose sandbox is killed when the second video is being rendered; all that time it renders."""
    accepted = 0

    def kill_at_second(event: Event) -> None:
        nonlocal accepted
        accepted += isinstance(event, Moved) and event.state is State.IN_FLIGHT
        if accepted == 2:
            for pid in sandboxes_over(folder / NAME / "sandbox"):
                os.kill(pid, signal.SIGKILL)

    with anyio.fail_after(HUNG_S):
        return await api.run(
            manifest(folder, RENDERING),
            Choice(outputs=folder),
            observer=kill_at_second,
            world=api.World(environment={}),
        )


@pytest.mark.anyio
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for the process in /proc")
async def test_a_run_stops_when_its_sandbox_dies_and_the_next_one_goes_on(tmp_path: Path) -> None:
    killed = await run_until_sandbox_is_killed(tmp_path)

    assert killed.stopped == "the sandbox ended: signal 9 ended it"
    assert not killed.interrupted
    assert killed.counts == {State.IN_FLIGHT: 2}

    with anyio.fail_after(HUNG_S):
        resumed = await api.run(manifest(tmp_path, READY), Choice(outputs=tmp_path), world=api.World(environment={}))

    assert (resumed.stopped, resumed.counts) == ("", {State.STORED: 2})
    assert all(job.attempt == 1 for job in resumed.state.jobs.values())


@pytest.mark.anyio
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for the process in /proc")
async def test_open_videos_of_a_sandbox_that_is_gone_are_told_before_anything_starts(tmp_path: Path) -> None:
    await run_until_sandbox_is_killed(tmp_path)
    sandbox = tmp_path / NAME / "sandbox"
    shutil.rmtree(sandbox)
    again, choice, world = manifest(tmp_path, READY), Choice(outputs=tmp_path), api.World(environment={})

    with pytest.raises(UsageError, match=r"2 videos of this run .*sandbox is gone: restore that folder, or give"):
        await api.run(again, choice, world=world)

    assert "restore that folder" in api.obstacle(again, choice, world=world)
    assert not sandbox.exists()
    assert read_run(tmp_path / NAME).counts[State.IN_FLIGHT] == 2


@pytest.mark.anyio
async def test_of_what_ended_the_lanes_a_failure_is_told_and_no_cancellation() -> None:
    caught: list[BaseException] = []
    with anyio.CancelScope() as scope:
        scope.cancel()
        try:
            await anyio.sleep(0)
        except anyio.get_cancelled_exc_class() as cancelled:
            caught.append(cancelled)
            raise
    full, broken = OSError(28, "No space left on device"), LedgerBroken("not synced")

    assert first_of(BaseExceptionGroup("lanes", [*caught, BaseExceptionGroup("inner", [*caught, full])])) is full
    assert first_of(BaseExceptionGroup("lanes", [*caught, full, broken])) is broken
    assert first_of(BaseExceptionGroup("lanes", caught)) is caught[0]
