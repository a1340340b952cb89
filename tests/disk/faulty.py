"""A disk that fails below one folder: once in its n-th operation, or in every one from there on."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

from pipeline.disk import Disk
from pipeline.ledger.reserve import RESERVE_BYTES


class FaultyDisk(Disk):
    """Good outside of *home*. Inside, the *at*-th operation (from 1) fails with *kind*; a write has written half then.

    *stays*: so do all that follow. Full (`ENOSPC`) means then that nothing can be written or reserved, but for what the
    removal of the reserve gives back; anything else, that nothing can be done at all.
    """

    def __init__(self, home: Path, at: int, kind: int, *, stays: bool = False) -> None:
        self.home = home
        self.at = at
        self.kind = kind
        self.stays = stays
        self.done = 0
        self.failed = ""
        """The first operation that failed; empty where none did."""
        self.synced_after_failure: list[int | Path] = []
        """Descriptors and folders that were synced although a sync of theirs had failed, and nothing was done since."""
        self._room = 0
        self._unsafe: set[int | Path] = set()
        self._outside: set[int] = set()
        self._counting = threading.Lock()

    def _fails(self, name: str, *, needs_room: int = 0) -> bool:
        with self._counting:
            self.done += 1
            if self.done < self.at or (self.done > self.at and not self.stays):
                return False
            if self.stays and self.kind == errno.ENOSPC:
                self._room -= needs_room
                if needs_room == 0 or self._room >= 0:
                    return False
            self.failed = self.failed or name
            return True

    def _step(self, name: str, place: Path | int, *, needs_room: int = 0) -> None:
        if self._is_inside(place) and self._fails(name, needs_room=needs_room):
            raise OSError(self.kind, os.strerror(self.kind))

    def _step_of_sync(self, name: str, place: Path | int) -> None:
        if place in self._unsafe:
            self.synced_after_failure.append(place)
        try:
            self._step(name, place)
        except OSError:
            self._unsafe.add(place)
            raise

    def _is_inside(self, place: Path | int) -> bool:
        return place not in self._outside if isinstance(place, int) else place.is_relative_to(self.home)

    def _opened(self, path: Path, descriptor: int) -> int:
        if not self._is_inside(path):
            self._outside.add(descriptor)
        return descriptor

    def make_folder(self, path: Path) -> None:
        self._step("make_folder", path)
        self._unsafe -= {place.parent for place in (path, *path.parents) if not place.exists()}  # made anew, as below
        super().make_folder(path)

    def open_append(self, path: Path) -> int:
        self._step("open_append", path)
        return self._opened(path, super().open_append(path))

    def open_new(self, path: Path) -> int:
        self._step("open_new", path)
        return self._opened(path, super().open_new(path))

    def write(self, descriptor: int, content: bytes) -> None:
        if self._is_inside(descriptor) and self._fails("write", needs_room=len(content)):
            super().write(descriptor, content[: len(content) // 2])
            raise OSError(self.kind, os.strerror(self.kind))
        super().write(descriptor, content)

    def truncate(self, descriptor: int, length: int) -> None:
        self._step("truncate", descriptor)
        super().truncate(descriptor, length)

    def sync(self, descriptor: int) -> None:
        self._step_of_sync("sync", descriptor)
        super().sync(descriptor)

    def close(self, descriptor: int) -> None:
        self._outside.discard(descriptor)
        self._unsafe.discard(descriptor)
        super().close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self._step("replace", target)
        self._unsafe.discard(target.parent)  # written anew, so the next sync is one of its own
        super().replace(source, target)

    def remove(self, path: Path) -> None:
        self._step("remove", path)
        if path.suffix == ".reserve" and path.exists():
            self._room += RESERVE_BYTES
        super().remove(path)

    def sync_folder(self, path: Path) -> None:
        self._step_of_sync("sync_folder", path)
        super().sync_folder(path)

    def reserve(self, path: Path, length: int) -> None:
        self._step("reserve", path, needs_room=length)
        super().reserve(path, length)
