"""One axis of a sweep: what it may be called, its values, and what each sets in a job. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pipeline.manifest.document import Path
from pipeline.manifest.fields import LINK_FIELDS, MAPPING_FIELDS, RESERVED, near_miss, shown, suggestion
from pipeline.manifest.ranges import FORM, BadRange, counted, length
from pipeline.manifest.scalars import canonical, free_value
from pipeline.manifest.template import Named, written
from pipeline.manifest.wording import Fault
from pipeline.model import JSON, NOTHING

SETTING_AXES = ("prompt", "prompt_file", "model", "seconds", "size", "group", "input_reference", "fit")
"""Fields of an entry that an axis, or a mapping as the value of one, may set."""
_VALUE_FIELDS = frozenset({*SETTING_AXES, *MAPPING_FIELDS})
_NEVER_OF_A_VALUE = ("takes", "matrix", "sample", *LINK_FIELDS)

_RULES = ("zip", "exclude", "include")
_BESIDE = "'{0}' is no axis: it stands beside the matrix"
_NO_AXES: Mapping[str, str] = {
    **dict.fromkeys(("id", "takes", "matrix", "sample", "from", *LINK_FIELDS), _BESIDE),
    **dict.fromkeys(_RULES, "'{0}' is no axis: it stands in the matrix itself"),
    **dict.fromkeys(("params", "meta", "params.", "meta."), "an axis sets one name of '{1}': write '{1}.NAME'"),
    "vars": "'vars' is no axis: write the variable's own name",
    **dict.fromkeys(("take", "key"), "'{0}' is what templates call a property of the job; choose another name"),
}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PARAM = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_OWN_PARAMS = frozenset({"prompt", "model", "seconds", "size", "input_reference"})

_quoted = json.encoder.encode_basestring_ascii

Place: TypeAlias = tuple[Path, JSON]
"""A value and where it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value of one axis, shared by all cells that hold it."""

    axis: str
    value: JSON
    path: Path
    """Where it is written, below the entry."""
    label: str
    """What it says in a derived id; empty: nothing."""
    fields: Mapping[str, JSON]
    """Fields of the entry that it sets: `{"seconds": 8}`, `{"params": {"seed": 7}}`."""
    variables: Mapping[str, JSON]
    """What templates get from it: `{"subject": "a heron"}`."""
    said: JSON
    """What the job's axes say of it: a mapping's name."""
    exact: str
    """The axis and the value as they are sent; empty for a mapping, which is none but itself."""
    identity: str
    """The axis and the value as text, wherever and in whichever order they are written."""


Cell: TypeAlias = tuple[Point, ...]


def value_at(axis: str, value: JSON) -> JSON:
    """*value* as one of *axis*: a mapping of a variable is known by its name."""
    return Named(value) if isinstance(value, dict) and is_variable(axis) else value


def point(axis: str, value: JSON, path: Path, label: str) -> Point:
    """*value* of *axis*, with what it sets."""
    fields, variables = _effects(axis, value)
    return Point(
        axis=axis,
        value=value,
        path=path,
        label=label,
        fields=fields,
        variables=variables,
        said=written(value) if isinstance(value, dict) else value,
        exact="" if isinstance(value, dict | list) else f"{axis}={value!r}",
        identity=f"{axis}={sign(value)}",
    )


def _effects(axis: str, value: JSON) -> tuple[Mapping[str, JSON], Mapping[str, JSON]]:
    head, dot, part = axis.partition(".")
    if dot:
        return {head: {part: value}}, NOTHING
    if axis in SETTING_AXES:
        return {axis: canonical(value) if isinstance(value, int | float) else value}, NOTHING
    if not isinstance(value, dict):
        return NOTHING, {axis: value}
    own = value.get("vars")
    variables = {**(own if isinstance(own, dict) else NOTHING), axis: value}
    return {name: part for name, part in value.items() if name in _VALUE_FIELDS}, variables


def is_variable(axis: str) -> bool:
    """Whether *axis* is a variable of the user's own."""
    return "." not in axis and axis not in SETTING_AXES


def targets(point: Point) -> Iterator[str]:
    """What *point* sets: fields, names of `params` and `meta`, variables."""
    yield from point.variables
    for name, value in point.fields.items():
        if name in MAPPING_FIELDS and isinstance(value, dict):
            yield from (f"{name}.{part}" for part in value)
        else:
            yield "prompt" if name == "prompt_file" else name


