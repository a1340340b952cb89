"""A matrix as it is written becomes the cells it means, or everything that is wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from math import prod
from types import MappingProxyType
from typing import Final

from pipeline.manifest.axes import (
    Cell,
    Place,
    Point,
    count_of,
    is_variable,
    name_fault,
    point,
    sign,
    targets,
    value_at,
    value_faults,
    values_of,
    whole,
)
from pipeline.manifest.cells import Matrix, Rule, cell_identity
from pipeline.manifest.document import Path, dotted
from pipeline.manifest.fields import MAPPING_FIELDS, did_you_mean, shown
from pipeline.manifest.labels import derived_name, label, told_apart
from pipeline.manifest.sampling import sample
from pipeline.manifest.wording import Fault
from pipeline.model import JSON

__all__ = ["Cell", "Matrix", "Point", "cell_identity", "derived_name", "read_matrix", "sample"]

MATRIX: Path = ("matrix",)
CELLS_MAX: Final = 10_000_000
"""No matrix is written out that may have more cells."""
AXES_MAX = 50
RULES_MAX = 1_000
NONE_SAID: Final[Mapping[str, Sequence[JSON]]] = MappingProxyType({})
"""What the command line says where it says nothing."""
_OTHER_PROMPT = {"prompt": "prompt_file", "prompt_file": "prompt"}
ZIPPED_MAX = 200_000
"""Values in all `zip`s of a matrix: they can be many more than its cells."""
_GLANCE_MAX = 1_000
"""A matrix of more cells or more values is not read where a glance has to do."""


def read_matrix(
    raw: Mapping[str, JSON],
    said: Mapping[str, Sequence[JSON]] = NONE_SAID,
    *,
    cells_max: int = CELLS_MAX,
    glance: bool = False,
) -> tuple[Matrix | None, Sequence[Fault]]:
    """The matrix that *raw* describes, whose form was judged; `None` and why, where it makes no sense.

    What is *said* on the command line is an axis of every cell: in the place of one of that name, and over all else.
    One that may have more than *cells_max* cells is refused by its lengths: no value of it is made. A *glance* passes
    over a large one without a word.
    """
    raw = {name: list(said.get(name, ())) or value for name, value in raw.items()}
    lengths = [[count_of(values) for values in axes.values()] for _, axes in _groups(raw)]
    cells = _count(lengths, raw, said)
    if glance and max(cells, sum(map(sum, lengths))) > _GLANCE_MAX:
        return None, ()
    if large := _size_fault(cells, lengths, cells_max):
        return None, [large]
    reading = _Reading(said)
    columns = list(reading.columns(raw))
    excludes = list(reading.excludes(raw.get("exclude")))
    includes = list(reading.includes(raw.get("include")))
    matrix = Matrix(columns, excludes, includes, list(reading.beyond()))
    if not reading.faults:
        reading.faults += _extent_faults(matrix, axed=bool(columns), rules=len(excludes) + len(includes))
    return (None, reading.faults) if reading.faults else (matrix, ())


def _count(lengths: Sequence[Sequence[int]], raw: Mapping[str, JSON], said: Mapping[str, Sequence[JSON]]) -> int:
    """How many cells the matrix may have, counted by the *lengths* of the axes of its columns."""
    includes = raw.get("include")
    cells = prod(min(column, default=1) for column in lengths) if lengths else 0
    cells *= prod(len(values) for name, values in said.items() if name not in raw)
    cells += prod(map(len, said.values())) * len(includes) if isinstance(includes, list) else 0
    return cells


def _size_fault(cells: int, lengths: Sequence[Sequence[int]], cells_max: int) -> Fault | None:
    """That a matrix of so many *cells* is too large to be written out."""
    zipped = sum(sum(column) for column in lengths if len(column) > 1)
    if cells > cells_max:
        bound = f"more than {cells_max:,} want --allow-large" if cells <= CELLS_MAX else f"{CELLS_MAX:,} is the most"
        message = f"the matrix has {cells:,} cells; {bound}"
    elif zipped > ZIPPED_MAX:
        message = f"{zipped:,} values in zip; {ZIPPED_MAX:,} is the most"
    else:
        return None
    return Fault(path=MATRIX, code="too-many", message=message, key=True)


def _groups(raw: Mapping[str, JSON]) -> Iterator[tuple[Path, Mapping[str, JSON]]]:
    """The axes of each column, in their order: one by itself, or those of a `zip`."""
    for name, value in raw.items():
        if name == "zip":
            listed = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
            for n, group in listed:
                path = (*MATRIX, "zip") if n is None else (*MATRIX, "zip", n)
                yield path, group if isinstance(group, dict) else {}
        elif name not in ("exclude", "include"):
            yield MATRIX, {name: value}


def _extent_faults(matrix: Matrix, *, axed: bool, rules: int) -> Iterator[Fault]:
    """A matrix that is too small, or larger than a person would write: each job holds a value of every axis."""
    if not matrix.axes:
        yield Fault(path=MATRIX, code="empty-matrix", message="the matrix has no axis")
    if len(matrix.axes) > AXES_MAX:
        message = f"{len(matrix.axes):,} axes; {AXES_MAX} is the most"
        yield Fault(path=MATRIX, code="too-many", message=message, key=True)
    if axed and rules > RULES_MAX:
        message = f"{rules:,} objects in 'exclude' and 'include'; {RULES_MAX:,} is the most beside axes"
        yield Fault(path=MATRIX, code="too-many", message=message, key=True)


def further_faults(raw: JSON, known: Sequence[Fault]) -> Sequence[Fault]:
    """What else is wrong with the matrix *raw*, whose form has the *known* faults; paths begin at the entry."""
    faults = read_matrix(raw, glance=True)[1] if isinstance(raw, dict) else ()
    return [fault for fault in faults if not any(_overlap(fault.path, told.path) for told in known)]


def _overlap(a: Path, b: Path) -> bool:
    """Whether one of two places is in the other."""
    return all(x == y for x, y in zip(a, b, strict=False))


class _Reading:
    """Reads one matrix, and finds everything that is wrong with it."""

    def __init__(self, said: Mapping[str, Sequence[JSON]]) -> None:
        self._said = said
        self.faults: list[Fault] = []
        self._places: dict[str, Path] = {}
        """Where each axis stands."""
        self._named: dict[tuple[str, str], JSON] = {}
        """The mappings among the values, by axis and name."""
        self._owners: dict[str, str] = {}
        """The axis that sets a field or a variable."""

    def columns(self, raw: Mapping[str, JSON]) -> Iterator[Sequence[Cell]]:
        """The axes and zips, in their order."""
        for path, axes in _groups(raw):
            yield from self._column(axes, path)

    def beyond(self) -> Iterator[Sequence[Cell]]:
        """An axis of everything that the command line says, for the cells that have none of it."""
        for name, values in self._said.items():
            yield self._choices({name: [((*MATRIX, name, n), value) for n, value in enumerate(values)]})

    def excludes(self, raw: JSON) -> Iterator[Rule]:
        for path, given in self._objects(raw, "exclude"):
            for name in given:
                if name not in self._places:
                    message = f"'{shown(name)}' is no axis of this matrix{did_you_mean(name, self._places)}"
                    self._fault((*path, name), "unknown-axis", message, key=True)
            yield self._rule(path, given, quiet=not self._said.keys().isdisjoint(given))

    def includes(self, raw: JSON) -> Iterator[Rule]:
        first: dict[str, int] = {}
        left: set[str] = set()
        for path, given in self._objects(raw, "include"):
            for name, value in given.items():
                fault = None if name in self._places else name_fault(name, (*path, name))
                self.faults += value_faults(name, (*path, name), value) if fault is None else [fault]
            n = first.setdefault(whole(dict(given)), int(path[-1]))
            if n != path[-1]:
                self._fault(path, "duplicate-value", f"the same as number {n + 1} of the list")
            rest = self._beside_said(given)
            if rest and whole(rest) not in left:
                left.add(whole(rest))
                rule = self._rule(path, rest, quiet=len(rest) < len(given))
                self._claim_all(rule.points, {})
                yield rule

    def _beside_said(self, given: Mapping[str, JSON]) -> dict[str, JSON]:
        """What an object of `include` adds beside what the command line says; one for another value adds nothing."""
        for name in self._said.keys() & self._places.keys() & given.keys():
            if whole(given[name]) not in map(whole, self._said[name]):
                return {}
        rest = {name: value for name, value in given.items() if name in self._places or name not in self._said}
        return {name: self._named.get((name, whole(value)), value) for name, value in rest.items()}

    def _objects(self, raw: JSON, kind: str) -> Iterator[tuple[Path, Mapping[str, JSON]]]:
        for n, given in enumerate(raw if isinstance(raw, list) else ()):
            path = (*MATRIX, kind, n)
            if isinstance(given, dict) and given:
                yield path, given
            else:
                self._fault(path, "empty", "name the values of a cell, such as {seconds: 4}")

    def _column(self, axes: Mapping[str, JSON], path: Path) -> Iterator[Sequence[Cell]]:
        """The column that *axes* make together, where they make one."""
        found = len(self.faults)
        if not axes:
            self._fault(path, "empty", "name the axes that go together, such as {size: [...], framing: [...]}")
        places = {name: self._values(name, raw, (*path, name)) for name, raw in axes.items()}
        if len(self.faults) == found and self._go_together(places, path):
            yield self._choices(places)

    def _values(self, axis: str, raw: JSON, path: Path) -> Sequence[Place]:
        before = self._places.setdefault(axis, path)
        if before is not path:
            self._fault(
                path, "duplicate-axis", f"the axis '{shown(axis)}' stands already in {dotted(before)}", key=True
            )
            return ()
        fault = name_fault(axis, path)
        places, faults = values_of(axis, raw, path) if fault is None else ((), [fault])
        self.faults += faults
        named = [value for _, value in places if isinstance(value, dict) and "name" in value]
        self._named |= {(axis, whole(value["name"])): value for value in named}
        return places

    def _go_together(self, places: Mapping[str, Sequence[Place]], path: Path) -> bool:
        (first, values), *others = places.items()
        for name, more in others:
            if len(more) != len(values):
                counts = f"'{shown(first)}' has {len(values):,}, '{shown(name)}' has {len(more):,}"
                self._fault((*path, name), "zip-length", f"zip pairs values one by one, but {counts}", key=True)
                return False
        return bool(values)

    def _choices(self, places: Mapping[str, Sequence[Place]]) -> Sequence[Cell]:
        rows = list(zip(*places.values(), strict=True))
        identities = ["\n".join(sign(value) for _, value in row) for row in rows]
        self._report_doubled(rows, identities)
        speaking = _speaking(places)
        labels = told_apart([_labels(places, row, speaking) for row in rows], identities)
        choices = [
            tuple(
                self._point(axis, value, path, said)
                for axis, (path, value), said in zip(places, row, words, strict=True)
            )
            for row, words in zip(rows, labels, strict=True)
        ]
        self._claim_all(chain.from_iterable(choices), self._owners)
        return choices

    def _report_doubled(self, rows: Sequence[tuple[Place, ...]], identities: Sequence[str]) -> None:
        first: dict[str, int] = {}
        for n, (row, identity) in enumerate(zip(rows, identities, strict=True)):
            if first.setdefault(identity, n) != n:
                message = f"the same as value {first[identity] + 1}: it would be the same video"
                self._fault(row[0][0], "duplicate-value", message)

    def _claim_all(self, points: Iterable[Point], owners: dict[str, str]) -> None:
        """No two names set the same thing: which one would it be? *owners*: the names that set something so far."""
        for p in points:
            for target in targets(p):
                owner = owners.setdefault(target, p.axis)
                if owner != p.axis:
                    owners[target] = p.axis
                    message = f"'{shown(target)}' is set by the axis '{shown(owner)}' already"
                    self._fault(p.path, "duplicate-axis", message)

    def _rule(self, path: Path, given: Mapping[str, JSON], *, quiet: bool) -> Rule:
        values = {name: value_at(name, value) for name, value in given.items()}
        points = [self._point(name, value, (*path, name), label(name, value)) for name, value in values.items()]
        return Rule(path=path, points=tuple(points), quiet=quiet)

    def _point(self, axis: str, value: JSON, path: Path, label: str) -> Point:
        made = point(axis, value, path, label)
        return made if not self._said or axis in self._said else _spared(made, self._said)

    def _fault(self, path: Path, code: str, message: str, *, key: bool = False) -> None:
        self.faults.append(Fault(path=path, code=code, message=message, key=key))


def _spared(p: Point, said: Mapping[str, Sequence[JSON]]) -> Point:
    """*p* without what the command line says in the place of it."""
    fields: dict[str, JSON] = {}
    for name, value in p.fields.items():
        if name in MAPPING_FIELDS and isinstance(value, dict):
            fields[name] = {part: own for part, own in value.items() if f"{name}.{part}" not in said}
        elif name not in said and _OTHER_PROMPT.get(name) not in said:
            fields[name] = value
    variables = {name: value for name, value in p.variables.items() if name == p.axis or name not in said}
    return replace(p, fields=fields, variables=variables)


def _speaking(axes: Iterable[str]) -> frozenset[str]:
    """Whose values say something in an id: in a zip the variables, where there are any; they are there to name it."""
    return frozenset(filter(is_variable, axes)) or frozenset(axes)


def _labels(axes: Iterable[str], row: Sequence[Place], speaking: frozenset[str]) -> tuple[str, ...]:
    return tuple(label(axis, value) if axis in speaking else "" for axis, (_, value) in zip(axes, row, strict=True))
