"""Following a ledger that somebody else writes: each look reads only what was added since the last, without the lock.

A line without its newline is still being written, or torn: it is waited for. Whatever else does not follow what was
read (the file was replaced, cut, mended) has the whole ledger read anew, which alone tells a torn tail from damage.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from pipeline.disk import words_of
from pipeline.errors import UsageError
from pipeline.ledger.records import BadRecord, UnknownFormat, decode, is_whole
from pipeline.ledger.replay import RunState
from pipeline.ledger.scan import lines_of, replay
from pipeline.lifecycle import ImpossibleFact


class Follower:
    """The ledger at *path*, and what it adds up to. The file is open only while it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = RunState()
        """As of the last look; another object once the ledger had to be read anew."""
        self._end = 0
        """How far the file was read: behind the last good line."""
        self._seen: tuple[int, ...] = ()
        """Device, inode, length and time of the file, as it was then."""

    def look(self) -> bool:
        """Read what is new; whether anything was. Raises `UsageError` where it cannot be read, and `LedgerDamaged`."""
        before = self.state, self.state.records
        try:
            there = self.path.stat()
            seen = there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns
            if seen != self._seen and not (self._has_grown(there) and self._go_on()):
                self.state, extent = replay(self.path)
                self._end = extent.length
        except OSError as error:
            raise UsageError(f"{self.path}: the ledger cannot be read: {words_of(error)}") from error
        self._seen = seen
        return (self.state, self.state.records) != before

    def _has_grown(self, there: os.stat_result) -> bool:
        """Whether it is the file that was read, and nothing was taken from it."""
        return self._seen[:2] == (there.st_dev, there.st_ino) and there.st_size >= self._end

    def _go_on(self) -> bool:
        """Take in the whole lines that were added; whether all of them follow what was read."""
        with self.path.open("rb") as file:
            return self._take_in(file)

    def _take_in(self, file: BinaryIO) -> bool:
        file.seek(self._end)
        for line in lines_of(file, self._end):
            if not line.endswith(b"\n"):
                break
            if not (is_whole(line) and self._follows(line)):
                return False
            self._end += len(line)
        return True

    def _follows(self, line: bytes) -> bool:
        try:
            record = decode(line)
            if record.n != self.state.records + 1:
                return False
            self.state.apply(record)
        except (BadRecord, UnknownFormat, ImpossibleFact):
            return False
        return True
