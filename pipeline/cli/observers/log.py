"""`run.log`: what happened in a run folder, line by line, over all of its runs."""

from __future__ import annotations

from pathlib import Path

from pipeline.cli.observers.lines import closing, notice, opening
from pipeline.cli.observers.watcher import Clean, Now, Watcher
from pipeline.disk import DISK, Disk
from pipeline.progress import Deleted, Ended, Event, Moved, Notice, Started
from pipeline.text import plain

UNWRITTEN_BYTES_MAX = 1 << 16


class RunLog(Watcher):
    """Appends a line an event, with the time in UTC. A log that cannot be written is missing, no more.

    The file is opened when there is something to write: the run makes its folder first. A run is worth more than its
    log: lines are written together at the next beat, notice or end, so a crash may lose those of the last second;
    they are not synced; and after a failed write the next ones are tried as if nothing had been.
    """

    def __init__(self, path: Path, *, now: Now, clean: Clean = plain, disk: Disk = DISK) -> None:
        self._path = path
        self._disk = disk
        self._now = now
        self._clean = clean
        self._descriptor: int | None = None
        self._unwritten = bytearray()
        self._closed = False

    def note(self, event: Event) -> None:
        line = log_line(event, self._clean)
        if not line or self._closed:
            return
        stamped = f"{self._now():%Y-%m-%dT%H:%M:%SZ} {line}\n"
        self._unwritten += stamped.encode("utf-8", "backslashreplace")
        if isinstance(event, Notice | Ended) or len(self._unwritten) > UNWRITTEN_BYTES_MAX:
            self.show()

    def show(self) -> None:
        lines, self._unwritten = bytes(self._unwritten), bytearray()
        if not lines:
            return
        if self._descriptor is None:
            self._descriptor = self._disk.open_append(self._path)
        self._disk.write(self._descriptor, lines)

    def finish(self) -> None:
        self._closed = True
        try:
            self.show()
        finally:
            descriptor, self._descriptor = self._descriptor, None
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
        case Deleted():
            return f"{clean(event.id)}: deleted at the provider, as asked: {clean(event.video_id)}"
        case Notice():
            return notice(event, clean)
        case Ended():
            counts = ", ".join(f"{count} {state}" for state, count in event.counts.items() if count)
            unpriced = f", and {event.unpriced} at an unknown price" if event.unpriced else ""
            return f"end: {closing(event, clean)}; {counts}; spent {event.spent:f}{unpriced}"
    return ""
