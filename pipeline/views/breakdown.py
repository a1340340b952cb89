"""A plan in parts: how many videos, submits and how much money each group, axis and kind of video makes up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, TypeAlias

from pipeline.model import JSON
from pipeline.plan import BUYS, Step

VALUES_MAX = 1000
"""An axis of more values is not told apart: a column that is another in each row says nothing in a table."""

_SETTINGS = ("model", "size", "seconds")
_OWN = frozenset({*_SETTINGS, "group"})
"""What has a table of its own, as an axis too."""
_Kind: TypeAlias = "tuple[str, str, int | float, bool]"
"""Model, size, seconds, and whether it will be paid for: what makes the price."""


@dataclass(slots=True, kw_only=True)
class Part:
    """Some of the steps."""

    value: JSON
    """What they have in common."""
    videos: int = 0
    submits: int = 0
    cost: Decimal | None = Decimal(0)
    """Of the submits; `None` where a price is not known."""

    def add(self, count: int, price: Decimal | None, *, buys: bool) -> None:
        self.videos += count
        if buys:
            self.submits += count
            self.cost = None if price is None or self.cost is None else self.cost + price * count


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """The parts, each table in the order of the plan."""

    groups: tuple[Part, ...]
    """By group; empty where there are more than `VALUES_MAX`."""
    axes: Mapping[str, tuple[Part, ...]]
    """By value of each axis and setting; empty where there are more than `VALUES_MAX`."""
    kinds: tuple[Part, ...]
    """By model, size and seconds: `value` is the list of the three."""
    lacking: Mapping[str, Part] = field(default_factory=dict)
    """By axis, the videos that have no value of it."""
    again: frozenset[str] = frozenset()
    """The axes that part the videos just as a setting does."""


@dataclass(slots=True)
class _Table:
    """The values of one axis, counted."""

    counts: dict[_Kind, dict[Any, int]] = field(default_factory=dict)
    """By kind of step, by what tells the values apart."""
    values: dict[Any, JSON] = field(default_factory=dict)
    overfull: bool = False

    def add(self, value: JSON, kind: _Kind) -> None:
        if self.overfull:
            return
        counts = self.counts.get(kind)
        if counts is None:
            counts = self.counts[kind] = {}
        mark: Any = value if value.__class__ is str else (value.__class__, repr(value))
        count = counts.get(mark, 0)
        if not count and mark not in self.values:
            if len(self.values) == VALUES_MAX:
                self.overfull, self.values, self.counts = True, {}, {}
                return
            self.values[mark] = value
        counts[mark] = count + 1

    def parts_as(self, setting: int, whole: int) -> bool:
        """Whether it parts all of the *whole* videos just as the setting at this place of a kind does."""
        pairs = {(mark, kind[setting]) for kind, counts in self.counts.items() for mark in counts}
        one_to_one = len(pairs) == len(self.values) == len({value for _, value in pairs})
        return one_to_one and whole == sum(sum(counts.values()) for counts in self.counts.values())

    def parts(self, prices: Mapping[_Kind, Decimal | None]) -> tuple[Part, ...]:
        made = {mark: Part(value=value) for mark, value in self.values.items()}
        for kind, counts in self.counts.items():
            for mark, count in counts.items():
                made[mark].add(count, prices[kind], buys=kind[-1])
        return tuple(made.values())

    def lacking(self, whole: Mapping[_Kind, int], prices: Mapping[_Kind, Decimal | None]) -> Part:
        """What is left of the *whole*, by kind."""
        left = Part(value="")
        for kind, count in whole.items():
            if rest := count - sum(self.counts.get(kind, {}).values()):
                left.add(rest, prices[kind], buys=kind[-1])
        return left


def break_down(steps: Iterable[Step]) -> Breakdown:
    """*steps* in parts. One pass: there may be a million."""
    groups, axes = _Table(), dict[str, _Table]()
    prices: dict[_Kind, Decimal | None] = {}
    counts: dict[_Kind, int] = {}
    for step in steps:
        job = step.job
        kind = (job.model, job.size, job.seconds, step.action in BUYS)
        count = counts.get(kind, 0)
        counts[kind] = count + 1
        if not count:
            prices[kind] = step.price
        groups.add(job.group, kind)
        for name, value in job.axes.items():
            table = axes.get(name)
            if table is None:
                if name in _OWN:
                    continue  # each job has one of these, be it by its axes or not
                table = axes[name] = _Table()
            table.add(value, kind)
    kinds = _kinds(counts, prices)
    own = {name: _column(kinds, n) for n, name in enumerate(_SETTINGS)}
    return Breakdown(
        groups=groups.parts(prices),
        axes={**own, **{name: table.parts(prices) for name, table in axes.items()}},
        kinds=kinds,
        lacking={name: table.lacking(counts, prices) for name, table in axes.items()},
        again=frozenset(name for name, table in axes.items() if _is_a_setting(table, sum(counts.values()))),
    )


def telling(parts: Breakdown) -> Breakdown:
    """Without the tables of settings and axes that say what another, or the list of kinds, says already."""
    told, kept = {_rows(parts.groups)}, dict[str, tuple[Part, ...]]()
    for name, column in parts.axes.items():
        is_a_kind_each = name in _SETTINGS and len(column) == len(parts.kinds)
        rows = _rows(column)
        if name not in parts.again and not is_a_kind_each and not (column and rows in told):
            kept[name] = column
            told.add(rows)
    return replace(parts, axes=kept)


def _is_a_setting(table: _Table, whole: int) -> bool:
    return any(table.parts_as(n, whole) for n in range(len(_SETTINGS)))


def _rows(column: Iterable[Part]) -> tuple[tuple[object, ...], ...]:
    """What a table of *column* would show."""
    return tuple((str(part.value), part.videos, part.submits, part.cost) for part in column)


def _kinds(counts: Mapping[_Kind, int], prices: Mapping[_Kind, Decimal | None]) -> tuple[Part, ...]:
    found: dict[tuple[str, str, int | float], Part] = {}
    for kind, count in counts.items():
        part = found.setdefault(kind[:3], Part(value=list(kind[:3])))
        part.add(count, prices[kind], buys=kind[-1])
    return tuple(found.values())


def _column(kinds: Iterable[Part], n: int) -> tuple[Part, ...]:
    """The *n*-th setting of all kinds, put together."""
    found: dict[JSON, Part] = {}
    for kind in kinds:
        assert isinstance(kind.value, list)
        value = kind.value[n]
        part = found.setdefault(value, Part(value=value))
        part.videos += kind.videos
        part.submits += kind.submits
        part.cost = None if kind.cost is None or part.cost is None else part.cost + kind.cost
    return tuple(found.values())
