"""What many wishes have in common, worked out once: all but their texts, notes and variables.

A data file has a million rows of few settings, a matrix a million cells of few: each such set of settings is a shape.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple

from pipeline.manifest.identity import KeyFrame
from pipeline.manifest.settings import SETTINGS
from pipeline.manifest.sheet import Written
from pipeline.manifest.template import asks_for
from pipeline.manifest.texts import is_plain
from pipeline.manifest.wish import Wish
from pipeline.model import JSON, NOTHING, Link, Reference

TEXTS: Final = frozenset({"prompt", "prompt_file", "id", "group"})
"""What each entry and each data row may well say differently."""
_BY_NAME: Final = TEXTS | {"meta"}
"""Of these a shape knows that they are said, not what."""
_ELSEWHERE: Final = frozenset({"matrix", "sample", "from"})
"""What is heard before there are wishes."""


class By(Enum):
    """Who says a text."""

    ROW = "row"  # as it stands there
    ENTRY = "entry"  # which is another one for each wish of a shape
    OTHERS = "others"


class Slot(NamedTuple):
    """Where a text of a wish comes from."""

    by: By
    text: str = ""
    """What others say."""
    literal: bool = False
    """It is no template, whatever it looks like."""


class Fault(NamedTuple):
    """What is wrong with every wish of a shape, and with which of its fields (empty: with all of it)."""

    field: str
    part: str
    code: str
    message: str
    key: bool = False
    warning: bool = False


@dataclass(slots=True, kw_only=True)
class Shape:
    """The common part of wishes."""

    takes: int
    model: Any
    seconds: Any
    size: Any
    params: Mapping[str, JSON]
    filled: bool
    """They hold templates."""
    noted: bool
    """Its wishes may have `meta`."""
    prompt: str
    """`prompt` or `prompt_file`: which of them is stated; empty: neither is."""
    slots: Mapping[str, Slot]
    """By the name of a text."""
    given: Mapping[str, str] | None
    """The texts that others say than the rows, where none of all texts needs filling in; `None`: one does."""
    wraps: bool
    """The entry's prompt is a template around that of each row."""
    variables: Mapping[str, JSON]
    """Those that neither a row nor a cell says."""
    link: Link | None
    reference: Reference | None
    pictured: bool
    """The name of its image is a template: each take has a reference of its own."""
    faults: Sequence[Fault]
    whole: bool
    """A job can be made of it."""
    frame: KeyFrame | None
    """`None`: it is not whole, or its params or its image differ from wish to wish."""


def signature(wish: Wish) -> tuple[Hashable, ...]:
    """The same for wishes of one shape, among those that stand on one ground. (It may not be hashable.)"""
    mark, source = _mark(wish.entry), wish.source
    if wish.row is None and source is None and not wish.cell:
        return mark
    said: list[Hashable] = [mark] if wish.row is None else [mark, _mark(wish.row)]
    if source is not None:
        said.append((source.model, wish.footage, source.size, source.group))
    said += [point.exact or id(point) for point in wish.cell if point.fields]
    return tuple(said)


def _mark(written: Written) -> tuple[Hashable, ...]:
    """The same for entries, or for rows, that say the same but for their texts."""
    if written.mark is None and written.fields.keys() <= _BY_NAME:
        written.mark = tuple(written.fields)
    if written.mark is None:
        said: list[Hashable] = []
        for name, value in written.fields.items():
            if name in _BY_NAME:
                said.append(name)
                if name == "prompt" and "from" in written.fields:  # it may be a template around that of each row
                    said.append(asks_for(name, value))
            elif name not in _ELSEWHERE:
                said.append((name, *_items(value)) if isinstance(value, dict) else (name, *_exactly(value)))
        written.mark = tuple(said)
    return written.mark


def _items(mapping: Mapping[str, JSON]) -> Iterator[Hashable]:
    return ((name, *_exactly(value)) for name, value in mapping.items())


def _exactly(value: JSON) -> tuple[Any, ...]:
    """*value* and nothing that is only equal to it: 8, 8.0 and true, 0.0 and -0.0 are sent differently."""
    return (float, repr(value)) if isinstance(value, float) else (type(value), value)


def slot_of(wish: Wish, name: str) -> Slot | None:
    """Where the text *name* of *wish* comes from; `None`: nobody says it."""
    if name not in wish.fields:
        return None
    if wish.is_literal(name):
        return Slot(By.ROW)
    if not wish.is_overruled(name) and wish.entry.states(name):
        return Slot(By.ENTRY)
    text: str = wish.fields[name]
    inherited = wish.source is not None and name == "group" and not wish.is_overruled(name)
    return Slot(By.OTHERS, text, literal=inherited or is_plain(text))


def base_variables(wish: Wish) -> Mapping[str, JSON]:
    """The variables of *wish* that neither its row nor its cell says, nor its source."""
    fields = wish.fields
    return {
        **wish.sheet.ground.vars,
        **fields.get("vars", NOTHING),
        **{name: fields.get(name) for name in SETTINGS},
    }
