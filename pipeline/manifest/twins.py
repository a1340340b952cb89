"""Two videos of one entry that are the same, and the axes that make them: no video has anything of their values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.manifest.axes import Point, count_of, is_variable
from pipeline.manifest.document import Path
from pipeline.manifest.fields import others_word, shown
from pipeline.manifest.uses import asked_in
from pipeline.model import NOTHING

if TYPE_CHECKING:
    from pipeline.manifest.wish import Wish

_OF_THE_VIDEO = ("prompt", "params", "input_reference")
"""Fields whose templates change a video."""


def report_twins(wish: Wish) -> None:
    """*wish* asks for a video that another of its entry asks for."""
    idle = list(_idle(wish))
    if not idle:
        message = "two videos of this entry are the same; is there a value that no template uses, or twice the same?"
        wish.place_of_all().about("duplicate-wish", message)
    for point in idle:
        said = wish.by_command_line(point.axis)
        place = wish.place_of_all() if said else wish.entry.place(*_named_at(point))
        message = f"two videos of this entry are the same: no prompt or param uses the axis '{shown(point.axis)}'"
        place.about("duplicate-wish", f"{message}{_meant(wish, point.axis)}{' (--set)' if said else ''}", key=not said)


def _idle(wish: Wish) -> Iterator[Point]:
    """A point of every axis of several values that nothing in a video comes from."""
    if "prompt_file" in wish.fields:
        return  # its text may use them all
    columns: dict[Path, list[Point]] = {}
    for point in wish.cell:
        columns.setdefault(_column(point), []).append(point)
    for points in columns.values():
        if _has_several(wish, points[0]) and not any(_is_used(wish, point) for point in points):
            yield from points


def _is_used(wish: Wish, point: Point) -> bool:
    texts = [wish.entry.fields.get("prompt"), *(wish.fields.get(name) for name in _OF_THE_VIDEO)]
    return bool(point.fields) or not is_variable(point.axis) or any(asked_in(name, texts) for name in point.variables)


def _has_several(wish: Wish, point: Point) -> bool:
    """Whether its axis has other values; what `include` adds to a cell is no axis."""
    matrix = wish.entry.fields.get("matrix", NOTHING)
    if wish.by_command_line(point.axis):
        return True
    return point.path[1] != "include" and (point.axis not in matrix or count_of(matrix[point.axis]) > 1)


def _column(point: Point) -> Path:
    """Where its axis is written, or the `zip` whose axes go together."""
    named_at = _named_at(point)
    return named_at[:-1] if "zip" in named_at else named_at


def _named_at(point: Point) -> Path:
    return point.path[: point.path.index(point.axis) + 1]


def _meant(wish: Wish, axis: str) -> str:
    profile, word = wish.sheet.ground.profile, others_word(axis)
    if not word and profile is not None and axis in (profile.params or ()):
        word = f"params.{axis}"
    return f"; did you mean '{word}'?" if word else ""
