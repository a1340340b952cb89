"""The rows of a run as one flat table: CSV for programs, and lines of a terminal for people. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Final

from pipeline.text import cells, duration, fit, money, plain
from pipeline.views.rows import Row
from pipeline.views.where import OF_MEDIA, text_of, value_of

_PLAIN: Final = tuple(
    name
    for field in fields(Row)
    if "Mapping" not in str(field.type)
    for name in (OF_MEDIA if field.name == "media" else (field.name,))
)
_MAPPINGS: Final = tuple(field.name for field in fields(Row) if "Mapping" in str(field.type))
_COMPUTED: Final = ("render_s",)
_HEADS: Final = ("ID", "STATE", "COST", "VIDEO", "AGE", "PATH OR REASON")
_RIGHT: Final = frozenset({"COST", "AGE"})
_GAP: Final = "  "
_LAST_MIN: Final = 24
_NARROWEST: Final = 12
_FLEXIBLE: Final = (3, 0)
"""The columns that give way to the last one: first the provider's ids, then ours."""


def csv_lines(rows: Sequence[Row]) -> Iterator[str]:
    """*rows* as CSV (RFC 4180), a header first: what a row holds, then a column for each name in its mappings.

    Texts stay as they are, also those that a spreadsheet takes for formulas: what is read back has to be what was
    asked for. Times are ISO 8601 in UTC, lists and objects JSON, and what is not known is empty.
    """
    names = {m: sorted({name for row in rows for name in getattr(row, m)}) for m in _MAPPINGS}
    inner = [(m, name) for m in _MAPPINGS for name in names[m]]
    yield _line([*_PLAIN, *_COMPUTED, *(f"{m}.{name}" for m, name in inner)])
    for row in rows:
        own = (text_of(value_of(row, name)) for name in (*_PLAIN, *_COMPUTED))
        yield _line([*own, *(text_of(getattr(row, m).get(name)) for m, name in inner)])


def _line(cells_: Sequence[str]) -> str:
    file = io.StringIO(newline="")
    csv.writer(file).writerow(cells_)
    return file.getvalue()


def table_lines(rows: Sequence[Row], *, now: datetime, width: int | None) -> Iterator[str]:
    """*rows* with a headline, one a line, each at most *width* columns wide (`None`: as wide as it is)."""
    table = [_HEADS, *(_cells(row, now) for row in rows)]
    widths = _widths(table, width)
    for line in table:
        shown = (_placed(text, width, head) for text, width, head in zip(line, widths, _HEADS, strict=True))
        yield _GAP.join(shown).rstrip()


def _cells(row: Row, now: datetime) -> tuple[str, ...]:
    cost = "" if not row.submits else "not known" if row.cost is None else money(row.cost, row.currency)
    age = "" if row.changed_at is None else duration((now - row.changed_at).total_seconds())
    return plain(row.id), str(row.state), cost, plain(row.video_id), age, plain(row.path or row.reason)


def _widths(table: Sequence[Sequence[str]], width: int | None) -> list[int]:
    """How wide each column is: as wide as its widest cell, or as much narrower as has to be."""
    widths = [max(map(cells, column)) for column in zip(*table, strict=True)]
    if width is None:
        return widths
    room = width - len(_GAP) * (len(widths) - 1)
    wanted = min(widths[-1], _LAST_MIN)
    for n in _FLEXIBLE:
        over = sum(widths[:-1]) + wanted - room
        widths[n] -= max(0, min(over, widths[n] - _NARROWEST))
    widths[-1] = min(widths[-1], max(room - sum(widths[:-1]), 1))
    return widths


def _placed(text: str, width: int, head: str) -> str:
    shown = text if cells(text) <= width else f"{fit(text, width - 1)}…"
    space = " " * (width - cells(shown))
    return f"{space}{shown}" if head in _RIGHT else f"{shown}{space}"
