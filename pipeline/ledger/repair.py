"""Looking a ledger over, and putting a damaged one right. The damaged file is kept as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from pipeline.disk import DISK, Disk
from pipeline.errors import LedgerBroken, LedgerDamaged, UsageError
from pipeline.ledger.ledger import utc_now
from pipeline.ledger.lock import hold
from pipeline.ledger.mend import Findings, Mended, find, mend
from pipeline.ledger.place import ledger_of, set_aside
from pipeline.ledger.records import UnknownFormat, encode
from pipeline.ledger.replay import JobState, RunState
from pipeline.ledger.scan import Extent, lines_of, replay
from pipeline.lifecycle import State
from pipeline.memory import garbage_left_alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A sound ledger, and how far it reaches."""

    path: Path
    state: RunState
    extent: Extent


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What a repair did."""

    path: Path
    kept: int
    lost: int
    aside: Path | None
    """The damaged file; `None` where there was nothing to repair."""
    doubted: tuple[JobState, ...] = ()
    """The jobs that are uncertain now, in plan order."""


def verify(run: Path) -> Verified:
    """Read the whole ledger of *run*; changes nothing. Raises `LedgerDamaged`, and `UsageError` where there is none."""
    path = ledger_of(run)
    try:
        state, extent = replay(path)
    except OSError as error:
        raise UsageError(f"{path}: the ledger cannot be read: {error}") from error
    return Verified(path=path, state=state, extent=extent)


def repair(
    run: Path,
    *,
    now: Callable[[], datetime] = utc_now,
    disk: Disk = DISK,
    new_id: Callable[[], str] = lambda: uuid4().hex,
) -> Repair:
    """Put the ledger of *run* right, under its lock. A sound one is left as it is.

    Raises `LedgerBusy`, `LedgerBroken`, and `UsageError` where there is no ledger, or one of a later version.
    """
    path = ledger_of(run)
    lock = hold(path, at=now(), disk=disk)
    try:
        return Repair(path=path, kept=verify(path).state.records, lost=0, aside=None)
    except LedgerDamaged:
        return _replace(path, now(), disk, new_id())
    finally:
        lock.release()


def _replace(path: Path, at: datetime, disk: Disk, run: str) -> Repair:
    try:
        return _rewrite(path, at, disk, run)
    except UnknownFormat as error:
        raise UsageError(f"{path}: {error}") from None
    except OSError as error:
        raise LedgerBroken(f"{path}: the ledger could not be repaired, and is as it was: {error}") from error


def _rewrite(path: Path, at: datetime, disk: Disk, run: str) -> Repair:
    with path.open("rb") as file, garbage_left_alone():
        findings = find(lines_of(file))
    mended = mend(findings, at=at, run=run)
    aside = set_aside(path, "damaged", at, ".jsonl")
    disk.write_whole(aside, path.read_bytes())
    disk.write_whole(path, b"".join(encode(r.n, r.type, r.at, r.fields) for r in mended.records))
    return _report(path, findings, mended, aside)


def _report(path: Path, findings: Findings, mended: Mended, aside: Path) -> Repair:
    doubted = (mended.state.jobs[key] for key in mended.state.jobs if key in mended.doubted)
    return Repair(
        path=path,
        kept=len(findings.records),
        lost=findings.lost,
        aside=aside,
        doubted=tuple(job for job in doubted if job.state is State.UNCERTAIN),
    )
