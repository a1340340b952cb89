"""The cells of a matrix: the product of its axes without what `exclude` takes away, with what `include` adds. Pure.

Whether a cell is excluded, and which includes it gets, are bits. Each value of an axis holds the bits of the rules
that it does not speak against; a cell's are what all its values have in common. A value speaks against another one of
its axis, and against an `include` that would set what the value sets: in no cell do two names set one field.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain, product
from operator import and_, attrgetter, or_

from pipeline.manifest.axes import Cell, Point, meanings, targets, whole
from pipeline.manifest.document import Path
from pipeline.manifest.wording import Fault

_KEPT_MAX = 10_000
_identity = attrgetter("identity")


def cell_identity(cell: Cell) -> str:
    """*cell* as text, whatever the order of its axes: what a sample ranks."""
    return "\n".join(sorted(map(_identity, cell)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One object of `exclude` or `include`."""

    path: Path
    points: Cell
    quiet: bool = False
    """The command line took away what it is about: that it changes nothing is no news."""


class Matrix:
    """The cells of one entry. They are made as they are asked for: a million of them need not be held."""

    def __init__(
        self,
        columns: Sequence[Sequence[Cell]],
        excludes: Sequence[Rule],
        includes: Sequence[Rule],
        beyond: Sequence[Sequence[Cell]] = (),
    ) -> None:
        self._columns = columns
        """Each an axis, or a `zip` of several: the points that a cell may take of it."""
        self._excludes, self._includes = excludes, includes
        self._beyond = beyond
        """Each an axis that goes over every cell that has no point of it, after all rules."""
        original = tuple(p.axis for column in columns for p in column[0])
        added = (*(p.axis for rule in includes for p in rule.points), *(_axis(column) for column in beyond))
        self.axes = tuple(dict.fromkeys((*original, *added)))
        """Every name that an axis, a `zip` or an `include` sets."""
        self.count_max = self._most(frozenset(original))
        """No more cells than this."""
        self._additions = [_addition(rule, frozenset(original)) for rule in includes]
        self._contested = _contested(self._additions)
        """For each include: what it adds that another one sets under another name."""
        self._met = 0
        """The rules that a cell met, as bits: the excludes, then the includes."""

    def _most(self, original: frozenset[str]) -> int:
        lacking = math.prod(len(column) for column in self._beyond if _axis(column) not in original)
        if not self._columns and not self._includes:
            return lacking if self._beyond else 0
        made = math.prod(map(len, self._columns)) if self._columns else 0
        return made * lacking + len(self._includes) * math.prod(map(len, self._beyond))

    def cells(self) -> Iterator[Cell]:
        """Every cell: the last axis changes fastest, and includes that extend no cell come at the end."""
        return self._widened() if self._beyond else self._written()

    def _widened(self) -> Iterator[Cell]:
        for cell in self._written() if self._columns or self._includes else ((),):
            known = {p.axis for p in cell}
            lacking = (column for column in self._beyond if _axis(column) not in known)
            yield from (cell + tuple(chain.from_iterable(more)) for more in product(*lacking))

    def _written(self) -> Iterator[Cell]:
        self._met = 0
        if self._columns:
            yield from self._ruled() if self._excludes or self._includes else self._product()
        for n, include in enumerate(self._includes, len(self._excludes)):
            if not self._met >> n & 1:
                yield include.points

    def idle(self) -> Sequence[Fault]:
        """Warnings, once `cells` came to its end: rules that changed nothing."""
        added = self._met >> len(self._excludes)
        return [
            *(
                _idle(rule, "to exclude: no cell has these values")
                for n, rule in enumerate(self._excludes)
                if not rule.quiet and not self._met >> n & 1
            ),
            *(
                _idle(rule, "to add: these cells are there already")
                for n, rule in enumerate(self._includes)
                if not rule.quiet and added >> n & 1 and not self._additions[n]
            ),
        ]

    def _product(self) -> Iterator[Cell]:
        return map(tuple, map(chain.from_iterable, product(*self._columns)))

    def _ruled(self) -> Iterator[Cell]:
        outcomes: dict[int, Cell | None] = {}
        for cell, bits in zip(self._product(), product(*self._bits()), strict=False):
            met = reduce(and_, bits)
            if met not in outcomes:
                if len(outcomes) >= _KEPT_MAX:
                    outcomes.clear()
                outcomes[met] = self._outcome(met)
            added = outcomes[met]
            if added is not None:
                yield cell + added if added else cell

    def _outcome(self, met: int) -> Cell | None:
        """What a cell that *met* these rules gets besides; `None`: it is excluded."""
        excluding = met & ((1 << len(self._excludes)) - 1)
        if excluding:
            self._met |= excluding
            return None
        added: dict[str, Point] = {}
        owners: dict[str, Point] = {}
        for n in _numbers(met >> len(self._excludes)):
            contested = self._contested[n]
            if any(_is_taken(target, p, added, owners) for target, p in contested):
                continue
            added |= self._additions[n]
            owners.update(contested)
            self._met |= 1 << (n + len(self._excludes))
        return tuple(added.values())

    def _bits(self) -> list[list[int]]:
        """For every choice of every column: the rules that no value of it speaks against."""
        rules = (*self._excludes, *self._includes)
        naming: defaultdict[str, int] = defaultdict(int)
        meaning: defaultdict[tuple[str, str], int] = defaultdict(int)
        for n, rule in enumerate(rules):
            for p in rule.points:
                naming[p.axis] |= 1 << n
                meaning[p.axis, whole(p.value)] |= 1 << n
        setting: defaultdict[str, int] = defaultdict(int)
        for n, addition in enumerate(self._additions, len(self._excludes)):
            for target in chain.from_iterable(map(targets, addition.values())):
                setting[target] |= 1 << n
        everything = (1 << len(rules)) - 1

        def bits(p: Point) -> int:
            meant = reduce(or_, (meaning.get((p.axis, text), 0) for text in meanings(p.value)))
            against = reduce(or_, (setting.get(target, 0) for target in targets(p)))
            return (everything & ~naming[p.axis] | meant) & ~against

        return [[reduce(and_, map(bits, choice)) for choice in column] for column in self._columns]


def _axis(column: Sequence[Cell]) -> str:
    """What the axis is called that *column* is made of alone."""
    return column[0][0].axis


def _idle(rule: Rule, what: str) -> Fault:
    return Fault(path=rule.path, code="no-effect", message=f"there is nothing {what}")


def _addition(include: Rule, original: frozenset[str]) -> Mapping[str, Point]:
    """What *include* adds to a cell that it extends; that says nothing in ids."""
    return {p.axis: replace(p, label="") for p in include.points if p.axis not in original}


def _contested(additions: Sequence[Mapping[str, Point]]) -> Sequence[Sequence[tuple[str, Point]]]:
    setters: defaultdict[str, set[str]] = defaultdict(set)
    for addition in additions:
        for p in addition.values():
            for target in targets(p):
                setters[target].add(p.axis)
    return [
        [(target, p) for p in addition.values() for target in targets(p) if len(setters[target]) > 1]
        for addition in additions
    ]


def _is_taken(target: str, p: Point, added: Mapping[str, Point], owners: Mapping[str, Point]) -> bool:
    """Whether what was *added* before sets *target* under another name than *p* would."""
    owner = owners.get(target)
    return owner is not None and owner.axis != p.axis and added[owner.axis] is owner


def _numbers(bits: int) -> Iterator[int]:
    """Which bits are set, the lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
