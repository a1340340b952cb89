"""Bytes at the end of a file, and the promise that they are there.

`append` is free, `commit` is the promise. Commits that arrive while one is under way share the next: the first
waiter leads, writes and syncs for everybody in a thread, and the others wait for their bytes. There is no task and
no thread of the journal's own, so nothing has to be started, and nothing is lost when a task is cancelled.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import anyio
from anyio import to_thread

from pipeline.disk import Disk
from pipeline.errors import LedgerBroken


class Journal:
    """The growing end of one file. Used from one thread; only its own commits run in others."""

    def __init__(self, path: Path, descriptor: int, length: int, disk: Disk) -> None:
        self._path = path
        self._descriptor = descriptor
        self._disk = disk
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
                    f"{self._path}: the ledger could not be written ({error}); the run stops here, and what was not "
                    "confirmed counts as unknown: mend the disk and run again"
                )
                raise self._broken from error
            self._durable = upto

    def _write(self, content: bytes) -> None:
        try:
            self._disk.write(self._descriptor, content)
        except OSError:
            with suppress(OSError):
                self._disk.truncate(self._descriptor, self._length)
            raise
        self._length += len(content)
