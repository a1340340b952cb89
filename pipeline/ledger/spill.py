"""Where an answer goes that the ledger could not take: a file in another folder, most likely on another disk.

The run stops then; the next one, or `vidbatch resolve`, finds the file and settles what it tells of. A line counts
only for the very attempt that it names: the run's id, the job, and the key of that attempt's intent, which is random
and stands in the ledger alone.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.disk import Disk
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState
from pipeline.lifecycle import Fact, State
from pipeline.model import VIDEO_ID_CHARS_MAX

HOW = "spill"
"""How it is known, in the record that settles it."""
_FILE_BYTES_MAX = 1 << 24
_UNKNOWN = (State.SUBMITTING, State.UNCERTAIN)
"""States of a job that a spill may settle: `SUBMITTING` until a runner marks what a crash left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spilled:
    """What one POST came to."""

    run: str
    """The run's id, as the ledger's header has it."""
    folder: str
    job: str
    """The job's key."""
    id: str
    """Its readable label."""
    attempt: int
    key: str
    """The idempotency key of the attempt's intent."""
    video_id: str
    """Empty: it made nothing, or was never sent."""
    price: str | None
    at: str
    """When it was answered, in UTC."""


def spill_folders(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where a spill may lie, the best place first: the user's state folder, then that of temporary files."""
    state = environment.get("XDG_STATE_HOME") or environment.get("LOCALAPPDATA")
    home = environment.get("HOME")
    homes = [Path(state)] if state else [Path(home, ".local", "state")] if home else []
    return (*(folder / "vidbatch" for folder in homes), Path(environment.get("TMPDIR") or tempfile.gettempdir()))


def spill(row: Spilled, folders: Sequence[Path], disk: Disk) -> Path | None:
    """Add *row* to the run's spill in the first of *folders* that takes it, durably; `None`: none does."""
    line = f"\n{json.dumps(asdict(row))}\n".encode("ascii")  # on a line of its own, whatever a full disk left before
    for folder in folders:
        path = folder / _name(row.run)
        with suppress(OSError):
            disk.make_folder(folder)
            descriptor = disk.open_append(path)
            try:
                disk.write(descriptor, line)
                disk.sync(descriptor)
            finally:
                disk.close(descriptor)
            disk.sync_folder(folder)
            return path
    return None


def spilled(state: RunState, folders: Sequence[Path]) -> dict[str, Spilled]:
    """What spills know of jobs whose outcome *state* does not, by the job's key."""
    known: dict[str, Spilled] = {}
    for path in _files(state, folders):
        known |= {row.job: row for row in _rows(path) if _tells_of(row, state)}
    return known


def settle_spilled(ledger: Ledger, folders: Sequence[Path], disk: Disk) -> list[JobState]:
    """Write down, durably, what spills know of the uncertain jobs; the spills are removed then. The jobs concerned.

    What a crash left open is marked as uncertain before.
    """
    ledger.settle_crash()
    files = list(_files(ledger.state, folders))
    known = spilled(ledger.state, folders)
    for key, row in known.items():
        if row.video_id:
            ledger.record(Fact.ADOPTED, key, how=HOW, video_id=row.video_id)
        else:
            ledger.record(Fact.NOT_CREATED, key, how=HOW)
    ledger.commit_now()
    for path in files:
        if all(_is_settled(row, ledger.state) for row in _rows(path)):
            with suppress(OSError):
                disk.remove(path)
    return [ledger.state.jobs[key] for key in known]


def _name(run: str) -> str:
    return f"vidbatch-spill-{run}.jsonl"


def _files(state: RunState, folders: Sequence[Path]) -> Iterator[Path]:
    if state.header is not None:
        paths = (folder / _name(state.header.run) for folder in folders)
        yield from (path for path in paths if path.is_file() and not path.is_symlink())


def _rows(path: Path) -> Iterator[Spilled]:
    """The lines that are whole: any may have been cut off."""
    try:
        with path.open("rb") as file:
            content = file.read(_FILE_BYTES_MAX)
    except OSError:
        return
    for line in content.splitlines():
        with suppress(ValueError, TypeError, RecursionError):
            yield _row(json.loads(line))


def _row(said: Mapping[str, Any]) -> Spilled:
    """Raises `TypeError` or `ValueError` for what is none of ours."""
    row = Spilled(**said)
    if type(row.video_id) is not str or len(row.video_id) > VIDEO_ID_CHARS_MAX:
        raise ValueError("that is no id")
    return row


def _tells_of(row: Spilled, state: RunState) -> bool:
    """Whether *row* is about an attempt whose outcome nobody knows, and names no video that is another job's."""
    job = state.jobs.get(row.job)
    if job is None or job.state not in _UNKNOWN or not _is_latest(row, job):
        return False
    return not row.video_id or all(other.video_id != row.video_id for other in state.jobs.values())


def _is_latest(row: Spilled, job: JobState) -> bool:
    latest = job.attempts[-1]
    return (latest.number, latest.idempotency_key) == (row.attempt, row.key) and bool(row.key)


def _is_settled(row: Spilled, state: RunState) -> bool:
    """Whether the ledger knows what became of that attempt, or never began it."""
    job = state.jobs.get(row.job)
    if job is None or job.attempt < row.attempt:
        return not row.video_id
    return job.state not in _UNKNOWN or not _is_latest(row, job)
