"""A disk whose power can go at any operation, and with it what was written and not synced."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

from pipeline.disk import Disk

ROOM_BYTES = 1 << 40
"""What is free, whatever the machine that plays this has."""


class PowerOff(BaseException):
    """The process is no more. No `Exception`: nothing in the product may take it for weather."""


class MortalDisk(Disk):
    """Real files; the process that writes them dies when it is told to, and the files stay as they are then.

    Nothing is really synced: what was, is kept in mind.
    """

    def __init__(self, chance: random.Random, clock: Callable[[], float]) -> None:
        self._chance = chance
        self._clock = clock
        self._open: dict[int, Path] = {}
        self._synced: dict[Path, int] = {}
        """How much of a file is durable, where that is not all of it."""
        self.dead = False
        self.died_s = 0.0
        """When, by *clock*."""
        self.operations = 0
        self.dies_at: int | None = None
        """The number of the operation in which the process dies."""
        self.loses = False
        """Whether the power goes with it."""

    def boot(self, *, dies_at: int | None = None, loses: bool = False) -> None:
        """A new process."""
        assert not self._open or self.dead, "the last process has left files open"
        self.dead, self.operations, self.dies_at, self.loses = False, 0, dies_at, loses

    def die(self) -> None:
        """The process ends here; its files are closed by the kernel."""
        self.dead, self.died_s = True, self._clock()
        for descriptor in self._open:
            os.close(descriptor)
        self._open.clear()
        if self.loses:
            for path, synced in self._synced.items():
                self._tear(path, synced)
            self._synced.clear()

    def _tear(self, path: Path, synced: int) -> None:
        """Of what is not durable, a part is there after the power comes back."""
        if path.exists():
            size = path.stat().st_size
            os.truncate(path, synced + round((size - synced) * self._chance.random()))

    def alive(self) -> None:
        """Raise `PowerOff` where the process is no more."""
        if self.dead:
            raise PowerOff

    def _step(self) -> None:
        self.alive()
        self.operations += 1
        if self.operations == self.dies_at:
            self.die()
            raise PowerOff

    def make_folder(self, path: Path) -> None:
        self._step()
        super().make_folder(path)

    def open_append(self, path: Path) -> int:
        self._step()
        descriptor = super().open_append(path)
        self._open[descriptor] = path
        return descriptor

    def open_new(self, path: Path) -> int:
        self._step()
        descriptor = super().open_new(path)
        self._open[descriptor] = path
        self._synced[path] = 0
        return descriptor

    def reserve(self, path: Path, length: int) -> None:  # noqa: ARG002
        self._step()
        path.touch()  # to give it what it reserves takes longer than all the rest of a start

    def free_bytes(self, path: Path) -> int | None:  # noqa: ARG002
        self.alive()
        return ROOM_BYTES

    def write(self, descriptor: int, content: bytes) -> None:
        self.alive()
        path = self._open[descriptor]
        self._synced.setdefault(path, os.fstat(descriptor).st_size)
        if self.operations + 1 == self.dies_at:  # in the middle of it
            super().write(descriptor, content[: self._chance.randrange(len(content) + 1)])
        self._step()
        super().write(descriptor, content)

    def truncate(self, descriptor: int, length: int) -> None:
        self._step()
        super().truncate(descriptor, length)

    def sync(self, descriptor: int) -> None:
        self._step()
        self._synced.pop(self._open[descriptor], None)

    def close(self, descriptor: int) -> None:
        if self._open.pop(descriptor, None) is not None:
            super().close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self._step()
        super().replace(source, target)
        self._synced.pop(target, None)
        if source in self._synced:
            self._synced[target] = self._synced.pop(source)

    def remove(self, path: Path) -> None:
        self._step()
        super().remove(path)
        self._synced.pop(path, None)

    def sync_folder(self, path: Path) -> None:  # noqa: ARG002
        self._step()
