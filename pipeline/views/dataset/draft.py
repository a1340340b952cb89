"""A folder that is there whole or not at all: made under another name beside its own, and renamed at the end.

Beside `DEST` stand, while it is made, `.DEST.part` (the draft), `.DEST.part.lock` and, for the moment in which one
folder takes the other's place, `.DEST.old`. What an end by force leaves of these, the next making of `DEST` clears; a
folder that was moved aside and not replaced is put back. All that is only done to what has the mark of an export, which
is the first thing in a draft and the last to go.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from pipeline.disk import DISK, FILE_MODE, Disk
from pipeline.errors import UsageError
from pipeline.text import plain
from pipeline.views.dataset.mark import MARK, is_marked, mark, unlisted

_LOCK = re.compile(rb"(\d+\n.*)?", re.DOTALL)


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
        self._names: set[str] = set()

    def begin(self) -> None:
        """Make the folder and in it, before all else, the mark by which it is known for ours. Durable."""
        self.disk.make_folder(self.path)
        if not _is_empty(self.path):
            raise UsageError(f"{self.path} is left of an earlier export and cannot be removed: remove it")
        self.write(MARK, (mark(),))
        self.disk.sync_folder(self.path)

    def end(self) -> None:
        """Write down what is in it, and make all names durable."""
        self.write(MARK, (mark(self._names),))
        for folder in sorted(self._folders):
            self.disk.sync_folder(folder)

    def place(self, name: str) -> Path:
        """Where the file *name* (below the folder, with `/`) goes; the folder above it is there from now on."""
        place = self.path / name
        if place.parent not in self._folders:
            self.disk.make_folder(place.parent)
            self._folders.add(place.parent)
        self._names.add(name)
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


@contextmanager
def drafting(dest: Path, *, force: bool, disk: Disk = DISK) -> Iterator[Draft]:
    """A draft of the folder *dest*, which gets its name when the block ends well, and else leaves nothing.

    *force* replaces a folder that was made here before, and in which nothing else is. Raises `UsageError` where *dest*
    is taken or cannot be, or where a name beside it that this needs is somebody else's.
    """
    dest = Path(os.path.abspath(dest))  # noqa: PTH100  `absolute` leaves `..` in it
    with _alone(dest):
        draft = Draft(_beside(dest, "part"), disk)
        _check_beside(dest)
        _put_back(dest, disk)
        _check(dest, force=force)
        _remove(_beside(dest, "old"))
        _remove(draft.path)
        try:
            draft.begin()
            yield draft
            draft.end()
            _check(dest, force=force)  # again: much may have come meanwhile
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
    if not is_marked(dest):
        raise UsageError(f"{dest} was not made by an export, so it is not replaced: name another folder")
    if name := unlisted(dest):
        raise UsageError(
            f"{dest} holds what no export wrote, so it is not replaced: {plain(name)}; move that elsewhere, or name "
            "another folder"
        )


def _check_beside(dest: Path) -> None:
    """Whether the names beside *dest* are free or ours. An empty folder is what is left where a mark came, or went."""
    for path in (_beside(dest, "part"), _beside(dest, "old")):
        if os.path.lexists(path) and not is_marked(path) and not _is_empty(path):
            raise UsageError(f"{path} was not made by an export and is in the way: move it, or name another folder")


def _publish(draft: Path, dest: Path, disk: Disk) -> None:
    """Give the draft its name. (No system that we know swaps two folders in one portable step.)"""
    old = _beside(dest, "old")
    replaced = os.path.lexists(dest)
    if replaced:
        disk.replace(dest, old)
    try:
        disk.replace(draft, dest)
    except BaseException:
        if replaced and not os.path.lexists(dest):
            disk.replace(old, dest)
        raise
    disk.sync_folder(dest.parent)
    if replaced:
        _remove(old)


def _put_back(dest: Path, disk: Disk) -> None:
    """Where *dest* was moved aside and the new one did not come, it is in its place again."""
    old = _beside(dest, "old")
    if is_marked(old) and not os.path.lexists(dest):
        disk.replace(old, dest)


def _remove(path: Path) -> None:
    """Remove the folder *path* as far as that is possible, its mark last; the next making tries again."""
    with suppress(OSError):
        for below in set(path.iterdir()) - {path / MARK}:
            if below.is_dir() and not below.is_symlink():
                shutil.rmtree(below, ignore_errors=True)
            else:
                with suppress(OSError):
                    below.unlink()
        if set(path.iterdir()) == {path / MARK}:
            (path / MARK).unlink()
        path.rmdir()


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


@contextmanager
def _alone(dest: Path) -> Iterator[None]:
    """While it lasts, nobody else makes *dest*. The lock's file goes while it is held: who waits for it looks anew."""
    if not dest.name or not dest.parent.is_dir():
        _check(dest, force=False)
        raise UsageError(f"{plain(str(dest))} cannot be the name of an export")
    path = _beside(dest, "part.lock")
    if not _may_lock(path):
        raise UsageError(f"{path} is no lock of an export and is in the way: move it, or name another folder")
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


def _may_lock(path: Path) -> bool:
    """Whether *path* is free or a lock. One is empty, or, where a file system has none of its own, tells a process."""
    try:
        return stat.S_ISREG(path.lstat().st_mode) and bool(_LOCK.fullmatch(path.read_bytes()))
    except FileNotFoundError:
        return True


def _beside(dest: Path, what: str) -> Path:
    return dest.with_name(f".{dest.name}.{what}")
