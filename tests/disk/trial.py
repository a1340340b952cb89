"""One run on a disk that fails, one more on a good disk, and what must be true of the two."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.cli.errors import explain, leaves
from pipeline.cli.summary import exit_code
from pipeline.disk import DISK
from pipeline.errors import PipelineError
from pipeline.ledger.ledger import read_run
from pipeline.lifecycle import State
from pipeline.progress import Event, Notice
from tests.disk.faulty import FaultyDisk
from tests.runner.gateway import Gateway, serving
from tests.runner.night import NAME, Night, jobs

DOCUMENTED = {0, 3, 130}
"""How a run may end whose disk fails: all is stored all the same, stopped early, or a person stopped it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of it."""

    code: int
    """The exit code of the run on the failing disk."""
    failed: str
    """The operation that failed first; empty: the run had fewer operations."""
    wrong: tuple[str, ...]
    """What should not be."""


async def attempt(film: bytes, outputs: Path, at: int, kind: int, *, stays: bool, count: int) -> Trial:
    """Let the *at*-th operation of a run of *count* jobs fail; then run again on a good disk."""
    gateway, wanted = Gateway(film), jobs(count)
    disk = FaultyDisk(outputs / NAME, at, kind, stays=stays)
    async with serving(gateway) as base_url:
        night = Night(gateway=gateway, base_url=base_url, outputs=outputs, disk=disk)
        code = await _run(night, count)
        wrong = list(_after_the_fault(night, disk, code, count))
        night.disk = DISK
        again = await night.run(wanted)
        wrong += _after_the_cure(night, exit_code(again.counts, bool(again.stopped), again.interrupted), count)
    return Trial(code=code, failed=disk.failed, wrong=tuple(wrong))


async def _run(night: Night, count: int) -> int:
    """The exit code. A person who reads that no download can be written does not wait for room, but interrupts."""

    def impatient(event: Event) -> None:
        if isinstance(event, Notice) and event.lane == "collect" and "the disk fails" in event.message:
            night.boards[-1].interrupt()

    stays = isinstance(night.disk, FaultyDisk) and night.disk.stays
    try:
        outcome = await night.run(jobs(count), observer=impatient if stays else None)
    except BaseException as error:
        if not all(isinstance(leaf, PipelineError | OSError) for leaf in leaves(error)):
            raise
        return explain(error, ())
    return exit_code(outcome.counts, bool(outcome.stopped), outcome.interrupted)


def _after_the_fault(night: Night, disk: FaultyDisk, code: int, count: int) -> Iterator[str]:
    ledger = night.folder / "ledger.jsonl"
    there = read_run(night.folder).jobs.values() if ledger.exists() else ()
    stored = sum(job.state is State.STORED for job in there)
    if code not in DOCUMENTED or (code == 0 and stored < count):
        yield f"it ended with exit code {code}, {stored} of {count} stored"
    if lost := night.gateway.book.keys() - {job.video_id for job in there} - set(_kept_elsewhere(night.outputs)):
        yield f"accepted, and no longer known: {sorted(lost)}"
    if disk.synced_after_failure:
        yield "a failed sync was tried again"


def _after_the_cure(night: Night, code: int, count: int) -> Iterator[str]:
    states = Counter(job.state for job in night.state.jobs.values())
    if states != {State.STORED: count} or code != 0:
        yield f"the next run ended with exit code {code} and {dict(states)}"
    if twice := [prompt for prompt, times in Counter(night.gateway.prompts_sold).items() if times > 1]:
        yield f"paid twice: {twice}"
    wrong = [job.path for job in night.state.jobs.values() if not _is_film(night, job.path)]
    if wrong:
        yield f"not as delivered: {wrong}"
    if left := [path.name for path in night.folder.rglob("*") if path.suffix in (".part", ".reserve", ".etag")]:
        yield f"left behind: {left}"
    if list(_kept_elsewhere(night.outputs)):
        yield "the spill is still there"


def _is_film(night: Night, path: str) -> bool:
    file = night.folder / "videos" / path
    return file.is_file() and file.read_bytes() == night.gateway.film


def _kept_elsewhere(outputs: Path) -> Iterator[str]:
    """The ids in the spill."""
    for path in outputs.glob("state/vidbatch/*.jsonl"):
        yield from (json.loads(line)["video_id"] for line in path.read_text("ascii").splitlines() if line)