def sign(value: JSON) -> str:
    """*value* as text, the same for the same value: a mapping with a name is known by that."""
    return whole(value["name"] if isinstance(value, Named) and "name" in value else value)


def whole(value: JSON) -> str:
    """All of *value* as text: 8 and 8.0 are one, 8 and "8" are not."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(canonical(value))
    return json.dumps(_plain(value), sort_keys=True)


def meanings(value: JSON) -> frozenset[str]:
    """How an `exclude` or `include` may write *value*: in full, or a mapping by its name."""
    if not isinstance(value, Named) or "name" not in value:
        return frozenset({whole(value)})
    return frozenset({whole(value), whole(value["name"]), whole(free_value(value["name"]))})


def _plain(value: JSON) -> JSON:
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return canonical(value) if isinstance(value, float) else value


def name_fault(axis: str, path: Path) -> Fault | None:
    """What is wrong with the name *axis*, whose key stands at *path*."""
    code, message = "bad-axis", ""
    head, dot, part = axis.partition(".")
    if axis in SETTING_AXES:
        return None
    if axis in _NO_AXES:
        message = _NO_AXES[axis].format(axis, head)
    elif dot and head in MAPPING_FIELDS:
        message = _part_fault(head, part)
    elif near_miss(axis):
        field = near_miss(axis)
        code, message = "near-miss", f"'{shown(axis)}' looks like the field '{field}'; mend it, or choose another name"
    elif word := suggestion(axis, _RULES):
        code, message = "near-miss", f"'{shown(axis)}' looks like '{word}'; mend it, or choose another name"
    elif _VARIABLE.fullmatch(axis) is None:
        message = f"the name '{shown(axis)}': write letters, digits and '_', beginning with a letter"
    return Fault(path=path, code=code, message=message, key=True) if message else None


def _part_fault(head: str, part: str) -> str:
    if head == "meta":
        return ""
    if part in _OWN_PARAMS:
        return f"'{part}' is an axis itself, not one of params: write '{part}'"
    if _PARAM.fullmatch(part) is None:
        return f"the name '{shown(part)}': write letters, digits, '_', '.' or '-', beginning with a letter"
    return ""


def values_of(axis: str, raw: JSON, path: Path) -> tuple[Sequence[Place], Sequence[Fault]]:
    """The values of *axis*, written at *path* as *raw*: a list, a range, or one value by itself."""
    if raw is None:
        return (), [Fault(path=path, code="empty", message=f"the axis '{shown(axis)}' has no value")]
    if isinstance(raw, list):
        places = [((*path, n), value_at(axis, value)) for n, value in enumerate(raw)]
        return places, [fault for place in places for fault in value_faults(axis, *place)]
    if not isinstance(raw, dict):
        return [(path, raw)], ()
    if "range" not in raw:
        message = f"an axis is a list of values, such as '{shown(axis)}: [...]', or a range: {FORM}"
        return (), [Fault(path=path, code="bad-axis", message=message)]
    try:
        if len(raw) > 1:
            raise BadRange(FORM)
        return [((*path, "range"), number) for number in counted(raw["range"])], ()
    except BadRange as fault:
        return (), [Fault(path=(*path, "range"), code="bad-range", message=str(fault))]


def count_of(raw: JSON) -> int:
    """How many values the axis has that is written as *raw*, without one of them; at fault, it counts as one."""
    if isinstance(raw, list):
        return len(raw)
    try:
        return length(raw["range"]) if isinstance(raw, dict) and "range" in raw else 1
    except BadRange:
        return 1


def value_faults(axis: str, path: Path, value: JSON) -> Iterator[Fault]:
    """What is wrong with a mapping as a value of an axis: keys that look like fields, or are such as no value sets."""
    if not is_variable(axis) or not isinstance(value, dict):
        return
    for name in value:
        if name in _NEVER_OF_A_VALUE:
            message = f"no value of an axis sets '{name}'; it stands beside the matrix"
            yield Fault(path=(*path, name), code="bad-axis", message=message, key=True)
        elif name not in _VALUE_FIELDS and name not in RESERVED and name != "vars" and near_miss(name):
            message = f"'{shown(name)}' looks like the field '{near_miss(name)}'; mend it, or choose another name"
            yield Fault(path=(*path, name), code="near-miss", message=message, key=True)
