"""Bars for a terminal: videos, bytes, and a line that says how things stand.

tqdm draws; when and how wide is decided here, so that every line fits the terminal as it is at that moment.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from tqdm import tqdm

from pipeline.cli.observers.lines import notice
from pipeline.cli.observers.tally import Tally
from pipeline.cli.observers.watcher import Clean, Clock, Watcher
from pipeline.cli.streams import columns_of
from pipeline.progress import Ended, Event, Notice, Started
from pipeline.text import WIDTH, byte_size, fit, plain, wrap

REFRESH_S = 0.1
SPEED_MEMORY_S = 5.0

if TYPE_CHECKING:
    _Tqdm = tqdm[None]
else:
    _Tqdm = tqdm


class _Bar(_Tqdm):
    monitor_interval = 0  # no thread of its own: we say when to draw


class Bars(Watcher):
    """Three lines at the bottom of the terminal, redrawn at most ten times a second; notices scroll by above."""

    def __init__(self, stream: TextIO, *, clock: Clock, clean: Clean = plain) -> None:
        self._stream = stream
        self._clock = clock
        self._clean = clean
        self._tally = Tally()
        self._speed = Speed()
        self._drawn_at = -math.inf
        self._bars: tuple[_Bar, ...] = ()

    def note(self, event: Event) -> None:
        self._tally.note(event, self._clock())
        match event:
            case Started() if not self._bars:
                self._bars = self._open()
                self._draw()
            case Notice():
                self._write(notice(event, self._clean))
            case Ended():
                self.finish()
            case _:
                self.show()

    def show(self) -> None:
        if self._bars and self._clock() - self._drawn_at >= REFRESH_S:
            self._draw()

    def finish(self) -> None:
        bars, self._bars = self._bars, ()
        for bar in reversed(bars):
            bar.close()

    def _open(self) -> tuple[_Bar, ...]:
        whole = "{desc}{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}"
        layouts = (("videos ", whole), ("", "{desc}"), ("", "{desc}"))
        return tuple(
            _Bar(total=0, desc=desc, bar_format=layout, file=self._stream, position=n, leave=False, ncols=self._width())
            for n, (desc, layout) in enumerate(layouts)
        )

    def _draw(self) -> None:
        now_s, width = self._clock(), self._width()
        videos, received, standing = self._bars
        videos.total, videos.n = self._tally.total, self._tally.stored
        received.desc = fit(self._received(now_s), width)
        standing.desc = joined(self._tally.phrases(now_s), width)
        for bar in self._bars:
            bar.ncols = width
            bar.refresh()
        self._drawn_at = now_s

    def _received(self, now_s: float) -> str:
        speed = self._speed.at(now_s, self._tally.received_bytes)
        return f"received {byte_size(self._tally.received_bytes)}, {byte_size(speed)}/s"

    def _write(self, line: str) -> None:
        tqdm.write(wrap(line, self._width(), indent="   "), file=self._stream)

    def _width(self) -> int:
        """One column less than there are: a line that fills the last one makes some terminals wrap."""
        return (columns_of(self._stream) or WIDTH) - 1


class Speed:
    """Bytes per second, smoothed over the last few seconds."""

    def __init__(self) -> None:
        self._per_s = 0.0
        self._seen: tuple[float, int] | None = None

    def at(self, now_s: float, total_bytes: int) -> float:
        """The speed at *now_s*, when *total_bytes* have come altogether."""
        then_s, before_bytes = self._seen or (now_s, total_bytes)
        if now_s > then_s:
            share = 1 - math.exp((then_s - now_s) / SPEED_MEMORY_S)
            self._per_s += share * ((total_bytes - before_bytes) / (now_s - then_s) - self._per_s)
        if self._seen is None or now_s > then_s:
            self._seen = (now_s, total_bytes)
        return self._per_s


def joined(phrases: Iterable[str], width: int) -> str:
    """As many of *phrases* as fit into *width* columns, the first ones first, with commas between them."""
    line = ""
    for phrase in phrases:
        longer = f"{line}, {phrase}" if line else phrase
        if len(longer) <= width:
            line = longer
    return line
