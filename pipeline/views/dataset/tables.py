"""Rows as JSON lines, CSV or Parquet: the same rows make the same bytes, whenever and wherever.

Nothing in a cell is altered: what a spreadsheet would take for a formula (`=`, `+`, `-`, `@`) stays as it was written.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from pipeline.columns import Kind
from pipeline.errors import MissingExtra
from pipeline.ledger.records import stamp
from pipeline.views.dataset.columns import Column, value_in
from pipeline.views.rows import Row

JSONL, CSV, PARQUET = "jsonl", "csv", "parquet"
TYPED: Final = frozenset({PARQUET})
"""The forms that tell the types of their columns; the others' are guessed by who reads them."""
MONEY_DIGITS, MONEY_PLACES = 24, 6
"""Of a decimal in Parquet; a price has 6 places at most (`manifest.scalars`)."""
_ROWS_A_GROUP = 100_000


def jsonl(columns: Sequence[Column], rows: Iterable[Row], first: Mapping[str, Sequence[str]] | None = None) -> bytes:
    """An object a line; *first*: columns of texts before the others. What is not known is null, or an empty text."""
    lines = (json.dumps(one, ensure_ascii=False) + "\n" for one in documents(columns, rows, first))
    return _utf8("".join(lines))


def documents(
    columns: Sequence[Column], rows: Iterable[Row], first: Mapping[str, Sequence[str]] | None = None
) -> Iterable[dict[str, Any]]:
    """The objects of these lines."""
    before = first or {}
    for n, row in enumerate(rows):
        named = {name: texts[n] for name, texts in before.items()}
        yield {**named, **{column.name: _sayable(value_in(column, row)) for column in columns}}


def csv_table(
    columns: Sequence[Column], rows: Iterable[Row], first: Mapping[str, Sequence[str]] | None = None
) -> bytes:
    """A header and a line a row, as RFC 4180 quotes them, but for plain line ends."""
    before, text = first or {}, io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*before, *(column.name for column in columns)])
    for n, row in enumerate(rows):
        cells = (cell_of(column, row) for column in columns)
        table.writerow([*(texts[n] for texts in before.values()), *cells])
    return _utf8(text.getvalue())


def parquet(columns: Sequence[Column], rows: Iterable[Row], first: Mapping[str, Sequence[str]] | None = None) -> bytes:
    """With the types of the columns. Raises `MissingExtra`."""
    try:
        import pyarrow as pa
        from pyarrow import parquet as pq
    except ImportError:
        raise MissingExtra("export", "writing Parquet") from None
    kinds = {
        Kind.TEXT: pa.string(),
        Kind.WHOLE: pa.int64(),
        Kind.NUMBER: pa.float64(),
        Kind.FLAG: pa.bool_(),
        Kind.MONEY: pa.decimal128(MONEY_DIGITS, MONEY_PLACES),
        Kind.TIME: pa.timestamp("ms", tz="UTC"),
    }
    rows = list(rows)
    named = {name: pa.array(texts, pa.string()) for name, texts in (first or {}).items()}
    typed = {c.name: pa.array([_storable(value_in(c, row)) for row in rows], kinds[c.kind]) for c in columns}
    sink = io.BytesIO()
    pq.write_table(
        pa.table({**named, **typed}),
        sink,
        version="2.6",
        compression="zstd",
        row_group_size=_ROWS_A_GROUP,
    )
    return sink.getvalue()


WRITERS: Final[Mapping[str, Callable[..., bytes]]] = {JSONL: jsonl, CSV: csv_table, PARQUET: parquet}
"""By the name of the form, which is its suffix, too."""


def _sayable(value: Any) -> Any:
    """*value* in JSON."""
    if isinstance(value, datetime):
        return stamp(value)
    return float(value) if isinstance(value, Decimal) else value


def cell_of(column: Column, row: Row) -> str:
    """What stands in a cell of a CSV; nothing is an empty one."""
    value = value_in(column, row)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return stamp(value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _storable(value: Any) -> Any:
    """*value* for Arrow, which takes no half of a character."""
    return _utf8(value).decode() if isinstance(value, str) else value


def _utf8(text: str) -> bytes:
    """*text* in UTF-8; half of a character, which JSON can say and UTF-8 cannot, becomes a question mark."""
    return text.encode("utf-8", "replace")
