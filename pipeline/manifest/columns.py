"""What the columns of a CSV mean: a field, one name of `params` or `meta`, or a variable of the user's own."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.manifest.fields import DATA_FIELDS, MAPPING_FIELDS, NOT_HERE, NOT_OF_DATA, near_miss, others_word, shown
from pipeline.manifest.scalars import free_value, typed
from pipeline.model import JSON

_QUOTED = re.compile(r'"(?:[^"]|"")*"?')
_OF_ITS_OWN = ("id", "prompt")
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
    idle: bool = False
    """Its header is at fault, and nobody can say what its cells were meant for: they are not looked at."""

    @property
    def differs(self) -> bool:
        """Its cells are texts, and hardly two of them are alike."""
        return self.field in _OF_ITS_OWN

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
    label: str


def delimiter_of(header: str) -> str:
    """The delimiter of a file whose first record is *header*: the one that stands there most, outside quotes."""
    bare = _QUOTED.sub("", header)
    return max(DELIMITERS, key=bare.count)


def columns_of(headers: Sequence[str], fields: Mapping[str, Any]) -> tuple[list[Column], list[HeaderFault]]:
    """The columns, by the schemas of an entry's *fields*, and what is wrong with the headers.

    A column whose header is at fault is taken as what it nearly is, so that its cells can be judged as well.
    """
    names = [header.strip() for header in headers]
    columns: list[Column] = []
    faults: list[HeaderFault] = []
    seen: dict[str, int] = {}
    for number, name in enumerate(names):
        fault = _fault(name, seen)
        if fault is None:
            columns.append(_column(name, fields))
        else:
            faults.append(HeaderFault(number=number, code=fault[0], message=fault[1], label=name))
            columns.append(_as_meant(name, fields, names))
        seen.setdefault(_target(name), number)
    return columns, faults


def idle_names(names: Collection[str], asked: Container[str], others: Collection[str]) -> Iterator[tuple[str, str]]:
    """Those *names* of a data file that look like a field which nobody states, and what to say of each.

    What a template *asked* for is a variable that is meant as one. *others* is what the file need not state.
    """
    stated = {*names, *others}
    stated |= {"prompt"} if "prompt_file" in stated else set()
    for name in sorted(names):
        meant = others_word(name)
        if meant and name not in asked and stated.isdisjoint({meant, meant.partition(".")[0]}):
            kept = f"'{shown(name)}' is no field of a job, only a variable that nothing uses"
            yield name, f"{kept}; did you mean '{meant}'? If not, call it 'meta.{shown(name)}'"


def no_prompt(columns: Sequence[Column]) -> str:
    """What to say of *columns* of which none says what a video shows."""
    if any("|" in column.name for column in columns):
        return "there is no column 'prompt'; '|' divides no columns, write ',' or ';' or a tab between them"
    meant = next((column.name for column in columns if others_word(column.name) == "prompt"), "")
    add = f"rename '{shown(meant)}', if that is it" if meant else "add one, with a text a row"
    return f"there is no column 'prompt'; {add}"


def has_prompt(columns: Sequence[Column]) -> bool:
    """Whether one of *columns* says what a video shows."""
    return any(column.field in ("prompt", "prompt_file") for column in columns)


def _as_meant(name: str, fields: Mapping[str, Any], names: Collection[str]) -> Column:
    """What the column of a faulty header was probably meant to be."""
    meant = near_miss(name)
    if meant in DATA_FIELDS and name != meant and meant not in names:
        return _column(meant, fields)
    return Column(name="", idle=True)


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
    if name in NOT_OF_DATA:
        return "bad-column", NOT_HERE.format(name)
    if name in MAPPING_FIELDS or name in {f"{field}." for field in MAPPING_FIELDS}:
        bare = name.rstrip(".")
        return "bad-column", f"a column sets one name of '{bare}': write '{bare}.NAME'"
    if name == "vars":
        return "bad-column", "every column beside the fields is a variable; name it after what it holds"
    if name in DATA_FIELDS or "." in name or not near_miss(name):
        return None
    return (
        "near-miss",
        f"the column '{shown(name)}' looks like the field '{near_miss(name)}'; mend it, or write 'meta.{shown(name)}' "
        "to keep it as a variable",
    )
