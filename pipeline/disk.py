"""Every change that we make to a file system goes through a `Disk`, so that a test can make one that fails.

A write that returned is not yet safe: `sync` makes a file's bytes durable, `sync_folder` the names in a folder.
An fsync that failed is never tried again: the kernel may have dropped the pages and would then report success
(PostgreSQL's "fsyncgate", USENIX ATC '20).
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pipeline.errors import PipelineError

try:
    import fcntl
except ImportError:  # Windows: fsync is all there is
    fcntl = None  # type: ignore[assignment]

FILE_MODE = 0o600
FOLDER_MODE = 0o700

_CLOSED_IN_CHILDREN = getattr(os, "O_CLOEXEC", 0)
_SAFELY = getattr(os, "O_NOFOLLOW", 0) | _CLOSED_IN_CHILDREN | getattr(os, "O_BINARY", 0)
_FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)
_NO_ROOM = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


def is_out_of_room(error: OSError) -> bool:
    """Whether *error* says that the disk, or a quota on it, is full: what room that is given back can mend."""
    return error.errno in _NO_ROOM


def words_of(error: OSError) -> str:
    """*error* in the system's words, without its number: `No space left on device`."""
    return error.strerror or str(error)


class Disk:
    """The real file system. Every method raises `OSError` and blocks; callers choose the thread."""

    def make_folder(self, path: Path) -> None:
        """Make *path* and what is missing above it, durably, readable by the owner alone."""
        missing = []
        while not path.is_dir():
            missing.append(path)
            path = path.parent
        for folder in reversed(missing):
            folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
            try:
                self.sync_folder(folder.parent)
            except OSError:
                with suppress(OSError):
                    folder.rmdir()  # so that nobody finds it there and takes it for durable
                raise

    def open_append(self, path: Path) -> int:
        """Open for appending, made if missing. Never follows a link."""
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _SAFELY, FILE_MODE)

    def open_new(self, path: Path) -> int:
        """Open for writing, emptied if it was there. Never follows a link."""
        return os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CREAT | _SAFELY, FILE_MODE)

    def write(self, descriptor: int, content: bytes) -> None:
        """Write all of *content*; a short write is continued."""
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]

    def truncate(self, descriptor: int, length: int) -> None:
        os.ftruncate(descriptor, length)

    def sync(self, descriptor: int) -> None:
        """Make the file's bytes durable. macOS needs F_FULLFSYNC for that (fcntl(2) there)."""
        if _FULL_SYNC is None:
            os.fsync(descriptor)
        else:
            fcntl.fcntl(descriptor, _FULL_SYNC)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Give *source* the name *target*, in one step, over what was there."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def sync_folder(self, path: Path) -> None:
        """Make the names in *path* durable, where the system has a way to. The folder may be a link's."""
        if not hasattr(os, "O_DIRECTORY"):
            return
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _CLOSED_IN_CHILDREN)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def reserve(self, path: Path, length: int) -> None:
        """Make *path* a file to which *length* bytes really belong; what it has already, it keeps."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | _SAFELY, FILE_MODE)
        try:
            _allocate(descriptor, length)
        finally:
            os.close(descriptor)

    def free_bytes(self, path: Path) -> int | None:
        """How much may still be written where *path* is or will be; `None`: the file system does not say."""
        while not path.exists() and path != path.parent:
            path = path.parent
        usage = shutil.disk_usage(path)
        return usage.free if usage.total else None

    def write_whole(self, path: Path, content: bytes) -> None:
        """Make *path* hold *content*, durably: the old file or the new one, never half of it."""
        self.write_blocks(path, (content,))

    def put(self, path: Path, content: bytes) -> None:
        """Make *path* hold *content* in one step, without waiting until it is durable: what can be made again.

        Two programs may do so at once, so each has a draft of its own.
        """
        draft = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            descriptor = self.open_new(draft)
            try:
                self.write(descriptor, content)
            finally:
                self.close(descriptor)
            self.replace(draft, path)
        except OSError:
            with suppress(OSError):
                self.remove(draft)
            raise

    def write_blocks(self, path: Path, blocks: Iterable[bytes]) -> None:
        """The same of content that comes in *blocks*; where their source raises, nothing has changed."""
        draft = path.with_name(path.name + ".part")
        try:
            descriptor = self.open_new(draft)
            try:
                for block in blocks:
                    self.write(descriptor, block)
                self.sync(descriptor)
            finally:
                self.close(descriptor)
            self.replace(draft, path)
        except (OSError, PipelineError):
            with suppress(OSError):
                self.remove(draft)  # on a full disk, half a draft is room that others need
            raise
        self.sync_folder(path.parent)


def _allocate(descriptor: int, length: int) -> None:
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, 0, length)
            return
        except OSError as error:
            if error.errno not in _NOT_OFFERED:
                raise
    rest = memoryview(bytes(max(length - os.fstat(descriptor).st_size, 0)))
    os.lseek(descriptor, 0, os.SEEK_END)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


_NOT_OFFERED = frozenset({errno.EINVAL, errno.ENOSYS, getattr(errno, "EOPNOTSUPP", errno.EINVAL)})
"""How a file system says that it cannot allocate ahead."""

DISK = Disk()
"""The one everybody uses who was not given another."""
