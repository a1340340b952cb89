"""Which columns a table of jobs has, and what stands in them. Pure.

Axes, variables (`meta`) and parameters are columns under their own names, as `--where` knows them: where another column
has the name, it is `axes.NAME`, `meta.NAME` or `params.NAME`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import Any, Final

from pipeline.columns import Kind, as_kind, column_name, kind_of
from pipeline.model import JSON
from pipeline.views.rows import Row

MAPPINGS: Final = ("axes", "meta", "params")
_TAKEN_BY_READERS: Final = frozenset({"video", "videos"})
"""VideoFolder's own name for the column that `file_name` becomes, and for a list of them."""

HEAD_ROWS: Final = 100
"""At least so many JSON lines `datasets` reads before it settles on types: 10 MiB of them (folder_based_builder.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One of them."""

    name: str
    kind: Kind
    value: Callable[[Row], Any]
    """What a row has there; `None`: nothing."""


def _field(name: str, kind: Kind = Kind.TEXT, field: str = "") -> Column:
    return Column(name=name, kind=kind, value=attrgetter(field or name))


def _fact(name: str, kind: Kind = Kind.TEXT) -> Column:
    """Something that the video was found to be when it was decoded."""
    return Column(name=name, kind=kind, value=lambda row: getattr(row.media, name, None))


def _amiss(row: Row) -> str:
    return "; ".join(row.amiss)


_WISH: Final = (
    _field("model"),
    _field("seconds", Kind.NUMBER),
    _field("size"),
    _field("group"),
    _field("take", Kind.WHOLE),
    _field("source"),
    _field("link"),
    _field("reference"),
)
_FILE: Final = (
    _field("bytes", Kind.WHOLE),
    _field("sha256"),
    _field("media_seconds", Kind.NUMBER),
    _field("media_size"),
    _fact("frame_rate", Kind.NUMBER),
    _fact("codec"),
    _fact("audio"),
    _fact("decodes", Kind.FLAG),
    _fact("c2pa", Kind.FLAG),
    Column(name="amiss", kind=Kind.TEXT, value=_amiss),
    _field("orphaned", Kind.FLAG),
)
COST: Final = (_field("cost", Kind.MONEY), _field("currency"))

CAPTIONED: Final = (_field("text", field="prompt"), _field("id"), _field("key"), *_WISH, *_FILE)
"""Of a stored video, in a dataset: the caption first. What was paid, where and when is no part of it."""

INDEX: Final = (
    _field("key"),
    _field("id"),
    _field("state"),
    _field("prompt"),
    *_WISH,
    _field("path"),
    *_FILE,
    *COST,
    _field("submits", Kind.WHOLE),
    _field("provider"),
    _field("origin"),
    _field("video_id"),
    *(
        _field(f"{what}_at", Kind.TIME)
        for what in ("submitted", "accepted", "finished", "stored", "expires", "changed")
    ),
    _field("render_s", Kind.NUMBER),
    _field("reason"),
    _field("code"),
    _field("deleted_remote", Kind.FLAG),
)
"""Of any job: everything that is known of it in a few words."""


def columns_of(rows: Sequence[Row], fixed: Sequence[Column]) -> tuple[Column, ...]:
    """The *fixed* columns, and behind them one for each axis, variable and parameter that one of *rows* has."""
    return (*fixed, *_free(rows, {*_TAKEN_BY_READERS, *(column.name for column in fixed)}))


def settled(columns: Sequence[Column], parts: Sequence[Sequence[Row]]) -> tuple[Column, ...]:
    """*columns*, for files that do not tell their types, each holding one of *parts*.

    A reader guesses a type from the rows at the beginning of each, and refuses what it finds to be otherwise later on
    or in another file. So what has no value at the beginning of one of them is a text in all; what has none at all
    is left out.
    """
    return tuple(one for column in columns if (one := _settled(column, parts)) is not None)


def value_in(column: Column, row: Row) -> Any:
    """What stands there; a text is empty where there is nothing."""
    value = column.value(row)
    if column.kind is Kind.TEXT:
        return _text(value)
    return float(value) if column.kind is Kind.NUMBER and value is not None else value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _settled(column: Column, parts: Sequence[Sequence[Row]]) -> Column | None:
    if column.kind is Kind.TEXT:
        return column
    if all(_has(column, part[:HEAD_ROWS]) for part in parts):
        return column
    return replace(column, kind=Kind.TEXT) if any(_has(column, part) for part in parts) else None


def _has(column: Column, rows: Sequence[Row]) -> bool:
    return any(column.value(row) is not None for row in rows)


def _free(rows: Sequence[Row], taken: set[str]) -> Iterator[Column]:
    names = {name.casefold() for name in taken}
    for mapping in MAPPINGS:
        values: dict[str, list[JSON]] = {}
        for row in rows:
            for name, value in _inner(row, mapping).items():
                values.setdefault(name, []).append(value)
        for name, found in values.items():
            if (kind := kind_of(found)) is not None:
                own = column_name(name)
                title = f"{mapping}.{own}" if own.casefold() in names else own
                names.add(title.casefold())
                yield Column(name=title, kind=kind, value=partial(_value, mapping, name, kind))


def _value(mapping: str, name: str, kind: Kind, row: Row) -> JSON:
    return as_kind(_inner(row, mapping).get(name), kind)


def _inner(row: Row, mapping: str) -> Mapping[str, JSON]:
    inner: Mapping[str, JSON] = getattr(row, mapping)
    return inner
