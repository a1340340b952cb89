"""A record and its line: what may be written, how it becomes bytes, and when bytes are one again.

A line is one JSON object in ASCII, `{"n":12,"t":"accepted","at":"…",…,"crc":"8a3f11c0"}`. The sum is the CRC-32 of
all that stands before `,"crc":`, compared as written: the enemy is tearing, not tampering.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias
from zlib import crc32

from pipeline.ledger.fields import FIELDS, FORMATS, HEADER, Field
from pipeline.model import JSON

LINE_BYTES_MAX = 1 << 20
_SUFFIX_LENGTH = len(',"crc":"8a3f11c0"}\n')
_FRAME = ("n", "t", "at")
_BRACKETS_MAX = 64
"""In a raw answer; bounds its depth."""

Value: TypeAlias = "JSON | Mapping[str, JSON] | Decimal | datetime"
"""What a field may be given as; money and times become numbers and text on the way in."""


class BadRecord(ValueError):
    """A record that breaks the rules of its type; the message says which."""


class UnknownFormat(ValueError):
    """A header of another vidbatch than this one can read, a later one most likely."""


class Record(NamedTuple):
    """A fact as stored. (A tuple and not a dataclass: replay makes one for every line.)"""

    n: int
    type: str
    at: datetime
    fields: Mapping[str, Any]
    """By the table of the type, checked; numbers of money still as JSON has them."""


def encode(n: int, kind: str, at: datetime, fields: Mapping[str, JSON]) -> bytes:
    """The line of a record, newline and all. Raises `BadRecord` for more than 1 MiB, or for what is no JSON."""
    whole = {"n": n, "t": kind, "at": stamp(at), **fields}
    try:
        body = _ENCODER.encode(whole)[:-1].encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise BadRecord(f"'{kind}' cannot be written: {error}") from error
    if len(body) + _SUFFIX_LENGTH > LINE_BYTES_MAX:
        raise BadRecord(f"'{kind}' would be {len(body):,} bytes long; {LINE_BYTES_MAX:,} is the most for a record")
    return b'%b,"crc":"%08x"}\n' % (body, crc32(body))


def is_whole(line: bytes) -> bool:
    """Whether *line*, with its newline, has its own sum at its end: it is as it was written."""
    body = line[:-_SUFFIX_LENGTH]
    return line[-_SUFFIX_LENGTH:] == b',"crc":"%08x"}\n' % crc32(body) and len(line) <= LINE_BYTES_MAX


def decode(line: bytes) -> Record:
    """The record in a line that `is_whole`. Raises `BadRecord`, and `UnknownFormat` for a header of one."""
    try:
        text = str(line[:-_SUFFIX_LENGTH], "ascii") + "}"
        fields, end = _DECODER.raw_decode(text)
        if end != len(text):
            raise BadRecord("more than one value")
        record = Record(fields.pop("n"), fields.pop("t"), moment(fields.pop("at")), fields)
    except (KeyError, AttributeError):
        raise BadRecord("a record begins with 'n', 't' and 'at'") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise BadRecord(f"it is no record: {error}") from None
    check(record)
    return record


def check(record: Record) -> None:
    """Hold *record* against the table of its type. Raises `BadRecord` and `UnknownFormat`."""
    kind, given = record.type, record.fields
    if kind.__class__ is not str:
        raise BadRecord("'t' is no text")
    if kind == HEADER:
        _check_format(given.get("format"))
    shape = (record.n.__class__, kind, *given, *map(type, given.values()))
    if shape not in _GOOD_SHAPES:
        _check_shape(record)
        _GOOD_SHAPES.add(shape)
    for name, field in _CHOOSY.get(kind, ()):
        value = given[name]
        if field.words and value not in field.words:
            raise BadRecord(f"'{name}' of '{kind}' cannot be {_shortly(value)}")
        if field.bound is not None and len(value) > field.bound:
            raise BadRecord(f"'{name}' of '{kind}' is {len(value)} characters long, and {field.bound} is the most")


def _check_format(written: object) -> None:
    """Before the other fields of a header are looked at: in a later format they may be others."""
    if type(written) is int and written not in FORMATS:
        known = f"{FORMATS[0]} to {FORMATS[-1]}"
        raise UnknownFormat(f"its format is {written}, and this vidbatch knows {known}: use a newer one")


def _check_shape(record: Record) -> None:
    """Whether the type is one of ours, has the fields it must have and no others, each of its kind."""
    kind, given = record.type, record.fields
    if record.n.__class__ is not int:
        raise BadRecord("'n' is no whole number")
    table = FIELDS.get(kind)
    if table is None:
        raise BadRecord(f"there is no record type {_shortly(kind)}")
    for name, value in given.items():
        field = table.get(name)
        if field is None:
            raise BadRecord(f"'{kind}' has no field {_shortly(name)}")
        if value.__class__ not in field.kinds:
            raise BadRecord(f"'{name}' of '{kind}' cannot be {_shortly(value)}")
    missing = [name for name, field in table.items() if field.required and name not in given]
    if missing:
        raise BadRecord(f"'{kind}' lacks '{missing[0]}'")


def plain(kind: str, given: Mapping[str, Value]) -> dict[str, JSON]:
    """*given* as a record stores it: no `None` in optional fields, money and times as JSON, long words cut."""
    table = FIELDS[kind]
    kept: dict[str, JSON] = {}
    for name, value in given.items():
        field = table.get(name)
        if value is None:
            if field is not None and type(None) in field.kinds:
                kept[name] = None
        elif value.__class__ in _SCALARS and (field is None or field.chars_max is None):
            kept[name] = value  # type: ignore[assignment]
        else:
            kept[name] = _plain_value(value, field)
    return kept


def _plain_value(value: Value, field: Field | None) -> JSON:
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, datetime):
        return stamp(value)
    if field is not None and field.chars_max is not None:
        return shortened(value, field.chars_max)
    return dict(value) if isinstance(value, Mapping) else value


def shortened(value: JSON | Mapping[str, JSON], chars_max: int) -> JSON:
    """*value* where it is short enough, else its beginning: a provider's long words must never cost us a record.

    An object that is too long, too deep or no JSON is kept as an excerpt of its text.
    """
    if isinstance(value, str):
        return value if len(value) <= chars_max else value[: chars_max - 1] + "…"
    if not isinstance(value, Mapping):
        return value
    try:
        text = _ENCODER.encode(dict(value))
    except (TypeError, ValueError, RecursionError):
        return {"excerpt": _shortly(value, chars_max // 2)}
    if len(text) <= chars_max and text.count("[") + text.count("{") <= _BRACKETS_MAX:
        return dict(value)
    return {"excerpt": text[: chars_max // 2]}


@lru_cache(typed=True)
def number(money: Decimal) -> int | float:
    """*money* as a JSON number that reads back the same. Raises `BadRecord` for what is no amount."""
    if not money.is_finite() or money < 0:
        raise BadRecord(f"{money} is no amount of money")
    whole = money.to_integral_value()
    figure = int(whole) if whole == money else float(money)
    if amount(figure) != money:
        raise BadRecord(f"{money} has more digits than a JSON number keeps")
    return figure


@lru_cache(typed=True)
def amount(figure: float | None) -> Decimal | None:
    """The money that a JSON number stands for, to the digit as written. Raises `BadRecord`."""
    if figure is None:
        return None
    if not 0 <= figure < math.inf:
        raise BadRecord(f"{figure} is no amount of money")
    return Decimal(str(figure))


def to_the_millisecond(at: datetime) -> datetime:
    """*at* as it is read back from a record: `moment(stamp(at))`."""
    return at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000)


def stamp(at: datetime) -> str:
    """*at* in UTC to the millisecond: `2026-11-22T19:00:00.123Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def moment(text: str) -> datetime:
    """The time that `stamp` wrote. Raises `ValueError`."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is not UTC:
        raise ValueError(f"'{text[:40]}' is no time in UTC")
    return at


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadRecord("a key stands twice in one object")
    return fields


def _no_constant(word: str) -> None:
    raise BadRecord(f"{word} is no JSON")


def _shortly(value: object, chars_max: int = 40) -> str:
    try:
        text = repr(value)
    except RecursionError:
        return "something nested too deeply"
    return text if len(text) <= chars_max else text[: chars_max - 1] + "…"


_SCALARS = frozenset({str, int, float, bool})

_ENCODER = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":"))
"""Writes ASCII. (What contains itself is nested too deeply.)"""

_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)

_CHOOSY: Mapping[str, tuple[tuple[str, Field], ...]] = {
    str(kind): found
    for kind, table in FIELDS.items()
    if (found := tuple((name, field) for name, field in table.items() if field.words or field.bound is not None))
}
"""By record type: the fields (all of them required) of which not every value of the right kind will do."""

_GOOD_SHAPES: set[tuple[object, ...]] = set()
"""Types, names and kinds of values that passed `check`: there are few, and replay sees each a thousand times."""
