"""A file system as a crash sees it: what was made durable, and what was done since and may be there or not.

Pure: operations in, what a power cut may leave out. The model is POSIX's, which is harsher than any one file system:
an fsync of a file makes its bytes durable and not its name; an fsync of a folder makes durable the names in it, and
not the bytes of its files. What was not made durable may be done, undone, or done in part, each for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Bytes at an offset of a file."""

    offset: int
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """A file has another length now; what is new of it is zeros."""

    length: int


Change = Write | Resize


@dataclass(slots=True, eq=False)
class File:
    """Bytes: those that are durable, and what was done to them since."""

    durable: bytes = b""
    changes: list[Change] = field(default_factory=list)
    length: int = 0
    """As a program sees it now."""

    def change(self, change: Change) -> None:
        self.changes.append(change)
        match change:
            case Write(offset=offset, content=content):
                self.length = max(self.length, offset + len(content))
            case Resize(length=length):
                self.length = length

    def sync(self) -> None:
        self.durable = self.after(self.changes)
        self.changes = []

    def after(self, changes: list[Change]) -> bytes:
        """The durable bytes, and *changes*."""
        content = bytearray(self.durable)
        for change in changes:
            match change:
                case Write(offset=offset, content=new):
                    content.extend(bytes(max(offset - len(content), 0)))
                    content[offset : offset + len(new)] = new
                case Resize(length=length):
                    content.extend(bytes(max(length - len(content), 0)))
                    del content[length:]
        return bytes(content)


@dataclass(slots=True, eq=False)
class Folder:
    """Names: those that are durable, and what was done to them since. A rename is one change of two names."""

    durable: dict[str, Node] = field(default_factory=dict)
    changes: list[Mapping[str, Node | None]] = field(default_factory=list)
    names: dict[str, Node] = field(default_factory=dict)
    """As a program sees them now."""

    def change(self, change: Mapping[str, Node | None]) -> None:
        self.changes.append(change)
        _apply(self.names, change)

    def sync(self) -> None:
        self.durable, self.changes = dict(self.names), []

    def after(self, changes: list[Mapping[str, Node | None]]) -> dict[str, Node]:
        """The durable names, and *changes*."""
        names = dict(self.durable)
        for change in changes:
            _apply(names, change)
        return names


Node = File | Folder


def _apply(names: dict[str, Node], change: Mapping[str, Node | None]) -> None:
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


class Volume:
    """One tree of folders and files. Paths are relative, with `/`; the root itself is durable."""

    def __init__(self) -> None:
        self.root = Folder()

    def folder(self, path: str) -> Folder:
        """The folder at *path*; made where it is missing, for what was not made through a `Disk`."""
        found: Node = self.root
        for name in filter(None, path.split("/")):
            assert isinstance(found, Folder)
            if name not in found.names:
                found.change({name: Folder()})
            found = found.names[name]
        assert isinstance(found, Folder)
        return found

    def file(self, path: str) -> File:
        """The file at *path*, made where it is missing."""
        above, name = _split(path)
        folder = self.folder(above)
        if name not in folder.names:
            folder.change({name: File()})
        file = folder.names[name]
        assert isinstance(file, File)
        return file

    def rename(self, source: str, target: str) -> None:
        above, name = _split(source)
        beside, new = _split(target)
        assert above == beside, "a rename from folder to folder would be two changes"
        folder = self.folder(above)
        folder.change({name: None, new: folder.names[name]})

    def remove(self, path: str) -> None:
        above, name = _split(path)
        folder = self.folder(above)
        if name in folder.names:
            folder.change({name: None})

    def now(self) -> dict[str, bytes | None]:
        """What a program sees: what is left when a process dies and the machine lives."""
        return self.left(lambda folder: folder.names, lambda file: file.after(file.changes))

    def left(
        self, names: Callable[[Folder], dict[str, Node]], content: Callable[[File], bytes]
    ) -> dict[str, bytes | None]:
        """What there is of each file, and `None` for a folder, by path; parents first."""
        return dict(_walk("", self.root, names, content))


def _walk(
    path: str, folder: Folder, names: Callable[[Folder], dict[str, Node]], content: Callable[[File], bytes]
) -> Iterator[tuple[str, bytes | None]]:
    for name, node in names(folder).items():
        if isinstance(node, File):
            yield path + name, content(node)
        else:
            yield path + name, None
            yield from _walk(f"{path}{name}/", node, names, content)


def _split(path: str) -> tuple[str, str]:
    above, _, name = path.rpartition("/")
    return above, name
