"""Bytes at the end of a file, and the promise that they are there.

`append` is free, `commit` is the promise. Commits that arrive while one is under way share the next: the first
waiter leads, writes and syncs for everybody in a thread, and the others wait for their bytes. There is no task and
no thread of the journal's own, so nothing has to be started, and nothing is lost when a task is cancelled.

A write that finds the disk full is cut back, the reserve is given up, and it is written once more. A sync that failed
is never tried again.
"""

from __future__ import annotations

import threading
from pathlib import Path

import anyio
from anyio import to_thread

from pipeline.disk import Disk, is_out_of_room, words_of
from pipeline.errors import LedgerBroken
from pipeline.ledger.reserve import Reserve


class Journal:
    """The growing end of one file. Used from one thread; only its own commits run in others."""

    def __init__(self, path: Path, descriptor: int, length: int, disk: Disk, reserve: Reserve) -> None:
        self._path = path
        self._descriptor = descriptor
        self._disk = disk
        self._reserve = reserve
        self.squeezed = ""
        """Why the reserve was given up, in the system's words; empty while it was not needed."""
        self._length = length
        """Of what is good on disk: where a failed write is cut back to."""
        self._waiting: list[bytes] = []
        self._appended = 0
        self._durable = 0
        """Lines, counted since the journal was opened."""
        self._broken: LedgerBroken | None = None
        self._under_way: anyio.Event | None = None
        self._counting = threading.Lock()
        """Protects the waiting lines and the counts between the caller's thread and a commit's."""
        self._writing = threading.Lock()
        """Protects the file: one commit at a time, even when a leader was torn away from its thread."""

    def append(self, line: bytes) -> None:
        """Put *line* at the end, in order; not durable yet. Raises `LedgerBroken`."""
        self.check()
        with self._counting:
            self._waiting.append(line)
            self._appended += 1

    def check(self) -> None:
        """Raise `LedgerBroken` if an earlier commit failed."""
        if self._broken is not None:
            raise LedgerBroken(str(self._broken))

    async def commit(self) -> None:
        """Return when all that was appended so far is durable. Raises `LedgerBroken`, then and ever after."""
        mine = self._appended
        while self._durable < mine:
            self.check()
            if self._under_way is None:
                await self._lead()
            else:
                await self._under_way.wait()
        self.check()

    def commit_now(self) -> None:
        """The same, for a caller who cannot wait: blocks."""
        self.check()
        self._write_and_sync()

    def close(self) -> None:
        """Let go of the file. What was not committed is not written."""
        with self._writing:
            self._disk.close(self._descriptor)
        self._broken = self._broken or LedgerBroken(f"{self._path}: the ledger is closed")

    async def _lead(self) -> None:
        done = self._under_way = anyio.Event()
        try:
            # A write that was begun is finished, whoever is cancelled: the others wait for it. The limiter is our
            # own, so that downloads in threads never keep an accepted id from the disk.
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(self._write_and_sync, limiter=anyio.CapacityLimiter(1))
        finally:
            self._under_way = None
            done.set()

    def _write_and_sync(self) -> None:
        with self._writing:
            self.check()
            with self._counting:
                lines, self._waiting = self._waiting, []
                upto = self._appended
            if upto == self._durable:
                return
            try:
                self._write(b"".join(lines))
                self._disk.sync(self._descriptor)  # never tried twice: see `disk`
            except OSError as error:
                self._broken = LedgerBroken(
                    f"{self._path}: the disk failed and the ledger could not be written ({words_of(error)}); the run "
                    "stops here, and what was not confirmed counts as unknown: mend the disk and run again"
                )
                raise self._broken from error
            self._durable = upto

    def _write(self, content: bytes) -> None:
        """Put *content* at the good end, whole or not at all."""
        try:
            self._disk.write(self._descriptor, content)
        except OSError as error:
            roomier = is_out_of_room(error) and self._reserve.give_up()  # first: cutting back may itself need room
            self._disk.truncate(self._descriptor, self._length)
            if not roomier:
                raise
            self.squeezed = words_of(error)
            self._write(content)
        else:
            self._length += len(content)
