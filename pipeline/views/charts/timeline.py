"""What happened when, a line a job: for as many jobs as can be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pipeline.ledger.course import Passage
from pipeline.lifecycle import Fact
from pipeline.text import duration, plural
from pipeline.views.charts.axes import TIMES_HEIGHT, gaps, hours, told_gaps, told_span
from pipeline.views.charts.chart import LEFT, RIGHT, Chart, chart, sentences
from pipeline.views.charts.marks import abridged, area, box, cross, escaped, figure, label, legend, shortened, stroke
from pipeline.views.charts.phases import LOOKS, STORED, WRONG, Phase, phases_of
from pipeline.views.charts.times import TimeScale, time_scale

TITLE: Final = "Timeline"
_TOP: Final = 28.0
_HEIGHT_MAX: Final = 300.0
"""With what stands around it, about 40 % of a page's height."""
_PITCH_MAX: Final = 15.0
_PITCH_NAMED: Final = 8.0
"""Lines that are closer together have no names beside them."""
_NAME_MAX: Final = 11.0
_NAME_OF_LINE: Final = 0.96
"""So much of its line is a name high at most, so that no two run into each other."""
_NAMES_WIDTH: Final = 128.0
_SHORTEST: Final = 1.0
"""A phase is drawn at least so wide, be it a millisecond."""
_TIP_WIDTH: Final = 400.0
_ATTEMPTS_TOLD: Final = 3
_LEGEND: Final = (*((LOOKS[phase], phase.value) for phase in Phase), (STORED, "stored"), (WRONG, "no video"))
_TRIED_AGAIN: Final = frozenset({Fact.THROTTLED, Fact.NOT_SENT, Fact.NOT_CREATED})
"""Ends of attempts that made nothing, and that nobody has to look at."""


def timeline(passages: Sequence[Passage], ids: Mapping[str, str], busy: Sequence[tuple[float, float]]) -> Chart:
    """The timeline of *passages* (at least one), by the ids of their jobs; *busy* are the times that are drawn."""
    jobs: dict[str, list[Passage]] = {}
    for passage in passages:
        jobs.setdefault(passage.job, []).append(passage)
    pitch = min(_PITCH_MAX, _HEIGHT_MAX / len(jobs))
    times = time_scale(busy, _NAMES_WIDTH if pitch >= _PITCH_NAMED else LEFT, RIGHT)
    until_s = busy[-1][1]
    bottom = _TOP + pitch * len(jobs) + 3
    rows = [
        _row(ids[job], ways, times, until_s=until_s, y=_TOP + pitch * (n + 0.5), pitch=pitch)
        for n, (job, ways) in enumerate(jobs.items())
    ]
    marks = [legend(_LEGEND, 0, 10), *gaps(times, _TOP - 4, bottom), *rows, *hours(times, bottom)]
    height = bottom + TIMES_HEIGHT
    return chart("timeline", title=TITLE, told=_told(jobs, busy), height=height, marks=marks, note=_note(jobs, times))


def _told(jobs: Mapping[str, Sequence[Passage]], busy: Sequence[tuple[float, float]]) -> str:
    stored = sum(any(way.stored_at for way in ways) for ways in jobs.values())
    return (
        f"A line for each of {plural(len(jobs), 'job')}, in the order of their submits: when it was submitted, "
        f"rendering and downloading. {stored:,} of them came to a stored video. {told_span(busy)}"
    )


def _note(jobs: Mapping[str, Sequence[Passage]], times: TimeScale) -> str:
    again = sum(sum(way.accepted_at is not None for way in ways) > 1 for ways in jobs.values())
    ended = any(_is_wrong(way) for ways in jobs.values() for way in ways)
    return sentences(
        "A cross marks an attempt that ended without a video." if ended else "",
        f"{plural(again, 'job')} was accepted more than once." if again == 1 else "",
        f"{plural(again, 'job')} were accepted more than once." if again > 1 else "",
        told_gaps(times),
    )


def _row(name: str, ways: Sequence[Passage], times: TimeScale, *, until_s: float, y: float, pitch: float) -> str:
    """One job: its phases, and what ended each attempt."""
    thick = max(1.0, pitch * 0.6)
    half = max(2.0, min(thick / 2, 4.0))
    parts = [f"<title>{escaped(_told_row(name, ways, until_s))}</title>"]
    if pitch >= _PITCH_NAMED:
        high = min(_NAME_MAX, pitch * _NAME_OF_LINE)
        words = abridged(name, (_NAMES_WIDTH - 16) * _NAME_MAX / high)
        parts.append(label(_NAMES_WIDTH - 7, y + high * 0.36, words, "end", f' font-size="{figure(high)}"'))
    for phase, d in _bars(ways, times, until_s, y).items():
        parts.append(stroke(LOOKS[phase], d, thick))
    stored = [times(way.stored_at.timestamp()) for way in ways if way.stored_at]
    ended = [times(way.ended_at.timestamp()) for way in ways if way.ended_at and _is_wrong(way)]
    if stored:
        parts.append(area(STORED, "".join(box(x - half / 2, y - half, x + half / 2, y + half) for x in stored)))
    if ended:
        parts.append(stroke(WRONG, "".join(cross(x, y, half) for x in ended)))
    return f'<g class="chart-job">{"".join(parts)}</g>'


def _bars(ways: Sequence[Passage], times: TimeScale, until_s: float, y: float) -> dict[Phase, str]:
    """A path for each phase; bars that meet are one."""
    bars: dict[Phase, list[list[float]]] = {}
    for way in ways:
        for phase, began_s, ended_s in phases_of(way, until_s):
            x = times(began_s)
            upto = max(times(ended_s), x + _SHORTEST)
            drawn = bars.setdefault(phase, [])
            if drawn and x <= drawn[-1][1] + _SHORTEST / 2:
                drawn[-1][1] = max(upto, drawn[-1][1])
            else:
                drawn.append([x, upto])
    return {
        phase: "".join(f"M{figure(x)} {figure(y)}H{figure(upto)}" for x, upto in drawn) for phase, drawn in bars.items()
    }


def _told_row(name: str, ways: Sequence[Passage], until_s: float) -> str:
    """What a pointer that rests on the line is told."""
    earlier = len(ways) - _ATTEMPTS_TOLD
    told = [f"{plural(earlier, 'earlier attempt')}"] if earlier > 0 else []
    for way in ways[-_ATTEMPTS_TOLD:]:
        phases = [f"{duration(upto - since)} {phase}" for phase, since, upto in phases_of(way, until_s)]
        told.append(", ".join([*phases, "stored" if way.stored_at else way.end or "under way"]))
    return f"{shortened(name, _TIP_WIDTH)}: {'; '.join(told)}"


def _is_wrong(way: Passage) -> bool:
    return way.end is not None and way.end not in _TRIED_AGAIN
