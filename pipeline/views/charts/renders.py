"""How long videos took to render, by model and size: a histogram each, all in the same columns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from pipeline.ledger.course import Passage
from pipeline.text import cells, duration, plural
from pipeline.views.charts.axes import levels
from pipeline.views.charts.chart import LEFT, RIGHT, WIDTH, Chart, chart
from pipeline.views.charts.marks import CELL, area, box, label, line, shortened
from pipeline.views.charts.phases import BOUND, LOOKS, Phase
from pipeline.views.charts.scale import Scale, scale
from pipeline.views.rows import Row

COLUMNS_MAX: Final = 24
COLUMNS_MIN: Final = 8
PANELS_MAX: Final = 6
"""More models and sizes than these are counted together."""
_PANEL: Final = 56.0
_TOP: Final = 24.0
_PITCH: Final = 90.0
_STRETCHED: Final = 3.0
"""What took longer than so many times the 90th percentile stands in the last column: it would flatten all others."""


class Unit(NamedTuple):
    """A unit of time."""

    name: str
    length_s: float
    upto_s: float
    """Longer times have another."""


_UNITS: Final = (Unit("s", 1.0, upto_s=180.0), Unit("min", 60.0, upto_s=3 * 3600.0), Unit("h", 3600.0, upto_s=math.inf))
"""In what times are written."""


class Panel(NamedTuple):
    """The times of one kind of video, sorted and some."""

    words: str
    times_s: Sequence[float]


def render_times(passages: Sequence[Passage], rows: Mapping[str, Row]) -> list[Panel]:
    """By model and size; what was rendered most comes first, what is rare stands together.

    A video that was adopted is left out: nobody knows when its rendering began.
    """
    found: dict[tuple[str, str], list[float]] = {}
    for passage in passages:
        if passage.accepted_at and passage.finished_at and not passage.adopted:
            took_s = (passage.finished_at - passage.accepted_at).total_seconds()
            row = rows[passage.job]
            found.setdefault((row.model, row.size), []).append(max(0.0, took_s))
    ranked = sorted(found.items(), key=lambda kind: (-len(kind[1]), kind[0]))
    shown_max = PANELS_MAX if len(ranked) <= PANELS_MAX else PANELS_MAX - 1
    panels = [Panel(" · ".join(filter(None, kind)), sorted(times_s)) for kind, times_s in ranked[:shown_max]]
    if rest := ranked[shown_max:]:
        panels.append(Panel(f"{len(rest):,} more models and sizes", sorted(s for _, times_s in rest for s in times_s)))
    return panels


def renders(panels: Sequence[Panel]) -> Chart:
    """The histograms of *panels* (at least one)."""
    longest_s = max(panel.times_s[-1] for panel in panels)
    upto_s = min(longest_s, max(_STRETCHED * share(panel.times_s, 0.9) for panel in panels))
    unit = next(unit for unit in _UNITS if upto_s <= unit.upto_s)
    across = scale(upto_s / unit.length_s, LEFT, RIGHT, ticks_max=8)
    columns = columns_for(max(len(panel.times_s) for panel in panels))
    marks = [
        part for n, panel in enumerate(panels) for part in _panel(n, panel, across=across, unit=unit, columns=columns)
    ]
    bottom = _TOP + _PITCH * (len(panels) - 1) + _PANEL
    over = sum(took_s > across.high * unit.length_s for panel in panels for took_s in panel.times_s)
    return chart(
        "renders",
        title="Render times",
        told="Histograms of the time from the accepted submit to the finished video. "
        + " ".join(f"{panel.words}: {told(panel.times_s, unit)}." for panel in panels),
        height=bottom + 34,
        marks=[*marks, *_below(across, bottom, unit.name, over=over > 0)],
        note=_note(over, across.high * unit.length_s, longest_s),
    )


def _note(over: int, high_s: float, longest_s: float) -> str:
    lines = "The solid line is the median, the dashed one the 90th percentile."
    if not over:
        return lines
    outside = f"{over:,} took longer than {duration(high_s)}, {duration(longest_s)} at the longest"
    return f"{lines} {outside}, and stand in the last column."


def share(times_s: Sequence[float], part: float) -> float:
    """The time within which so large a *part* of *times_s*, which are sorted and some, was rendered."""
    return times_s[max(0, math.ceil(len(times_s) * part) - 1)]


def told(times_s: Sequence[float], unit: Unit) -> str:
    """The figures of a panel in words."""
    middle, most = (_figure(share(times_s, part) / unit.length_s) for part in (0.5, 0.9))
    return f"{plural(len(times_s), 'video')}, median {middle}, 90 % in {most} {unit.name}"


def _figure(length: float) -> str:
    return f"{length:.{2 if length < 1 else 1 if length < 100 else 0}f}"


def columns_for(count: int) -> int:
    """How many columns show *count* times well: twice the cube root (Rice's rule), within bounds."""
    return min(COLUMNS_MAX, max(COLUMNS_MIN, math.ceil(2 * math.cbrt(count))))


def counts(times_s: Sequence[float], high_s: float, columns: int) -> list[int]:
    """How many of *times_s* fall into each of the *columns*; what is longer than *high_s* into the last."""
    found = [0] * columns
    for took_s in times_s:
        found[min(int(took_s / high_s * columns), columns - 1)] += 1
    return found


def _panel(n: int, panel: Panel, *, across: Scale, unit: Unit, columns: int) -> Iterator[str]:
    top, width = _TOP + _PITCH * n, (RIGHT - LEFT) / columns
    words, times_s = panel
    figures = told(times_s, unit)
    found = counts(times_s, across.high * unit.length_s, columns)
    upward = scale(max(found), top + _PANEL, top, whole=True)
    yield label(0, top - 10, shortened(words, WIDTH - cells(figures) * CELL - 8))
    yield label(WIDTH, top - 10, figures, "end")
    yield from levels(upward)
    for column, count in enumerate(found):
        if count:
            x = LEFT + column * width
            yield area(LOOKS[Phase.RENDERING], box(x + 0.5, upward(count), x + width - 0.5, upward(0)))
    for part, dashes in ((0.5, ""), (0.9, ' stroke-dasharray="4 3"')):
        x = min(across(share(times_s, part) / unit.length_s), RIGHT)
        yield line(x, top - 4, x, top + _PANEL, BOUND, more=f' stroke-width="1.5"{dashes}')


def _below(across: Scale, bottom: float, unit: str, *, over: bool) -> Iterator[str]:
    for tick in across.ticks:
        last = tick == across.ticks[-1]
        yield line(across(tick), bottom, across(tick), bottom + 4, "chart-axis")
        yield label(
            across(tick), bottom + 16, f"≥ {across.words(tick)}" if last and over else across.words(tick), "middle"
        )
    yield label((LEFT + RIGHT) / 2, bottom + 30, f"render time, {unit}", "middle")
