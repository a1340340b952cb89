"""The data rows that are at fault, as a table: where each stands and why, then its own columns as written. Pure.

The reasons come from a witness of the reading, not from the issues that are told: of many alike only some are.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Final, TypeAlias

from pipeline.manifest.batch import fields_of, is_request
from pipeline.manifest.columns import delimiter_of
from pipeline.manifest.fields import MAPPING_FIELDS
from pipeline.manifest.read_csv import header_start, records
from pipeline.manifest.source import Source
from pipeline.model import JSON

OWN_COLUMNS: Final = ("line", "reason")
"""What stands before a row's own columns; without these two the table is a manifest again."""

_CSV: Final = (".csv", ".tsv")
_JSONL: Final = (".jsonl", ".ndjson")

_SWALLOWED: Final = "this line is a part of the cell whose quote opens on line {line}"

_Reasons: TypeAlias = Mapping[int, Sequence[str]]
"""By the offset of what is wrong."""
_Column: TypeAlias = tuple[str, int]
"""A column's name, and the how manyth of this name it is."""
_Cells: TypeAlias = Mapping[_Column, str]
_Record: TypeAlias = tuple[int, _Cells, Sequence[tuple[int, _Cells]]]
"""Where a row begins, its cells, and the lines below that its quotes swallowed, each as a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    source: Source
    start: int
    reasons: Sequence[str]
    cells: _Cells


@dataclass(slots=True)
class Rejects:
    """Listens to the reading of manifests and remembers what was wrong in files of data."""

    _reasons: dict[Source, dict[int, list[str]]] = field(default_factory=dict)

    def witness(self, source: Source, offset: int, label: str, message: str) -> None:
        """Take note of an issue."""
        if source.name.lower().endswith((*_CSV, *_JSONL)):
            found = self._reasons.setdefault(source, {}).setdefault(offset, [])
            found.append(f"{label}: {message}" if label else message)

    def table(self) -> tuple[str, int]:
        """All rejected rows as CSV, in the order of reading, and how many there are."""
        rows = [row for source, reasons in self._reasons.items() for row in _rejected(source, reasons)]
        columns = dict.fromkeys(column for row in rows for column in row.cells)
        many = len({row.source for row in rows}) > 1
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*OWN_COLUMNS, *(name for name, _ in columns)])
        for row in rows:
            line = row.source.position(row.start).line
            place = f"{row.source.name}:{line}" if many else line
            writer.writerow([place, "; ".join(row.reasons), *(row.cells.get(column, "") for column in columns)])
        return text.getvalue(), len(rows)


def _rejected(source: Source, reasons: _Reasons) -> Iterator[_Row]:
    """The rows of *source* in which one of *reasons* lies."""
    rows = _csv_rows(source) if source.name.lower().endswith(_CSV) else _lines(source.text)
    offsets = sorted(reasons, reverse=True)
    before: _Record | None = None
    for row in chain(rows, [(len(source.text) + 1, {}, ())]):
        found: list[str] = []
        while offsets and offsets[-1] < row[0]:
            found += reasons[offsets.pop()]
        if found and before is not None:
            start, cells, swallowed = before
            yield _Row(source=source, start=start, reasons=found, cells=cells)
            reason = _SWALLOWED.format(line=source.position(start).line)
            yield from (_Row(source=source, start=at, reasons=[reason], cells=below) for at, below in swallowed)
        before = row


def _csv_rows(source: Source) -> Iterator[_Record]:
    """The rows of a CSV; cells beyond the header's have no name."""
    first = header_start(source.text)
    delimiter = delimiter_of(source.line_around(first))
    columns: Sequence[_Column] = ()
    for (start, row), (end, _) in pairwise(chain(records(source.text, delimiter), [(len(source.text), ())])):
        if not columns:
            columns = _numbered([] if isinstance(row, csv.Error) else row)
        elif isinstance(row, csv.Error):
            (first, cells), *below = [
                (at, _named(columns, _leniently(source, at, delimiter))) for at in _line_starts(source.text, start, end)
            ]
            yield first, cells, below
        else:
            yield start, _named(columns, row), ()


def _named(columns: Sequence[_Column], cells: Sequence[str]) -> _Cells:
    more = [("", n) for n in range(len(cells) - len(columns))]
    return dict(zip((*columns, *more), [*cells, *[""] * (len(columns) - len(cells))], strict=True))


def _line_starts(text: str, start: int, end: int) -> Iterator[int]:
    """Where the lines from *start* to *end* begin, but for empty ones."""
    for line in io.StringIO(text[start:end], newline=""):
        if line.strip():
            yield start
        start += len(line)


def _numbered(names: Iterable[str]) -> Sequence[_Column]:
    seen: Counter[str] = Counter()
    columns = []
    for name in names:
        columns.append((name, seen[name]))
        seen[name] += 1
    return columns


def _leniently(source: Source, start: int, delimiter: str) -> Sequence[str]:
    """The cells of a row whose quotes make no sense, as far as its first line goes."""
    return next(csv.reader([source.line_around(start)], delimiter=delimiter), [])


def _lines(text: str) -> Iterator[_Record]:
    """The lines, with their names and values; of one that is no JSON object nobody knows those.

    A request of an OpenAI batch has the names that it has as an entry: a CSV cannot be one.
    """
    start = 0
    for line in text.split("\n"):
        if line.strip():
            yield start, dict(_pairs(line)), ()
        start += len(line) + 1


def _pairs(line: str) -> Iterator[tuple[_Column, str]]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict) and is_request(value) and isinstance(value.get("body"), dict):
        value = fields_of(value)
    for name, part in value.items() if isinstance(value, dict) else ():
        if name in MAPPING_FIELDS and isinstance(part, dict):
            yield from (((f"{name}.{below}", 0), _cell(inner)) for below, inner in part.items())
        else:
            yield (name, 0), _cell(part)


def _cell(value: JSON) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
