"""A matrix as it is written becomes the cells it means, or everything that is wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from pipeline.manifest.axes import (
    Cell,
    Place,
    Point,
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
from pipeline.manifest.fields import did_you_mean, shown
from pipeline.manifest.labels import derived_name, label, told_apart
from pipeline.manifest.sampling import sample
from pipeline.manifest.wording import Fault
from pipeline.model import JSON

__all__ = ["Cell", "Matrix", "Point", "cell_identity", "derived_name", "read_matrix", "sample"]

MATRIX: Path = ("matrix",)
AXES_MAX = 50
RULES_MAX = 1_000


def read_matrix(raw: Mapping[str, JSON]) -> tuple[Matrix | None, Sequence[Fault]]:
    """The matrix that *raw* describes, whose form was judged; `None` and why, where it makes no sense."""
    reading = _Reading()
    columns = list(reading.columns(raw))
    excludes = list(reading.excludes(raw.get("exclude")))
    includes = list(reading.includes(raw.get("include")))
    matrix = Matrix(columns, excludes, includes)
    if not reading.faults:
        reading.faults += _extent_faults(matrix, axed=bool(columns), rules=len(excludes) + len(includes))
    return (None, reading.faults) if reading.faults else (matrix, ())


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
    faults = read_matrix(raw)[1] if isinstance(raw, dict) else ()
    return [fault for fault in faults if not any(_overlap(fault.path, told.path) for told in known)]


def _overlap(a: Path, b: Path) -> bool:
    """Whether one of two places is in the other."""
    return all(x == y for x, y in zip(a, b, strict=False))


class _Reading:
    """Reads one matrix, and finds everything that is wrong with it."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._places: dict[str, Path] = {}
        """Where each axis stands."""
        self._owners: dict[str, str] = {}
        """The axis that sets a field or a variable."""

    def columns(self, raw: Mapping[str, JSON]) -> Iterator[Sequence[Cell]]:
        """The axes and zips, in their order."""
        for name, value in raw.items():
            if name == "zip":
                groups = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
                for n, group in groups:
                    path = (*MATRIX, "zip") if n is None else (*MATRIX, "zip", n)
                    yield from self._column(group if isinstance(group, dict) else {}, path)
            elif name not in ("exclude", "include"):
                yield from self._column({name: value}, MATRIX)

    def excludes(self, raw: JSON) -> Iterator[Rule]:
        for path, given in self._objects(raw, "exclude"):
            for name in given:
                if name not in self._places:
                    message = f"'{shown(name)}' is no axis of this matrix{did_you_mean(name, self._places)}"
                    self._fault((*path, name), "unknown-axis", message, key=True)
            yield _rule(path, given)

    def includes(self, raw: JSON) -> Iterator[Rule]:
        first: dict[str, int] = {}
        for path, given in self._objects(raw, "include"):
            for name, value in given.items():
                fault = None if name in self._places else name_fault(name, (*path, name))
                self.faults += value_faults(name, (*path, name), value) if fault is None else [fault]
            n = first.setdefault(whole(dict(given)), int(path[-1]))
            if n != path[-1]:
                self._fault(path, "duplicate-value", f"the same as number {n + 1} of the list")
            yield _rule(path, given)

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
        labels = told_apart([_labels(tuple(places), row) for row in rows], identities)
        choices = [
            tuple(point(axis, value, path, said) for axis, (path, value), said in zip(places, row, words, strict=True))
            for row, words in zip(rows, labels, strict=True)
        ]
        for p in chain.from_iterable(choices):
            self._claim(p)
        return choices

    def _report_doubled(self, rows: Sequence[tuple[Place, ...]], identities: Sequence[str]) -> None:
        first: dict[str, int] = {}
        for n, (row, identity) in enumerate(zip(rows, identities, strict=True)):
            if first.setdefault(identity, n) != n:
                message = f"the same as value {first[identity] + 1}: it would be the same video"
                self._fault(row[0][0], "duplicate-value", message)

    def _claim(self, p: Point) -> None:
        """No two axes set the same thing: which one would it be?"""
        for target in targets(p):
            owner = self._owners.setdefault(target, p.axis)
            if owner != p.axis:
                self._owners[target] = p.axis
                message = f"'{shown(target)}' is set by the axis '{shown(owner)}' already"
                self._fault(p.path, "duplicate-axis", message)

    def _fault(self, path: Path, code: str, message: str, *, key: bool = False) -> None:
        self.faults.append(Fault(path=path, code=code, message=message, key=key))


def _rule(path: Path, given: Mapping[str, JSON]) -> Rule:
    values = {name: value_at(name, value) for name, value in given.items()}
    return Rule(
        path=path,
        points=tuple(point(name, value, (*path, name), label(name, value)) for name, value in values.items()),
    )


def _labels(axes: Sequence[str], row: Sequence[Place]) -> tuple[str, ...]:
    """What the values of a *row* say: in a zip the variables, where there are any; they are there to name it."""
    speaking = frozenset(filter(is_variable, axes)) or frozenset(axes)
    return tuple(label(axis, value) if axis in speaking else "" for axis, (_, value) in zip(axes, row, strict=True))
