"""`vidbatch status --watch`: where a run stands, shown anew while others work on it.

The ledger is followed without its lock. Looking takes no more than a tenth of one core, however many jobs there
are: what takes longer is done less often.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from pipeline.cli.circumstances import circumstances_of
from pipeline.cli.colour import status_for
from pipeline.cli.ending import ended_like_ctrl_c
from pipeline.ledger.follow import Follower
from pipeline.ledger.ledger import utc_now
from pipeline.ledger.place import ledger_of
from pipeline.ledger.presence import Presence, presence
from pipeline.text import plural
from pipeline.views.frame import BACK, OTHER_SCREEN, framed
from pipeline.views.status import status_text
from pipeline.views.survey import Circumstances, Survey, survey

if TYPE_CHECKING:
    pass

_SHARE = 10
"""Looking takes at most one part in so many of a processor's time."""
_PAUSE_S_MAX = 10.0
"""Unless a ledger had to be read anew, which is rare."""


def watch(run: Path, *, interval_s: float) -> int:
    """Show where *run* stands every *interval_s*, until nobody works on it; returns the exit code."""
    view, stream = _View(run), sys.stdout
    with ended_like_ctrl_c(), _screen(stream) as is_screen:
        is_news, took_s = view.look(), 0.0  # this look reads all there is, and says nothing of those that follow
        while not view.end:
            if is_screen or is_news:
                stream.write(_drawn(view.text, stream) if is_screen else f"{utc_now():%H:%M:%S} UTC  {view.text}\n\n")
                stream.flush()
            time.sleep(pause_s(interval_s, took_s=took_s))
            began_s = time.process_time()
            is_news = view.look()
            took_s = time.process_time() - began_s
    print(status_for(stream, view.text))
    print(view.end)
    return 0


class _View:
    """A run as it was seen last."""

    def __init__(self, run: Path) -> None:
        self.text = ""
        self.end = ""
        """Why there is no more to watch; empty while there is."""
        self._run = run
        self._follower = Follower(ledger_of(run))
        self._around: Circumstances | None = None
        self._known: object = None
        """What the circumstances were found by."""

    def look(self) -> bool:
        """Look again; whether anything has happened."""
        there = presence(self._follower.path)  # before the ledger, so that what a runner wrote last is in it
        is_news = self._follower.look()
        around = self._circumstances(there)
        seen = survey(self._follower.state, around, now=utc_now())
        self.text, self.end = status_text(self._follower.state, seen, around), end_of(seen, around)
        return is_news

    def _circumstances(self, there: Presence) -> Circumstances:
        state = self._follower.state
        known = state.header, state.reading
        if self._around is None or self._known != known:
            self._around, self._known = circumstances_of(self._run, state, there), known
        return replace(self._around, presence=there)


def pause_s(interval_s: float, *, took_s: float) -> float:
    """How long to wait until the next look, after one that *took_s* of a processor."""
    return max(interval_s, min(took_s * (_SHARE - 1), _PAUSE_S_MAX))


def end_of(seen: Survey, around: Circumstances) -> str:
    """Why there is no more to watch; empty while there is."""
    if around.presence is Presence.AT_WORK or (around.presence is Presence.UNKNOWN and seen.left):
        return ""
    if not seen.left:
        return "nothing is left to do, and nobody is at work"
    left = f"{plural(seen.left, 'video')} {'is' if seen.left == 1 else 'are'} left"
    return f"nobody is at work, and {left}: vidbatch run {around.folder}   # goes on"


def _drawn(text: str, stream: TextIO) -> str:
    """What shows *text* on the terminal as large as it is now."""
    try:
        size = os.get_terminal_size(stream.fileno())
        columns, rows = size.columns or 80, size.lines or 24
    except OSError:  # it went away: the next write tells
        columns, rows = 80, 24
    return framed(text, columns=columns, rows=rows, paint=lambda shown: status_for(stream, shown))


@contextmanager
def _screen(stream: TextIO) -> Iterator[bool]:
    """Whether there is a terminal to draw on; what was on it is there again afterwards."""
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        yield False
        return
    stream.write(OTHER_SCREEN)
    try:
        yield True
    finally:
        with suppress(OSError):
            stream.write(BACK)
            stream.flush()
