"""Disks that fail, forget or count, for the tests of the ledger."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from pipeline.disk import Disk


class CountingDisk(Disk):
    """Keeps the names of what was done, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def write(self, descriptor: int, content: bytes) -> None:
        self.done.append("write")
        super().write(descriptor, content)

    def sync(self, descriptor: int) -> None:
        self.done.append("sync")
        super().sync(descriptor)

    def sync_folder(self, path: Path) -> None:
        self.done.append("sync_folder")
        super().sync_folder(path)


class FailingDisk(Disk):
    """Fails in its n-th operation, counted from 1, and in none after it. A write that fails has written a part."""

    def __init__(self, at: int, kind: int = errno.EIO) -> None:
        self.at = at
        self.kind = kind
        self.operations: list[str] = []

    def _step(self, name: str) -> None:
        self.operations.append(name)
        if len(self.operations) == self.at:
            raise OSError(self.kind, os.strerror(self.kind))

    @property
    def failed(self) -> str:
        """The operation that failed; empty where none did."""
        return self.operations[self.at - 1] if len(self.operations) >= self.at else ""

    def make_folder(self, path: Path) -> None:
        self._step("make_folder")
        super().make_folder(path)

    def open_append(self, path: Path) -> int:
        self._step("open_append")
        return super().open_append(path)

    def open_new(self, path: Path) -> int:
        self._step("open_new")
        return super().open_new(path)

    def write(self, descriptor: int, content: bytes) -> None:
        if len(self.operations) + 1 == self.at:
            super().write(descriptor, content[: len(content) // 2])
        self._step("write")
        super().write(descriptor, content)

    def truncate(self, descriptor: int, length: int) -> None:
        self._step("truncate")
        super().truncate(descriptor, length)

    def sync(self, descriptor: int) -> None:
        self._step("sync")
        super().sync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self._step("replace")
        super().replace(source, target)

    def sync_folder(self, path: Path) -> None:
        self._step("sync_folder")
        super().sync_folder(path)


class ForgetfulDisk(Disk):
    """Knows how much of a file was synced: the rest is what a loss of power may take."""

    def __init__(self) -> None:
        self.synced: dict[int, int] = {}
        self.tearing: int | None = None
        """So many bytes of the next write are written, and then the power goes."""

    def write(self, descriptor: int, content: bytes) -> None:
        if self.tearing is not None:
            super().write(descriptor, content[: self.tearing])
            raise OSError(errno.EIO, "the power went")
        super().write(descriptor, content)

    def truncate(self, descriptor: int, length: int) -> None:
        if self.tearing is not None:
            raise OSError(errno.EIO, "the power went")
        super().truncate(descriptor, length)

    def sync(self, descriptor: int) -> None:
        super().sync(descriptor)
        self.synced[os.fstat(descriptor).st_ino] = os.fstat(descriptor).st_size
