"""What happened when, lane by lane: how many jobs were in each at once, for more of them than can be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Final

from pipeline.ledger.course import Passage
from pipeline.text import plural
from pipeline.views.charts.axes import TIMES_HEIGHT, gaps, hours, levels, told_gaps, told_span
from pipeline.views.charts.chart import LEFT, RIGHT, Chart, chart, sentences
from pipeline.views.charts.marks import area, figure, label
from pipeline.views.charts.phases import LOOKS, STORED, Phase, stops_of
from pipeline.views.charts.scale import Scale, scale
from pipeline.views.charts.timeline import TITLE
from pipeline.views.charts.times import time_scale

_PANEL: Final = 60.0
_TOP: Final = 22.0
_PITCH: Final = 92.0
_COLUMNS: Final = RIGHT - LEFT
"""One a unit: no more can be seen."""
_LANES: Final = {Phase.SUBMITTING: "submit", Phase.RENDERING: "watch", Phase.DOWNLOADING: "collect"}


def lanes(passages: Sequence[Passage], busy: Sequence[tuple[float, float]]) -> Chart:
    """How many of *passages* (at least one) were in which phase over the *busy* times, and how many were stored."""
    times = time_scale(busy, LEFT, RIGHT)
    spans: dict[Phase, list[tuple[float, float]]] = {phase: [] for phase in Phase}
    stored = []
    for passage in passages:
        places = [times(at_s) for at_s in stops_of(passage, busy[-1][1])]
        for phase, span in zip(Phase, pairwise(places), strict=False):
            spans[phase].append(span)
        if passage.stored_at is not None:
            stored.append(places[-1])
    most = {phase: at_once_max(spans[phase]) for phase in Phase}
    bottom = _TOP + _PITCH * len(Phase) + _PANEL
    marks = list(gaps(times, _TOP, bottom))
    for n, phase in enumerate(Phase):
        words = f"{phase} ({_LANES[phase]} lane), at most {most[phase]:,} at once"
        marks += _panel(n, words, LOOKS[phase], at_once(spans[phase]))
    marks += _panel(len(Phase), f"stored, {len(stored):,} in all", STORED, so_far(stored))
    marks += hours(times, bottom)
    told = (
        f"Areas over time for {plural(len(passages), 'attempt')}: "
        + ", ".join(f"at most {most[phase]:,} {phase}" for phase in Phase)
        + f" at once, and {len(stored):,} stored in the end. {told_span(busy)}"
    )
    note = sentences("How many were in each lane at once, in the mean of each column.", told_gaps(times))
    return chart("timeline", title=TITLE, told=told, height=bottom + TIMES_HEIGHT, marks=marks, note=note)


def _panel(n: int, words: str, look: str, counts: Sequence[float]) -> list[str]:
    top = _TOP + _PITCH * n
    upward = scale(max(counts), top + _PANEL, top, whole=max(counts) > 1)
    return [label(0, top - 10, words), *levels(upward), area(look, _outline(counts, upward))]


def _outline(counts: Sequence[float], upward: Scale) -> str:
    """The area below a column for each count; columns of one height are one step."""
    d, last = [f"M{LEFT} {figure(upward(0))}"], figure(upward(0))
    for n, count in enumerate(counts):
        if (y := figure(upward(count))) != last:
            d.append(f"H{LEFT + n}V{y}")
            last = y
    return f"{''.join(d)}H{RIGHT}V{figure(upward(0))}Z"


def at_once(spans: Sequence[tuple[float, float]]) -> list[float]:
    """How many of *spans* (places, from and upto) there are in each column, in the mean."""
    changes = [0.0] * (_COLUMNS + 2)
    for start, end in spans:
        for place, sign in ((start, 1.0), (end, -1.0)):
            column = int(place - LEFT)
            part = place - LEFT - column
            changes[column] += sign * (1 - part)  # of its own column it fills what is left,
            changes[column + 1] += sign * part  # and all of those after it
    return [max(0.0, count) for count in accumulate(changes[:_COLUMNS])]


def so_far(places: Sequence[float]) -> list[float]:
    """How many of *places* were passed at the end of each column."""
    counts = [0] * (_COLUMNS + 1)
    for place in places:
        counts[min(int(place - LEFT), _COLUMNS - 1)] += 1
    return [float(count) for count in accumulate(counts[:_COLUMNS])]


def at_once_max(spans: Sequence[tuple[float, float]]) -> int:
    """How many of *spans* there were at once, at most; one that ends as another begins is over."""
    ends = sorted(end for _, end in spans)
    most = over = 0
    for begun, start in enumerate(sorted(start for start, _ in spans), start=1):
        while over < begun and ends[over] <= start:
            over += 1
        most = max(most, begun - over)
    return most
