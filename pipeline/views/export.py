"""The jobs of a run in the formats of others: a file from its ledger alone, or a folder with its videos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.ledger.claims import first_of
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState
from pipeline.lifecycle import State
from pipeline.views import export_batch
from pipeline.views.dataset.columns import INDEX, columns_of
from pipeline.views.dataset.draft import Draft
from pipeline.views.dataset.samples import parts_of
from pipeline.views.dataset.shape import Shape, Source
from pipeline.views.dataset.tables import CSV, JSONL, PARQUET, WRITERS
from pipeline.views.dataset.videofolder import make_videofolder
from pipeline.views.dataset.webdataset import make_webdataset
from pipeline.views.formats import FORMATS
from pipeline.views.rows import Row, row_of, rows_of
from pipeline.views.where import Condition, chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What of a run a file format can say."""

    jobs: Sequence[JobState]
    """In the order in which they were first planned; takes of one wish in their own."""
    left_out: Mapping[str, Sequence[str]]
    """By reason, the ids of those that it cannot say, each once: an edited manifest gives an id again."""
    parts: Callable[[], Iterator[bytes]]
    """Makes the bytes of the file, piece by piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat:
    """A way to write jobs into one file."""

    of: Callable[[RunState, Sequence[Row]], Export]


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFormat:
    """A way to make a dataset of stored videos."""

    make: Callable[[Draft, Source, Shape], list[str]]
    """Writes it, and returns what a person should know. Raises `Spoilt` and `MissingExtra`."""
    options: frozenset[str]
    """What of a `Shape` has a meaning in it, by the name of the option."""


def export(state: RunState, name: str, states: Collection[State] = (), conditions: Sequence[Condition] = ()) -> Export:
    """The jobs of a run that are chosen, in the file format called *name*. Raises `UsageError`."""
    return FILES[name].of(state, choose(state, states, conditions))


def choose(state: RunState, states: Collection[State] = (), conditions: Sequence[Condition] = ()) -> list[Row]:
    """The jobs in one of *states* (none named: in any) of which all *conditions* hold. Raises `UsageError`."""
    return [row for row in chosen(rows_of(state), conditions) if not states or row.state in states]


def without_video(rows: Sequence[Row]) -> dict[str, int]:
    """How many of *rows* have no stored video, by their state."""
    return dict(Counter(str(row.state) for row in rows if row.state is not State.STORED))


def source_of(state: RunState, run: Path, rows: Sequence[Row], shape: Shape) -> Source:
    """The stored videos among *rows*, split as *shape* says, as a dataset of the folder *run*. Raises `UsageError`."""
    header = state.header
    stored = [row for row in rows if row.state is State.STORED]
    return Source(
        run=run,
        name=header.name if header else run.name,
        provider=header.provider if header else "",
        parts=tuple(parts_of(shape.splits.parts(stored, _firsts(state, stored)))),
    )


def _firsts(state: RunState, rows: Sequence[Row]) -> dict[str, Row]:
    """By the key of each of *rows* that builds on another, the row of the job that its chain begins with."""
    found = {row.key: first_of(state.jobs[row.key], state) for row in rows if row.source}
    return {key: row_of(first, state) for key, first in found.items()}


def _batch(state: RunState, rows: Sequence[Row]) -> Export:
    jobs, left_out = export_batch.sayable([state.jobs[row.key] for row in rows])
    return Export(
        jobs=jobs,
        left_out={why: list(dict.fromkeys(ids)) for why, ids in left_out.items()},
        parts=lambda: export_batch.batch_lines(jobs),
    )


def _table(form: str) -> Callable[[RunState, Sequence[Row]], Export]:
    def of(state: RunState, rows: Sequence[Row]) -> Export:
        jobs = [state.jobs[row.key] for row in rows]
        return Export(jobs=jobs, left_out={}, parts=lambda: iter([WRITERS[form](columns_of(rows, INDEX), rows)]))

    return of


FILES: Final[Mapping[str, FileFormat]] = {
    "openai-batch": FileFormat(of=_batch),
    **{form: FileFormat(of=_table(form)) for form in (PARQUET, CSV, JSONL)},
}
FOLDERS: Final[Mapping[str, FolderFormat]] = {
    "videofolder": FolderFormat(
        make=make_videofolder,
        options=frozenset({"link", "check"}),
    ),
    "webdataset": FolderFormat(
        make=make_webdataset,
        options=frozenset({"shard_mb"}),
    ),
}
if FORMATS.keys() != FILES.keys() | FOLDERS.keys():
    raise AssertionError("a format is told of and cannot be made, or the other way round")
