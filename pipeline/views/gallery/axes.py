"""Along which axes the videos of a run differ, and which two of them make the better grid. Pure.

An axis is one of the sweep's own, or a setting of which the run has several values. What tells no more than an axis
of the sweep is left out: a group for each subject would be the same row under another name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Final, TypeAlias

from pipeline.model import JSON
from pipeline.views.rows import Row

Label: TypeAlias = str | int | float
"""A value of an axis, as a page can show and order it."""

EXACT_MAX: Final = 2**53
"""A browser's numbers are exact up to here; a seed beyond it is shown as text."""
TAKE, PROMPT = "take", "prompt"
_SETTINGS: Final[Mapping[str, Callable[[Row], Label]]] = {
    "model": lambda row: row.model,
    "seconds": lambda row: row.seconds,
    "size": lambda row: row.size,
    "group": lambda row: row.group,
    "link": lambda row: row.link,
    TAKE: lambda row: row.take,
    PROMPT: lambda row: row.prompt,
}
"""What a run may vary besides its sweep, in this order."""
_ASKED_OF_ALL: Final = frozenset({"model", "seconds", "size", "group", TAKE})
"""Where a sweep varies one of these, every other job has it too: by its entry, or by default."""
_OWN_MAX: Final = Fraction(3, 4)
"""An axis on which more of its videos than this have a value of their own, such as a note on each, is no grid."""
_FULL_MIN: Final = Fraction(1, 2)
"""More of a grid's cells than this have a video."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One way in which the videos of a run differ."""

    name: str
    values: tuple[Label, ...]
    """Numbers in their order, anything else in the order in which the run has it."""
    at: tuple[int | None, ...]
    """Of each row, in order, which of the values it has; `None`: it knows no such axis."""
    swept: bool
    """It is one of the sweep's own."""

    @property
    def is_wide(self) -> bool:
        """Whether it says something of most videos, and the same of several: a page may begin with it."""
        having = len(self.at) - self.at.count(None)
        return 2 * having >= len(self.at) and len(self.values) <= _OWN_MAX * having


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """What a page shows first: the names of two axes. Both are empty where the videos lie better side by side."""

    columns: str = ""
    rows: str = ""


def axes_of(rows: Sequence[Row]) -> tuple[Axis, ...]:
    """The axes along which *rows* differ: the sweep's first, then the settings."""
    names = dict.fromkeys(name for row in rows for name in row.axes)
    swept = [axis for name in names if _varies(axis := _axis(name, _of_sweep(rows, name), swept=True))]
    found = list(swept)
    for name, value in _SETTINGS.items():
        axis = _axis(name, (label(value(row)) for row in rows), swept=False)
        if name not in names and _varies(axis) and _tells_more(axis, swept, rows):
            found.append(axis)
    return tuple(found)


def grid_of(axes: Sequence[Axis]) -> Grid:
    """The two of *axes* that a page begins with.

    The sweep's own go first and takes last, then what tells most videos apart with the fewest values. Most values
    make the rows: a page is longer than it is wide. There is a grid only where all axes together tell at least half
    of the videos apart, and without a sweep all of them, and where more than half of its cells have one: a thousand
    prompts under two models are no grid, and neither are notes that only some of the videos have.
    """
    is_sweep = any(axis.swept for axis in axes)
    if not axes or _cells(axes) < len(axes[0].at) / (2 if is_sweep else 1):
        return Grid()
    if len(axes) == 1:
        return Grid(columns=axes[0].name)
    wide = [axis for axis in axes if axis.is_wide]
    best = max(filter(_is_full, combinations(wide, 2)), key=_merit, default=None)
    if best is None:
        return Grid()
    columns, rows = sorted(best, key=lambda axis: (axis.name == PROMPT, _size(axis)))
    return Grid(columns=columns.name, rows=rows.name)


def label(value: JSON) -> Label:
    """*value* as a page shows it: a text or a number as it is, anything else as its JSON."""
    if isinstance(value, str) or (isinstance(value, float) and not value.is_integer()):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < EXACT_MAX:
        return value
    return json.dumps(value, ensure_ascii=False)


def _of_sweep(rows: Iterable[Row], name: str) -> Iterator[Label | None]:
    for row in rows:
        if name in row.axes:
            yield label(row.axes[name])
        else:
            told = label(_SETTINGS[name](row)) if name in _ASKED_OF_ALL else ""
            yield None if told == "" else told


def _axis(name: str, labels: Iterable[Label | None], *, swept: bool) -> Axis:
    having = list(labels)
    values = list(dict.fromkeys(value for value in having if value is not None))
    if all(not isinstance(value, str) for value in values):
        values.sort()
    index = {value: n for n, value in enumerate(values)}
    at = tuple(None if value is None else index[value] for value in having)
    return Axis(name=name, values=tuple(values), at=at, swept=swept)


def _varies(axis: Axis) -> bool:
    return len(set(axis.at)) > 1


def _tells_more(axis: Axis, swept: Sequence[Axis], rows: Sequence[Row]) -> bool:
    """Whether a setting's *axis* tells what those of the sweep do not.

    A prompt is of use where it comes back, and is not made from what the sweep varies.
    """
    if axis.name == PROMPT:
        known = _cells(swept)
        return len(axis.values) < len(rows) and _cells([*swept, axis]) > known
    return all(_cells([axis, other]) > _size(other) for other in swept)


def _merit(pair: tuple[Axis, Axis]) -> tuple[int, int, int, int]:
    return (
        sum(axis.swept for axis in pair),
        -sum(axis.name == TAKE for axis in pair),
        _cells(pair),
        -sum(map(_size, pair)),
    )


def _is_full(pair: tuple[Axis, Axis]) -> bool:
    return _cells(pair) > _FULL_MIN * _size(pair[0]) * _size(pair[1])


def _size(axis: Axis) -> int:
    return len(set(axis.at))


def _cells(axes: Sequence[Axis]) -> int:
    """How many sets of videos *axes* tell apart."""
    places: Iterable[Hashable] = zip(*(axis.at for axis in axes), strict=True)
    return len(set(places))
