"""The records of single jobs, as they stand in the ledger, beside what all of it adds up to."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from pipeline.disk import words_of
from pipeline.errors import UsageError
from pipeline.ledger.fields import NOTE
from pipeline.ledger.named import demand_one, of_id, of_key
from pipeline.ledger.place import ledger_of
from pipeline.ledger.records import Record, decode, is_whole
from pipeline.ledger.replay import RunState
from pipeline.ledger.scan import lines_of, replay
from pipeline.ledger.state import JobState

REPAIR = "repair"
"""What the note of a repair is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One job, and all that was ever written down about it."""

    job: JobState
    records: tuple[Record, ...]
    """In order; the notes about it are among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Histories:
    """The jobs that were asked for, of the run as it is."""

    state: RunState
    jobs: tuple[History, ...]
    repairs: tuple[Record, ...]
    """The notes of repairs: what was lost before them is told by nobody."""


def histories(run: Path, name: str) -> Histories:
    """The jobs of *run* that *name* says: an id, the first digits of a key, or the path of a video.

    Jobs that had the same id, one after the other, are all of them meant. Raises `UsageError` where none is, or where
    digits or a path may be several, and `LedgerDamaged`.
    """
    path = ledger_of(run)
    try:
        state = replay(path)[0]
        jobs = meant(state, name, run if run.is_dir() else run.parent)
        records = _records(path, {job.key for job in jobs}, upto=state.records)
    except OSError as error:
        raise UsageError(f"{path}: the ledger cannot be read: {words_of(error)}") from error
    return Histories(
        state=state,
        jobs=tuple(History(job=job, records=tuple(_about(job.key, records))) for job in jobs),
        repairs=tuple(record for record in records if _is_repair(record)),
    )


def meant(state: RunState, name: str, folder: Path) -> list[JobState]:
    """The jobs that *name* says, of a run in *folder*. Raises `UsageError`."""
    if by_id := of_id(state, name):
        return by_id
    found = of_key(state, name) or [job for job in state.jobs.values() if job.path in _below_videos(name, folder)]
    if not found:
        raise UsageError(
            f"this run has no job '{name}': give an id, the first digits of a key, or the path of its video"
        )
    demand_one(name, found)
    return found


def _below_videos(name: str, folder: Path) -> Collection[str]:
    """What *name* may be below `videos/`: as it stands, below the run folder, or from where the user is."""
    videos = folder / "videos"
    bases = (PurePath("videos"), videos, videos.absolute())
    path = PurePath(name)
    return {path.as_posix(), *(path.relative_to(base).as_posix() for base in bases if path.is_relative_to(base))}


def _records(path: Path, keys: Collection[str], *, upto: int) -> list[Record]:
    """Those about *keys*, and the notes of repairs, as far as the ledger was read before."""
    marks = [key.encode("ascii", "replace") for key in keys] + [b'"what":"repair"']
    found: list[Record] = []
    with path.open("rb") as file:
        for count, line in enumerate(lines_of(file)):
            if count >= upto:
                break
            whole = line if line.endswith(b"\n") else line + b"\n"
            if any(mark in line for mark in marks) and is_whole(whole):
                found.append(decode(whole))
    return found


def _about(key: str, records: Sequence[Record]) -> list[Record]:
    return [record for record in records if subject_of(record) == key]


def subject_of(record: Record) -> str:
    """The key of the job that *record* is about; empty where it is about none."""
    if record.type != NOTE:
        return str(record.fields.get("job", ""))
    return str(told(record).get("job", ""))


def told(record: Record) -> Mapping[str, object]:
    """What a note tells in JSON; nothing where its text is for people."""
    try:
        found = json.loads(record.fields["text"])
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_repair(record: Record) -> bool:
    return record.type == NOTE and record.fields["what"] == REPAIR
