"""From times to places along an axis that leaves out the hours in which nothing happened.

A run goes on over several nights: drawn to scale, the days between would leave a few pixels to each. So a time without
any fact that is longer than `course.QUIET_S` is drawn short, and marked.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

_M, _H, _D = 60, 3600, 86_400
STEPS_S: Final = (
    *(1, 2, 5, 10, 15, 30, _M, 2 * _M, 5 * _M, 10 * _M, 15 * _M, 30 * _M),
    *(_H, 2 * _H, 3 * _H, 6 * _H, 12 * _H, _D, 2 * _D, 5 * _D, 10 * _D),
    *(20 * _D, 50 * _D, 100 * _D, 200 * _D, 500 * _D, 1000 * _D),
)
"""How far apart labels of time may be: neighbours differ by 2.5 at most, so there are always 3 to `TICKS_MAX`."""
TICKS_MAX: Final = 8
SHORTEST_S: Final = 3.0
"""No axis shows less: the finest step is a second."""
_GAP: Final = 12.0
_GAPS_SHARE: Final = 0.3
"""So wide is a time that is drawn short, and so much of the axis all of them take at most."""
_STRETCH_SHARE: Final = 0.02
"""A stretch takes at least so much of the axis, be it a second."""
_APART: Final = 37.0
"""Labels of time stand at least so far apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A time in which things happened, and where it is drawn."""

    began_s: float
    ended_s: float
    """Seconds since 1970."""
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A time that is written below the axis."""

    at_s: float
    place: float
    words: str
    date: str = ""
    """The day, where it is another than the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeScale:
    """Stretches, one after the other, with the times that are drawn short between them."""

    stretches: tuple[Stretch, ...]
    stops_s: tuple[float, ...]
    """Times, growing: between two of them it is drawn to scale."""
    places: tuple[float, ...]
    """Where they are."""
    ticks: tuple[Tick, ...]

    def __call__(self, at_s: float) -> float:
        stops_s, places = self.stops_s, self.places
        n = bisect_right(stops_s, at_s)
        if n == 0:
            return places[0]
        if n == len(stops_s):
            return places[-1]
        before_s, start = stops_s[n - 1], places[n - 1]
        return start + (places[n] - start) * (at_s - before_s) / (stops_s[n] - before_s)

    @property
    def gaps(self) -> list[tuple[Stretch, Stretch]]:
        """What lies before and after each time that is drawn short."""
        return list(pairwise(self.stretches))

    @property
    def shown_s(self) -> float:
        """How much time is drawn to scale."""
        return sum(stretch.ended_s - stretch.began_s for stretch in self.stretches)


def time_scale(busy: Sequence[tuple[float, float]], start: float, end: float) -> TimeScale:
    """The scale of *busy* times (from, until; at least one, in order, apart) from the place *start* to *end*."""
    (first_s, last_s), *_ = reversed(busy)
    busy = [*busy[:-1], (first_s, max(last_s, first_s + SHORTEST_S))]
    stretches = tuple(_laid_out(busy, start, end))
    stops_s = tuple(at_s for s in stretches for at_s in (s.began_s, s.ended_s))
    places = tuple(place for s in stretches for place in (s.start, s.end))
    return TimeScale(stretches=stretches, stops_s=stops_s, places=places, ticks=tuple(_ticks(stretches)))


def _laid_out(busy: Sequence[tuple[float, float]], start: float, end: float) -> Iterator[Stretch]:
    gaps = len(busy) - 1
    gap = min(_GAP, (end - start) * _GAPS_SHARE / gaps) if gaps else 0.0
    least_s = sum(until - since for since, until in busy) * _STRETCH_SHARE
    lengths_s = [max(until - since, least_s) for since, until in busy]
    a_second = (end - start - gap * gaps) / sum(lengths_s)
    place = start
    for (since, until), length_s in zip(busy, lengths_s, strict=True):
        upto = place + length_s * a_second
        yield Stretch(began_s=since, ended_s=max(until, since + 1e-3), start=place, end=min(upto, end))
        place = upto + gap


def _ticks(stretches: Sequence[Stretch]) -> Iterator[Tick]:
    many = len(stretches) > 1
    step_s, marks = _marks(stretches, _M if many else 1)
    begins = [(s.start, s.began_s) for s in stretches] if many else []  # when a night began says more than round times
    shown: list[tuple[float, float]] = []
    for place, at_s in (*begins, *marks):
        if all(abs(place - other) >= _APART for other, _ in shown):
            shown.append((place, at_s))
    day, last_s = "", -math.inf
    for place, at_s in sorted(shown):
        at = datetime.fromtimestamp(at_s, UTC)
        today = f"{at:%Y}" if step_s >= _D else f"{at.day} {at:%b}"
        yield Tick(at_s=at_s, place=place, words=_words(at, step_s, at_s - last_s), date="" if today == day else today)
        day, last_s = today, at_s


def _marks(stretches: Sequence[Stretch], least_s: int) -> tuple[int, list[tuple[float, float]]]:
    """The finest step, from *least_s* on, that gives few enough round times, and these with their places."""
    for step_s in STEPS_S:
        if step_s < least_s or sum((s.ended_s - s.began_s) / step_s for s in stretches) > TICKS_MAX + 1:
            continue
        marks = [mark for s in stretches for mark in _within(s, step_s)]
        if len(marks) <= TICKS_MAX:
            return step_s, marks
    return STEPS_S[-1], []


def _within(stretch: Stretch, step_s: int) -> Iterator[tuple[float, float]]:
    length_s, length = stretch.ended_s - stretch.began_s, stretch.end - stretch.start
    for n in range(int(-(-stretch.began_s // step_s)), int(stretch.ended_s // step_s) + 1):
        yield stretch.start + (n * step_s - stretch.began_s) / length_s * length, n * step_s


def _words(at: datetime, step_s: int, since_s: float) -> str:
    """A time as finely as the steps are; *since_s* after the label before it, which may have said the minute."""
    if step_s >= _D:
        return f"{at.day} {at:%b}"
    if step_s >= _M or not at.second:
        return f"{at:%H:%M}"
    return f":{at:%S}" if since_s < _M else f"{at:%H:%M:%S}"
