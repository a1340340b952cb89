"""What stands around a plot: lines to read figures by, figures and times, and the marks of what is drawn short."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from pipeline.text import duration
from pipeline.views.charts.chart import LEFT, RIGHT
from pipeline.views.charts.marks import area, box, label, line
from pipeline.views.charts.scale import Scale
from pipeline.views.charts.times import TimeScale

TIMES_HEIGHT: Final = 32.0
"""What the labels below an axis of time take."""
_GRID: Final = ' stroke-opacity=".15"'
_GAPS_SHOWN_MAX: Final = 40
"""More of them are closer together than marks can be."""


def levels(scale: Scale, left: float = LEFT, right: float = RIGHT) -> Iterator[str]:
    """Figures beside a plot, and the lines that lead from them."""
    for tick in scale.ticks:
        y = scale(tick)
        yield line(left, y, right, y, "chart-axis" if tick == 0 else "chart-grid", more="" if tick == 0 else _GRID)
        yield label(left - 5, y + 4, scale.words(tick), "end")


def hours(times: TimeScale, y: float) -> Iterator[str]:
    """The axis of time at *y*, in UTC."""
    for stretch in times.stretches:
        yield line(stretch.start, y, stretch.end, y, "chart-axis")
    yield label(0, y + 16, "UTC")
    for tick in times.ticks:
        yield line(tick.place, y, tick.place, y + 4, "chart-axis")
        yield label(tick.place, y + 16, tick.words, "middle")
        if tick.date:
            yield label(tick.place, y + 29, tick.date, "middle")


def gaps(times: TimeScale, top: float, bottom: float) -> Iterator[str]:
    """Bands where time is drawn short."""
    if len(times.gaps) <= _GAPS_SHOWN_MAX:
        for before, after in times.gaps:
            words = f"{duration(after.began_s - before.ended_s)} without a fact, drawn short"
            band = area("", box(before.end + 1, top, after.start - 1, bottom), words)
            yield f'<g class="chart-gap" fill-opacity=".12">{band}</g>'


def told_gaps(times: TimeScale) -> str:
    """What a note says of them; empty: there are none."""
    if not (count := len(times.gaps)):
        return ""
    longest = max(after.began_s - before.ended_s for before, after in times.gaps)
    if count == 1:
        return f"The grey band stands for {duration(longest)} in which nothing happened."
    return f"The {count:,} grey bands stand for times in which nothing happened, {duration(longest)} at the longest."


def told_span(busy: Sequence[tuple[float, float]]) -> str:
    """From when until when, for a description."""
    began, ended = (datetime.fromtimestamp(at_s, UTC) for at_s in (busy[0][0], busy[-1][1]))
    return f"From {began:%Y-%m-%d %H:%M} to {ended:%Y-%m-%d %H:%M} UTC."
