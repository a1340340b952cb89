"""`--where`: which jobs of a run are meant. Conditions on a row's fields, all of which have to hold. Pure.

A condition is `FIELD OP VALUE`: `=` and `!=` compare with one of several values, each a glob (`state=failed,expired`,
`id=fox-*`) or a number; `~` and `!~` search for a text, in any case; `<`, `<=`, `>`, `>=` compare numbers and times
(`stored_at>2026-11-22T19:00Z`, in UTC where it says nothing else). Blanks around these parts are none of them.
Fields are those of `Row`, and those of its mappings by their own names: an axis, a column of `meta`, a parameter, in
this order (`axes.style` where one hides another). What a row does not have is an empty text, and no number.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import Any, Final, TypeAlias

from pipeline.errors import UsageError
from pipeline.ledger.media import Media
from pipeline.ledger.records import stamp
from pipeline.lifecycle import State
from pipeline.manifest.fields import did_you_mean, shown
from pipeline.views.rows import Row

_CONDITION = re.compile(r"([^=!~<>]+)(!=|!~|<=|>=|=|~|<|>)(.*)", re.DOTALL)
_MAPPINGS: Final = ("axes", "meta", "params")
OF_MEDIA: Final = {f"media.{field.name}": field.name for field in fields(Media)}
"""What a video was found to be when it was decoded."""
_FIELDS: Final = frozenset(
    {field.name for field in fields(Row)} - {*_MAPPINGS, "media"} | {"render_s", "amiss"} | OF_MEDIA.keys()
)
_FLAGS: Final = frozenset(
    {field.name for field in fields(Row) if str(field.type).startswith("bool")}
    | {f"media.{field.name}" for field in fields(Media) if str(field.type).startswith("bool")}
)
"""Fields that are true or false, or of nothing."""
_FEW: Final = 8
"""An axis of no more values can be told in a line."""
_MISWRITTEN: Final = {"=>": ">=", "=<": "<=", "==": "=", "=~": "~"}
"""Operators of others, and ours."""
_ORDERS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Value: TypeAlias = object


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One of them."""

    field: str
    op: str
    values: tuple[str, ...]
    option: str = "--where"
    """Where it was written."""

    def holds(self, row: Row) -> bool:
        """Whether it is true of *row*."""
        value = value_of(row, self.field)
        if self.op in _ORDERS:
            return _is_ordered(value, self.op, self.values[0])
        if self.op.endswith("~"):
            return (self.values[0].casefold() in text_of(value).casefold()) is (self.op == "~")
        return any(_is_like(value, wanted) for wanted in self.values) is (self.op == "=")


def parse(text: str, *, option: str = "--where") -> Condition:
    """The condition that *text*, given with *option*, is. Raises `UsageError`."""
    found = _CONDITION.fullmatch(text)
    if found is None or not found[1].strip():
        raise UsageError(
            f"{option} '{shown(text)}': write FIELD=VALUE, such as state=failed, or FIELD~TEXT, FIELD<NUMBER"
        )
    name, op, value = found[1].strip(), found[2], found[3].strip()
    if right := _MISWRITTEN.get(op + value[:1]):
        raise UsageError(f"{option} '{shown(text)}': write {shown(name)}{right}{shown(value[1:].strip())}")
    values = tuple(part.strip() for part in value.split(",")) if op in ("=", "!=") else (value,)
    if op in _ORDERS and _number(value) is None and _moment(value) is None:
        raise UsageError(f"{option} '{shown(text)}': '{op}' compares numbers, or times such as 2026-11-22T19:00Z")
    condition = Condition(field=name, op=op, values=values, option=option)
    _check_values(condition)
    return condition


def chosen(rows: Iterable[Row], conditions: Sequence[Condition]) -> list[Row]:
    """Those of *rows* of which all *conditions* hold. Raises `UsageError` for a field that none of them has."""
    rows = list(rows)
    _check_fields({one.field: one.option for one in conditions if one.field not in _FIELDS}, rows)
    return [row for row in rows if all(condition.holds(row) for condition in conditions)]


def unmet(rows: Sequence[Row], conditions: Iterable[Condition]) -> Iterator[str]:
    """What to say of conditions that name a value no row has, of an axis that has few: perhaps it is mistyped."""
    for one in conditions:
        axis = one.field.removeprefix("axes.")
        known = {text_of(row.axes[axis]): None for row in rows if axis in row.axes} if one.field not in _FIELDS else {}
        if one.op == "=" and 0 < len(known) <= _FEW and not any(one.holds(row) for row in rows):
            asked = f"{one.field}={','.join(one.values)}"
            yield f"no job has {shown(asked)}; there are {', '.join(map(shown, known))}"


def value_of(row: Row, name: str) -> Value:
    """What a row has under *name*; `None`: nothing."""
    if name in OF_MEDIA:
        return getattr(row.media, OF_MEDIA[name], None)
    if name in _FIELDS:
        return getattr(row, name)
    mapping, _, inner = name.partition(".")
    if mapping in _MAPPINGS and inner:
        return getattr(row, mapping).get(inner)
    return next((getattr(row, m)[name] for m in _MAPPINGS if name in getattr(row, m)), None)


def text_of(value: Value) -> str:
    """A value as it is written in a condition, and in a table: times in ISO 8601, lists and objects as JSON."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return stamp(value)
        case tuple():
            return "; ".join(map(str, value))
        case list():
            return json.dumps(value, ensure_ascii=False)
        case Mapping():
            return json.dumps(dict(value), ensure_ascii=False) if value else ""
        case _:
            return str(value)


def _is_like(value: Value, wanted: str) -> bool:
    text = text_of(value)
    if text == wanted or fnmatchcase(text, wanted):
        return True
    return isinstance(value, (int, float, Decimal)) and _number(value) is not None and _number(value) == _number(wanted)


def _is_ordered(value: Value, op: str, bound: str) -> bool:
    here, there = (value, _moment(bound)) if isinstance(value, datetime) else (_number(value), _number(bound))
    return here is not None and there is not None and _ORDERS[op](here, there)


def _check_values(condition: Condition) -> None:
    """Whether a field of which all values are known may have those of *condition*."""
    if condition.op not in ("=", "!="):
        return
    for value in condition.values:
        if condition.field == "state" and not any(fnmatchcase(state, value) for state in State):
            hint = did_you_mean(value, list(State))
            raise UsageError(f"{condition.option}: there is no state '{shown(value)}'{hint}")
        if condition.field in _FLAGS and value and not any(fnmatchcase(flag, value) for flag in ("true", "false")):
            raise UsageError(f"{condition.option}: {condition.field} is true or false, not '{shown(value)}'")


def _check_fields(names: Mapping[str, str], rows: Sequence[Row]) -> None:
    """Whether any row has a field of each of *names*, which are not among those that all have; with their options."""
    for name, option in sorted(names.items()):
        if rows and not any(_has(row, name) for row in rows):
            known = _FIELDS | {inner for row in rows for mapping in _MAPPINGS for inner in getattr(row, mapping)}
            raise UsageError(f"{option}: no job has a field '{shown(name)}'{did_you_mean(name, sorted(known))}")


def _has(row: Row, name: str) -> bool:
    mapping, _, inner = name.partition(".")
    if mapping in _MAPPINGS and inner in getattr(row, mapping):
        return True
    return any(name in getattr(row, m) for m in _MAPPINGS)


def _number(value: Value) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
