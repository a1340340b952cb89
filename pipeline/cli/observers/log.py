"""`run.log`: what happened in a run folder, line by line, over all of its runs."""

from __future__ import annotations

from pathlib import Path

from pipeline.cli.observers.lines import closing, notice, opening
from pipeline.cli.observers.watcher import Clean, Now, Watcher
from pipeline.disk import DISK, Disk
from pipeline.progress import Ended, Event, Moved, Notice, Started
from pipeline.text import plain


class RunLog(Watcher):
    """Appends a line an event, with the time in UTC. A log that cannot be written is missing, no more.

    The file is opened when there is something to say: the run makes its folder first. A run is worth more than its
    log: lines are not synced, and after a failed write the next line is tried as if nothing had been.
    """

    def __init__(self, path: Path, *, now: Now, clean: Clean = plain, disk: Disk = DISK) -> None:
        self._path = path
        self._disk = disk
        self._now = now
        self._clean = clean
        self._descriptor: int | None = None
        self._closed = False

    def note(self, event: Event) -> None:
        line = log_line(event, self._clean)
        if not line or self._closed:
            return
        if self._descriptor is None:
            self._descriptor = self._disk.open_append(self._path)
        stamped = f"{self._now():%Y-%m-%dT%H:%M:%SZ} {line}\n"
        self._disk.write(self._descriptor, stamped.encode("utf-8", "backslashreplace"))

    def finish(self) -> None:
        descriptor, self._descriptor, self._closed = self._descriptor, None, True
        if descriptor is not None:
            self._disk.close(descriptor)


def log_line(event: Event, clean: Clean) -> str:
    """*event* in one line; empty for what is not worth one."""
    match event:
        case Started():
            return f"start: {opening(event, clean)}"
        case Moved():
            told = [event.video_id, event.path, event.reason]
            more = " ".join(clean(part) for part in told if part)
            return f"{clean(event.id)}: {event.was} -> {event.state}{' ' if more else ''}{more}"
        case Notice():
            return notice(event, clean)
        case Ended():
            counts = ", ".join(f"{count} {state}" for state, count in event.counts.items() if count)
            return f"end: {closing(event, clean)}; {counts}; spent {event.spent:f}"
    return ""
