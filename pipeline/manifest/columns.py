"""What the columns of a CSV mean: a field, one name of `params` or `meta`, or a variable of the user's own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.manifest.fields import DATA_FIELDS, MAPPING_FIELDS, NOT_YET_COLUMNS, near_miss, shown
from pipeline.manifest.scalars import free_value, typed
from pipeline.model import JSON

_QUOTED = re.compile(r'"(?:[^"]|"")*"?')
DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: where its cells go."""

    name: str
    """The header, trimmed; empty for a column that nobody named."""
    field: str = ""
    """The field it sets, or the mapping it sets a name of; empty for a variable."""
    part: str = ""
    """The name within `params` or `meta`."""
    schema: Mapping[str, Any] | bool = True

    def value(self, cell: str) -> JSON:
        """What *cell* means here. A variable's text stays as it is."""
        if self.part:
            return free_value(cell)
        return typed(cell, self.schema, plain=True) if self.field else cell


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderFault:
    """What is wrong with one header."""

    number: int
    code: str
    message: str


def delimiter_of(header: str) -> str:
    """The delimiter of a file whose first record is *header*: the one that stands there most, outside quotes."""
    bare = _QUOTED.sub("", header)
    return max(DELIMITERS, key=bare.count)


def columns_of(headers: Sequence[str], fields: Mapping[str, Any]) -> tuple[list[Column], list[HeaderFault]]:
    """The columns, by the schemas of an entry's *fields*, and what is wrong with the headers."""
    columns: list[Column] = []
    faults: list[HeaderFault] = []
    seen: dict[str, int] = {}
    for number, header in enumerate(headers):
        name = header.strip()
        fault = _fault(name, seen)
        if fault is not None:
            faults.append(HeaderFault(number=number, code=fault[0], message=fault[1]))
        seen.setdefault(_target(name), number)
        columns.append(_column(name, fields))
    if "prompt" not in seen and "prompt_file" not in seen and not any(near_miss(h) == "prompt" for h in headers):
        faults.append(HeaderFault(number=0, code="missing-prompt", message="there is no column 'prompt'"))
    return columns, faults


def _column(name: str, fields: Mapping[str, Any]) -> Column:
    if name in DATA_FIELDS:
        return Column(name=name, field=name, schema=fields[name])
    head, dot, part = name.partition(".")
    if dot and head in MAPPING_FIELDS:
        return Column(name=name, field=head, part=part)
    return Column(name=name)


def _target(name: str) -> str:
    """What a column sets: a variable is a name of `meta`."""
    known = name in DATA_FIELDS or name.startswith(tuple(f"{field}." for field in MAPPING_FIELDS))
    return name if known or not name else f"meta.{name}"


def _fault(name: str, seen: Mapping[str, int]) -> tuple[str, str] | None:
    if name and _target(name) in seen:
        return "duplicate-column", f"the column '{shown(name)}' stands already in column {seen[_target(name)] + 1}"
    if name in NOT_YET_COLUMNS:
        return "not-yet", f"'{name}' is not in this version yet"
    if name in MAPPING_FIELDS or name in {f"{field}." for field in MAPPING_FIELDS}:
        bare = name.rstrip(".")
        return "bad-column", f"a column sets one name of '{bare}': write '{bare}.NAME'"
    if name == "vars":
        return "bad-column", "every column of a data file is a variable; name it after what it holds"
    if name in DATA_FIELDS or "." in name or not near_miss(name):
        return None
    return (
        "near-miss",
        f"the column '{shown(name)}' looks like the field '{near_miss(name)}'; mend it, or write 'meta.{shown(name)}' "
        "to keep it as a variable",
    )
