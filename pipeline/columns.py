"""Tables whose columns hold one kind of value each, so that every reader finds the same type in every row. Pure.

What a person writes into axes, variables and parameters may be a number in one job and a text in the next. Arrow, and
with it Hugging Face's `datasets`, reads no file in which a column changes its type.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from pipeline.model import JSON

WHOLE_MAX = 2**63 - 1
"""A larger whole number, such as some seeds are, fits no reader's column of numbers and is kept as a text."""

_VIDEO_COLUMNS = ("file_name", "file_names")


class Kind(StrEnum):
    """What all values of a column are."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    FLAG = "yes or no"
    MONEY = "money"
    TIME = "time"


def kind_of(values: Iterable[JSON]) -> Kind | None:
    """The narrowest kind that can say all *values*; `None` where there is none to say."""
    kinds = {_kind(value) for value in values if value is not None}
    if kinds == {Kind.WHOLE, Kind.NUMBER}:
        return Kind.NUMBER
    if len(kinds) > 1:
        return Kind.TEXT
    return next(iter(kinds), None)


def as_kind(value: JSON, kind: Kind | None) -> JSON:
    """*value* as one of *kind*, which can say it. A text of something else is its JSON."""
    if value is None or kind is None:
        return None
    if kind is Kind.TEXT:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return float(value) if kind is Kind.NUMBER and isinstance(value, int) else value


def column_name(name: str) -> str:
    """*name*, with a `_` behind it where a VideoFolder would take its values for names of videos.

    (Those are `file_name`, `file_names` and whatever ends in `_file_name` or `_file_names`, at any depth: `datasets`,
    folder_based_builder.py.)
    """
    return f"{name}_" if name in _VIDEO_COLUMNS or name.endswith(tuple(f"_{end}" for end in _VIDEO_COLUMNS)) else name


def alike(rows: Iterable[Mapping[str, JSON]], mappings: Sequence[str]) -> list[dict[str, JSON]]:
    """*rows*, with the values below each of *mappings* of one kind wherever they have one name."""
    found = [dict(row) for row in rows]
    for mapping in mappings:
        inner = [value if isinstance(value := row.get(mapping), dict) else {} for row in found]
        kinds = {name: kind_of(one.get(name) for one in inner) for name in {name for one in inner for name in one}}
        for row, one in zip(found, inner, strict=True):
            row[mapping] = {column_name(name): as_kind(value, kinds[name]) for name, value in one.items()}
    return found


def _kind(value: JSON) -> Kind:
    if isinstance(value, bool):
        return Kind.FLAG
    if isinstance(value, int):
        return Kind.WHOLE if abs(value) <= WHOLE_MAX else Kind.TEXT
    return Kind.NUMBER if isinstance(value, float) else Kind.TEXT
