"""Plain lines for where there is no terminal: a log file, a CI job, `nohup`."""

from __future__ import annotations

from typing import TextIO

from pipeline.cli.observers.tally import Tally
from pipeline.cli.observers.watcher import Clean, Clock, Watcher
from pipeline.loopback import place_words
from pipeline.progress import Ended, Event, Notice, Started
from pipeline.text import money, plain, plural

EVERY_S = 5.0


class Lines(Watcher):
    """One line every few seconds, one at the end, and urgent notices at once; what a run is about, its head has said.

    The latest of the other notices ends the next line: why nothing moves is part of how things stand.
    """

    def __init__(self, stream: TextIO, *, clock: Clock, clean: Clean = plain, every_s: float = EVERY_S) -> None:
        self._stream = stream
        self._clock = clock
        self._clean = clean
        self._every_s = every_s
        self._tally = Tally()
        self._said_at = clock()
        self._news = ""

    def note(self, event: Event) -> None:
        self._tally.note(event, self._clock())
        match event:
            case Notice(urgent=True):
                self._say(notice(event, self._clean))
            case Notice():
                self._news = f"; {notice(event, self._clean)}"
                self.show()
            case Ended():
                self._say(f"{self._time()} {closing(event, self._clean)}: {', '.join(self._standing())}")
            case _:
                self.show()

    def show(self) -> None:
        if self._tally.started and self._clock() - self._said_at >= self._every_s:
            phrases = [*self._standing(), *self._tally.phrases(self._clock())]
            news, self._news = self._news, ""
            self._said_at = self._clock()
            self._say(f"{self._time()} {', '.join(phrases)}{news}")

    def _standing(self) -> list[str]:
        return [f"{self._tally.stored:,} of {self._tally.total:,} stored"]

    def _time(self) -> str:
        minutes, seconds = divmod(int(self._tally.elapsed_s(self._clock())), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"

    def _say(self, line: str) -> None:
        self._stream.write(f"{line}\n")
        self._stream.flush()


class Quiet(Watcher):
    """Urgent notices only."""

    def __init__(self, stream: TextIO, *, clean: Clean = plain) -> None:
        self._stream = stream
        self._clean = clean

    def note(self, event: Event) -> None:
        if isinstance(event, Notice) and event.urgent:
            self._stream.write(f"{notice(event, self._clean)}\n")
            self._stream.flush()


def opening(event: Started, clean: Clean) -> str:
    """What a run is about, in one line."""
    jobs = plural(sum(event.counts.values()), "video")
    submits = "nothing to submit" if not event.to_submit else f"{event.to_submit:,} to submit"
    cost = event.planned_cost
    price = f" for {money(cost, event.currency)}" if cost is not None and event.to_submit else ""
    place = f" at {clean(place_words(event.origin))}," if event.origin else ""
    what = f"{clean(event.run)}: {jobs} from {clean(event.provider)}{place}"
    return f"{what} into {clean(event.folder)}; {submits}{price}"


def closing(event: Ended, clean: Clean) -> str:
    """How a run ended, in a few words."""
    if event.interrupted:
        return "interrupted"
    return f"stopped: {clean(event.stopped)}" if event.stopped else "done"


def notice(event: Notice, clean: Clean) -> str:
    """A notice in one line; urgent ones begin with a mark."""
    return f"{'!! ' if event.urgent else ''}{event.lane}: {clean(event.message)}"
