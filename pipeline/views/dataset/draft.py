"""A folder that is there whole or not at all: made under another name beside its own, and renamed at the end.

Beside `DEST` stand, while it is made, `.DEST.part` (the draft), `.DEST.part.lock` and, for the moment in which one
folder takes the other's place, `.DEST.old`. What an end by force leaves of these, the next making of `DEST` clears; a
folder that was moved aside and not replaced is put back.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import BaseFileLock, FileLock, Timeout

from pipeline.disk import DISK, FILE_MODE, Disk
from pipeline.errors import UsageError
from pipeline.text import plain

MARK: Final = ".vidbatch-export"
"""A file in every folder that was made here: only such a one is ever replaced."""
_MARK_TEXT: Final = b"made by vidbatch export, which replaces this folder as a whole when it is told to (--force)\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file in the draft."""

    name: str
    """Below the folder, with `/`."""
    bytes: int
    sha256: str


class Draft:
    """The folder while it is made."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self.path = path
        self.disk = disk
        self._folders = {path}

    def place(self, name: str) -> Path:
        """Where the file *name* (below the folder, with `/`) goes; the folder above it is there from now on."""
        place = self.path / name
        if place.parent not in self._folders:
            self.disk.make_folder(place.parent)
            self._folders.add(place.parent)
        return place

    def write(self, name: str, blocks: Iterable[bytes]) -> Written:
        """Make the file *name* of *blocks*, durably but for its name."""
        digest, length = hashlib.sha256(), 0
        descriptor = self.disk.open_new(self.place(name))
        try:
            for block in blocks:
                self.disk.write(descriptor, block)
                digest.update(block)
                length += len(block)
            self.disk.sync(descriptor)
        finally:
            self.disk.close(descriptor)
        return Written(name=name, bytes=length, sha256=digest.hexdigest())

    def make_names_durable(self) -> None:
        """Of all that is in it."""
        for folder in sorted(self._folders):
            self.disk.sync_folder(folder)


@contextmanager
def drafting(dest: Path, *, force: bool, disk: Disk = DISK) -> Iterator[Draft]:
    """A draft of the folder *dest*, which gets its name when the block ends well, and else leaves nothing.

    *force* replaces a folder that was made here before. Raises `UsageError` where *dest* is taken or cannot be.
    """
    dest = Path(os.path.abspath(dest))  # noqa: PTH100  `absolute` leaves `..` in it
    with _alone(dest):
        _clear(dest, disk)
        _check(dest, force=force)
        draft = Draft(_beside(dest, "part"), disk)
        disk.make_folder(draft.path)
        try:
            yield draft
            draft.write(MARK, (_MARK_TEXT,))
            draft.make_names_durable()
            _publish(draft.path, dest, disk)
        except BaseException:  # an interrupt, too
            _remove(draft.path)
            raise


def _check(dest: Path, *, force: bool) -> None:
    if not dest.parent.is_dir():
        raise UsageError(f"{dest} cannot be written: there is no folder {dest.parent}")
    if not os.path.lexists(dest):
        return
    if not force:
        raise UsageError(f"{dest} is there already and stays as it is; name another folder, or allow it with --force")
    if dest.is_symlink() or not (dest / MARK).is_file():
        raise UsageError(f"{dest} was not made by an export, so it is not replaced: name another folder")


def _publish(draft: Path, dest: Path, disk: Disk) -> None:
    """Give the draft its name. (No system that we know swaps two folders in one portable step.)"""
    old = _beside(dest, "old")
    if os.path.lexists(dest):
        disk.replace(dest, old)
    try:
        disk.replace(draft, dest)
    except BaseException:
        if old.is_dir() and not os.path.lexists(dest):
            disk.replace(old, dest)
        raise
    disk.sync_folder(dest.parent)
    _remove(old)


def _clear(dest: Path, disk: Disk) -> None:
    """Take away what an earlier making of *dest* left when it was killed."""
    old = _beside(dest, "old")
    if old.is_dir() and not os.path.lexists(dest):
        disk.replace(old, dest)
    for left in (old, _beside(dest, "part")):
        _remove(left)


def _remove(path: Path) -> None:
    """Remove the folder *path* as far as that is possible; the next making tries again. Of a link, only the link."""
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _alone(dest: Path) -> Iterator[None]:
    """While it lasts, nobody else makes *dest*. The lock's file goes while it is held: who waits for it looks anew."""
    if not dest.name or not dest.parent.is_dir():
        _check(dest, force=False)
        raise UsageError(f"{plain(str(dest))} cannot be the name of an export")
    path = _beside(dest, "part.lock")
    lock: BaseFileLock = FileLock(path, timeout=0, mode=FILE_MODE, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise UsageError(f"{dest} is being written by another export; wait for it or stop it") from None
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        lock.release()


def _beside(dest: Path, what: str) -> Path:
    return dest.with_name(f".{dest.name}.{what}")
