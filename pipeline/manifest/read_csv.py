"""CSV: a header, then one entry a row. Places of cells are found by reading a row again, when one is needed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.manifest.columns import Column, columns_of, delimiter_of, has_prompt, no_prompt
from pipeline.manifest.document import Entry, Findings, Path, Unreadable, dotted
from pipeline.manifest.read_yaml import NAMES_MAX
from pipeline.manifest.source import Source
from pipeline.model import JSON, NOTHING

_SHORT = 64
"""Cells up to this length are kept once, with their value: settings and categories repeat."""
_KEPT_MAX = 10_000


class RowsDocument:
    """A CSV file as a manifest."""

    literal = True

    def __init__(
        self, source: Source, findings: Findings, entry_schema: Mapping[str, Any], *, alone: bool = True
    ) -> None:
        self._source = source
        self._findings = findings
        self._starts: list[int] = []
        self.frame: JSON = {"jobs": [None]}
        self._header_start = header_start(source.text)
        self._delimiter = delimiter_of(source.line_around(self._header_start))
        self._records = records(source.text, self._delimiter)
        self._columns = self._header(entry_schema["properties"])
        self.names = frozenset(column.name for column in self._columns if column.name)
        if alone and not has_prompt(self._columns):
            findings.at(self._header_start, "missing-prompt", no_prompt(self._columns))
            findings.settle("missing-prompt")

    def first_row(self, name: str) -> int:  # noqa: ARG002 - a name stands in the header
        return 0

    def entries(self) -> Iterator[Entry]:
        """The entries, typed. A row of the wrong length becomes an issue; blank rows are nothing."""
        kept: list[dict[str, JSON]] = [{} for _ in self._columns]
        wanted, known = len(self._columns), len(self._findings)
        path: Path
        for start, row in self._rows():
            if not any(row):
                continue
            path = ("jobs", len(self._starts))
            self._starts.append(start)
            if len(row) == wanted:
                yield self._entry(path, row, kept)
                continue
            self._report_length(start, row)
            if len(row) < wanted:  # beyond, nobody knows which cell is too much
                yield self._entry(path, [*row, *[""] * (wanted - len(row))], kept)
        if not self._starts and len(self._findings) == known:
            self._findings.at(0, "no-rows", "there is a header but no row below it; a manifest needs at least one job")

    def offset(self, path: Path, *, key: bool = False) -> int:
        """Where a cell begins (a key: the header of its column), or the row where it is about all of it."""
        if len(path) < 2 or not isinstance(path[1], int):
            return 0
        if len(path) == 2:
            return self._starts[path[1]]
        number = self._number(path[2:])
        start = self._header_start if key and number is not None else self._starts[path[1]]
        return start if number is None else _cell(self._source.text, start, self._delimiter, number)

    def extent(self, path: Path) -> tuple[int, int]:
        return self.offset(path), self.offset(path)

    def label(self, path: Path) -> str:
        return dotted(path[2:])

    def text(self, path: Path) -> str | None:  # noqa: ARG002 - no data row holds a field that is read as text
        return None

    def _header(self, fields: Mapping[str, Any]) -> list[Column]:
        _, headers = next(record for record in self._records if record[1])
        if isinstance(headers, csv.Error):
            self._refuse(self._header_start, headers)
            raise Unreadable
        if len(headers) > NAMES_MAX:
            place = _cell(self._source.text, self._header_start, self._delimiter, NAMES_MAX)
            self._findings.at(place, "too-many", f"{len(headers):,} columns; {NAMES_MAX:,} is the most")
            raise Unreadable
        columns, faults = columns_of(headers, fields)
        for fault in faults:
            place = _cell(self._source.text, self._header_start, self._delimiter, fault.number)
            self._findings.at(place, fault.code, fault.message, label=fault.label)
        return columns

    def _rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        for start, row in self._records:
            if not isinstance(row, csv.Error):
                yield start, row
            elif not self._refuse(start, row):
                return

    def _entry(self, path: Path, row: Sequence[str], kept: Sequence[dict[str, JSON]]) -> Entry:
        fields: dict[str, JSON] = {}
        columns: dict[str, JSON] = {}
        for column, cell, values in zip(self._columns, row, kept, strict=True):
            if not cell:
                continue
            value = cell if column.differs else values.get(cell, values)
            if value is values:
                value = column.value(cell)
                if len(cell) <= _SHORT and len(values) < _KEPT_MAX:
                    values[cell] = value
            if column.part:
                part = fields.setdefault(column.field, {})
                assert isinstance(part, dict), "params and meta are never whole columns"
                part[column.part] = value
            elif column.field:
                fields[column.field] = value
            elif column.name:
                columns[column.name] = value
            elif not column.idle:
                self._report_nameless(path, row)
        return Entry(path=path, fields=fields, columns=columns or NOTHING)

    def _report_length(self, start: int, row: Sequence[str]) -> None:
        wanted, found = len(self._columns), len(row)
        if found > wanted:
            place = _cell(self._source.text, start, self._delimiter, wanted)
            hint = "put a cell that holds the delimiter into double quotes"
            self._findings.at(place, "extra-cell", f"cells in this row: {found}, in the header: {wanted}; {hint}")
        else:
            message = f"cells in this row: {found}, in the header: {wanted}; leave a cell empty to take the default"
            self._findings.at(start, "missing-cell", message)

    def _report_nameless(self, path: Path, row: Sequence[str]) -> None:
        start = self.offset(path)
        for number, (column, cell) in enumerate(zip(self._columns, row, strict=True)):
            if cell and not (column.name or column.idle):
                place = _cell(self._source.text, start, self._delimiter, number)
                self._findings.at(
                    place, "extra-cell", "this column has no name; write one into the header, or empty the cell"
                )

    def _refuse(self, start: int, error: csv.Error) -> bool:
        """Report what is wrong with the row at *start*; whether the rows below it can be read all the same."""
        said = str(error)
        if "unexpected end of data" in said:
            place = _open_quote(self._source.text, start, self._delimiter)
            self._findings.at(place, "unclosed-quote", "the quote that opens this cell is never closed")
        elif "field larger" in said:
            self._findings.at(start, "too-long", "a cell of this row is longer than 131,072 characters")
        else:
            self._report_stray(*_stray(self._source.text, start, self._delimiter))
            return True
        return False

    def _report_stray(self, opened: int, ended: int) -> None:
        first, last = self._source.position(opened).line, self._source.position(ended).line
        if first == last:
            message = "a quoted cell ends here but its text goes on; write a quote inside quotes twice"
            self._findings.at(ended, "stray-quote", message)
        else:
            message = (
                f"the quote that opens this cell is closed on line {last}, where more text follows; was it meant to"
            )
            self._findings.at(opened, "unclosed-quote", f"{message} be closed before?")

    def _number(self, path: Path) -> int | None:
        """The column that sets *path*; `None` where none does."""
        if not path:
            return None
        for number, column in enumerate(self._columns):
            target = (column.field, column.part) if column.part else (column.field or column.name,)
            if target == path[: len(target)]:
                return number
        return None


def read_csv(
    source: Source, findings: Findings, entry_schema: Mapping[str, Any], *, alone: bool = True
) -> RowsDocument:
    """The document in *source*. Raises `Unreadable` where its header cannot be used.

    Not *alone*, the rows stand below an entry that may say what they do not: their prompt, above all.
    """
    if not source.text.strip():
        findings.at(0, "empty-file", "the file is empty; the first line names the columns, 'prompt' among them")
        raise Unreadable
    return RowsDocument(source, findings, entry_schema, alone=alone)


def header_start(text: str) -> int:
    """Where the first line stands that is not empty."""
    return len(text) - len(text.lstrip("\r\n"))


def records(text: str, delimiter: str) -> Iterator[tuple[int, Sequence[str] | csv.Error]]:
    """Every record with the place where it begins; an error for one that is none, after which reading goes on."""
    unread = 0

    def lines() -> Iterator[str]:
        nonlocal unread
        for line in io.StringIO(text, newline=""):
            unread += len(line)
            yield line

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    while True:
        start = unread
        try:
            yield start, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield start, error


def _cells(text: str, start: int, delimiter: str) -> Iterator[tuple[int, int, bool]]:
    """The cells of the record at *start*: where each begins and ends, and whether its quote was closed."""
    at, length = start, len(text)
    while True:
        begin, closed = at, True
        if at < length and text[at] == '"':
            at, closed = _after_quoted(text, at)
        while at < length and text[at] not in f"{delimiter}\r\n":
            at += 1
        yield begin, at, closed
        if at >= length or text[at] != delimiter:
            return
        at += 1


def _after_quoted(text: str, at: int) -> tuple[int, bool]:
    """The offset after the quoted text that opens at *at*, and whether it is closed."""
    while True:
        at = text.find('"', at + 1)
        if at < 0:
            return len(text), False
        if text[at + 1 : at + 2] != '"':
            return at + 1, True
        at += 1


def _cell(text: str, start: int, delimiter: str, number: int) -> int:
    """Where cell *number* of the record at *start* begins."""
    begin = start
    for n, (begin, _, _) in enumerate(_cells(text, start, delimiter)):  # noqa: B007 - the last one stays, by intent
        if n == number:
            break
    return begin


def _open_quote(text: str, start: int, delimiter: str) -> int:
    return next((begin for begin, _, closed in _cells(text, start, delimiter) if not closed), start)


def _stray(text: str, start: int, delimiter: str) -> tuple[int, int]:
    """Where a cell opens whose text goes on behind its closing quote, and where that is, in the record at *start*."""
    for begin, end, _ in _cells(text, start, delimiter):
        if text[begin : begin + 1] == '"':
            after = _after_quoted(text, begin)[0]
            if after < end:
                return begin, after
    return start, start
