"""A disk that keeps a list of all that was done to it, and of what the provider saw meanwhile."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pipeline
from pipeline.disk import Disk
from tests.crash.volume import Change, Resize, Volume, Write

HOME = str(Path(pipeline.__file__).parent) + os.sep


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place in our code that makes something durable."""

    module: str
    function: str
    line: int

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.function}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A folder."""

    path: str

    def to(self, volume: Volume) -> None:
        volume.folder(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A file; without a change it was only opened, and made where it was missing."""

    path: str
    change: Change | None = None

    def to(self, volume: Volume) -> None:
        file = volume.file(self.path)
        if self.change is not None:
            file.change(self.change)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    path: str
    target: str

    def to(self, volume: Volume) -> None:
        volume.rename(self.path, self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    path: str

    def to(self, volume: Volume) -> None:
        volume.remove(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """The bytes of a file, or the names in a folder."""

    path: str
    folder: bool
    site: Site

    def to(self, volume: Volume) -> None:
        (volume.folder if self.folder else volume.file)(self.path).sync()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Somebody outside learned something: a POST was `sold`, an id was `asked` for, the caller was told `done`."""

    kind: str
    video_id: str = ""
    prompt: str = ""

    def to(self, volume: Volume) -> None:
        """The disk knows nothing of it."""


Event = Made | Changed | Renamed | Removed | Synced | Told


class RecordingDisk(Disk):
    """Does what it is asked to below *root*, but for waiting for the hardware, and lists it in *events*.

    One operation at a time, so that the list is the order in which things were done. *earlier* is what was done to
    the same tree before, by a process that was killed.
    """

    def __init__(self, root: Path, earlier: Sequence[Event] = ()) -> None:
        self.events: list[Event] = list(earlier)
        self._root = root
        self._paths: dict[int, str] = {}
        self._lock = threading.RLock()
        self._unmade: list[Path] = []
        """Folders that `make_folder` is about to make, the outermost last."""

    def told(self, kind: str, video_id: str = "", prompt: str = "") -> None:
        """Note what somebody outside learned."""
        with self._lock:
            self.events.append(Told(kind=kind, video_id=video_id, prompt=prompt))

    def make_folder(self, path: Path) -> None:
        with self._lock:
            missing = path
            while not missing.is_dir():
                self._unmade.append(missing)
                missing = missing.parent
            super().make_folder(path)

    def open_append(self, path: Path) -> int:
        return self._opened(path, super().open_append)

    def open_new(self, path: Path) -> int:
        return self._opened(path, super().open_new)

    def _opened(self, path: Path, by: Callable[[Path], int]) -> int:
        with self._lock:
            was = path.stat().st_size if path.exists() else 0
            descriptor = by(path)
            name = self._paths[descriptor] = self._name(path)
            emptied = was and not os.fstat(descriptor).st_size
            self.events.append(Changed(path=name, change=Resize(length=0) if emptied else None))
            return descriptor

    def write(self, descriptor: int, content: bytes) -> None:
        with self._lock:
            at = _place(descriptor)
            super().write(descriptor, content)
            change = Write(offset=at, content=bytes(content))
            self.events.append(Changed(path=self._paths[descriptor], change=change))

    def truncate(self, descriptor: int, length: int) -> None:
        with self._lock:
            super().truncate(descriptor, length)
            self.events.append(Changed(path=self._paths[descriptor], change=Resize(length=length)))

    def sync(self, descriptor: int) -> None:
        with self._lock:
            self.events.append(Synced(path=self._paths[descriptor], folder=False, site=_site(sys._getframe(1))))

    def reserve(self, path: Path, length: int) -> None:
        with self._lock:
            super().reserve(path, length)
            self.events.append(Changed(path=self._name(path)))  # nobody reads what is in it

    def close(self, descriptor: int) -> None:
        with self._lock:
            super().close(descriptor)
            del self._paths[descriptor]

    def replace(self, source: Path, target: Path) -> None:
        with self._lock:
            super().replace(source, target)
            self.events.append(Renamed(path=self._name(source), target=self._name(target)))

    def remove(self, path: Path) -> None:
        with self._lock:
            super().remove(path)
            self.events.append(Removed(path=self._name(path)))

    def sync_folder(self, path: Path) -> None:
        if not path.is_relative_to(self._root):
            return  # where the tree stands is not lost with it
        with self._lock:
            while self._unmade and self._unmade[-1].is_dir():
                self.events.append(Made(path=self._name(self._unmade.pop())))
            self.events.append(Synced(path=self._name(path), folder=True, site=_site(sys._getframe(1))))

    def _name(self, path: Path) -> str:
        name = path.relative_to(self._root).as_posix()
        return "" if name == "." else name


def _place(descriptor: int) -> int:
    """Where the next write goes."""
    appends = os.O_APPEND & _flags(descriptor)
    return os.fstat(descriptor).st_size if appends else os.lseek(descriptor, 0, os.SEEK_CUR)


def _flags(descriptor: int) -> int:
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_GETFL)


def _site(frame: FrameType | None) -> Site:
    """The innermost of our own lines that led here."""
    while frame is not None and not frame.f_code.co_filename.startswith(HOME):
        frame = frame.f_back
    assert frame is not None, "only our own code makes something durable"
    code = frame.f_code
    module = code.co_filename.removeprefix(HOME).replace(os.sep, "/")
    return Site(module=module, function=code.co_qualname, line=frame.f_lineno)
