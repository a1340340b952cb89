"""How fast a run was and what it cost: videos stored a minute or an hour, and the money spent so far."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from pipeline.ledger.state import JobState
from pipeline.text import money, plural
from pipeline.views.charts.axes import TIMES_HEIGHT, gaps, hours, levels, told_gaps, told_span
from pipeline.views.charts.chart import LEFT, RIGHT, Chart, chart, sentences
from pipeline.views.charts.marks import area, box, figure, label, line, stroke
from pipeline.views.charts.phases import BOUND, MONEY, STORED
from pipeline.views.charts.scale import Scale, scale
from pipeline.views.charts.times import STEPS_S, Stretch, TimeScale, time_scale

_PANEL: Final = 72.0
_BARS_MAX: Final = 60
_BARS_MIN: Final = 8
_STORED_A_BAR: Final = 3
"""In the mean, if there can be so many: else a bar says more of chance than of speed."""
_BY_THE_MINUTE_S: Final = 2 * 3600.0
"""A run of up to so long is told by the minute, a longer one by the hour."""
_NEAR: Final = 3
"""A budget that is more than so many times what was spent has no line: it would flatten all else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """The money of some jobs, as their attempts say."""

    payments: tuple[tuple[float, Decimal], ...]
    """When (seconds since 1970) and how much; in order."""
    unpriced: int
    """How many more submits there were at a price that is not known."""
    currency: str
    budget: Decimal | None = None

    @property
    def total(self) -> Decimal:
        """What is known to be spent."""
        return sum((price for _, price in self.payments), Decimal(0))


def spending(jobs: Iterable[JobState], currency: str, budget: Decimal | None) -> Spending:
    """What *jobs* cost, or may have."""
    counting = [attempt for job in jobs for attempt in job.attempts if attempt.counts]
    payments = [(a.submitted_at.timestamp(), a.price) for a in counting if a.price is not None]
    return Spending(
        payments=tuple(sorted(payments)),
        unpriced=sum(attempt.price is None for attempt in counting),
        currency=currency,
        budget=budget,
    )


def pace(stored_at: Sequence[datetime], spent: Spending, busy: Sequence[tuple[float, float]]) -> Chart:
    """The videos *stored_at* these times, and what was *spent*, over the *busy* times."""
    times = time_scale(busy, LEFT, RIGHT)
    by_the_minute = times.shown_s <= _BY_THE_MINUTE_S
    unit, unit_s = ("a minute", 60.0) if by_the_minute else ("an hour", 3600.0)
    bars = rates([at.timestamp() for at in stored_at], times, unit_s)
    top = 22.0
    bottom = top + _PANEL
    marks = [*_stored(bars, unit, top)]
    if spent.total:
        top = bottom + 28
        bottom = top + _PANEL
        marks += _spent(spent, times, top)
    marks = [*gaps(times, 22, bottom), *marks, *hours(times, bottom)]
    most = max(bar.rate for bar in bars)
    told = (
        f"Videos stored {unit}, {most:.3g} at most, {len(stored_at):,} in all. {_told_money(spent)} {told_span(busy)}"
    )
    return chart(
        "pace",
        title="Throughput and spend" if spent.total else "Throughput",
        told=told,
        height=bottom + TIMES_HEIGHT,
        marks=marks,
        note=sentences(_told_money(spent), _told_budget(spent), told_gaps(times)),
    )


class Bar(NamedTuple):
    """A part of the axis, and how many videos a unit of time were stored in it."""

    start: float
    end: float
    rate: float


def rates(stored_s: Sequence[float], times: TimeScale, unit_s: float) -> list[Bar]:
    """How many of *stored_s* there were in each part of the axis, a unit of time of *unit_s* seconds.

    A stretch has whole bars only, so that none looks slow because it is cut.
    """
    bars_max = min(_BARS_MAX, max(_BARS_MIN, len(stored_s) // _STORED_A_BAR))
    step_s = next((step for step in STEPS_S if times.shown_s / step <= bars_max), STEPS_S[-1])
    parts = [part for stretch in times.stretches for part in _parts(stretch, step_s)]
    starts = [start for start, _, _ in parts]
    counts = Counter(max(0, bisect_right(starts, times(at_s)) - 1) for at_s in stored_s)
    return [Bar(start, end, counts[n] * unit_s / length_s) for n, (start, end, length_s) in enumerate(parts)]


def _parts(stretch: Stretch, step_s: int) -> Iterator[tuple[float, float, float]]:
    """Where each part of *stretch* begins and ends, and how many seconds it stands for, a second at least."""
    length_s = stretch.ended_s - stretch.began_s
    count = max(1, min(round(length_s / step_s), _BARS_MAX))
    width = (stretch.end - stretch.start) / count
    for n in range(count):
        yield stretch.start + n * width, stretch.start + (n + 1) * width, max(length_s / count, 1.0)


def _stored(bars: Sequence[Bar], unit: str, top: float) -> Iterator[str]:
    upward = scale(max(bar.rate for bar in bars), top + _PANEL, top)
    yield label(0, top - 9, f"stored {unit}")
    yield from levels(upward)
    d = "".join(box(x, upward(rate), x + max(upto - x - 0.5, 0.5), upward(0)) for x, upto, rate in bars if rate)
    if d:
        yield area(STORED, d)


def _spent(spent: Spending, times: TimeScale, top: float) -> Iterator[str]:
    near = spent.budget is not None and spent.budget <= spent.total * _NEAR
    high = max(spent.total, spent.budget or Decimal(0)) if near else spent.total
    upward = scale(float(high), top + _PANEL, top)
    yield label(0, top - 9, f"spent so far, {spent.currency}")
    yield from levels(upward)
    yield stroke(MONEY, _steps(spent.payments, times, upward), 2)
    if near and spent.budget is not None:
        y = upward(float(spent.budget))
        yield line(LEFT, y, RIGHT, y, BOUND, more=' stroke-dasharray="4 3"')
        yield label(RIGHT, y - 4, f"budget {money(spent.budget, spent.currency)}", "end")


def _steps(payments: Sequence[tuple[float, Decimal]], times: TimeScale, upward: Scale) -> str:
    """The path of what was spent so far: a step where it grew, one for all that are in the same place."""
    so_far: dict[str, Decimal] = {}
    total = Decimal(0)
    for at_s, price in payments:
        total += price
        so_far[f"{times(at_s):.0f}"] = total
    steps = "".join(f"H{x}V{figure(upward(float(amount)))}" for x, amount in so_far.items())
    return f"M{LEFT} {figure(upward(0))}{steps}H{RIGHT}"


def _told_money(spent: Spending) -> str:
    if not spent.total and not spent.unpriced:
        return "Nothing was spent."
    if not spent.total:
        return f"What {plural(spent.unpriced, 'submit')} cost is not known."
    if not spent.unpriced:
        return f"{money(spent.total, spent.currency)} spent."
    known, unknown = money(spent.total, spent.currency), plural(spent.unpriced, "submit")
    return f"At least {known} spent: the price of {unknown} is not known."


def _told_budget(spent: Spending) -> str:
    return "" if spent.budget is None else f"The budget is {money(spent.budget, spent.currency)}."
