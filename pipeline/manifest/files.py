"""The files that a manifest names: data, prompts, images, other manifests. One of the places where files are read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

from pipeline.manifest.fields import shown
from pipeline.manifest.patterns import Pattern, is_pattern
from pipeline.model import SourceFile

NAMES_MAX = 100_000
"""So many files are looked at for one pattern."""


class BadFile(ValueError):
    """A file that cannot be used; the message says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Library(Protocol):
    """Where a manifest's files come from. Names are relative, with `/`."""

    def read(self, name: str, *, bytes_max: int) -> bytes:
        """The file's bytes. Raises `BadFile`."""

    def find(self, name: str) -> Path:
        """Where the file is. Raises `BadFile`."""

    def names(self, pattern: str) -> Sequence[str]:
        """The files that *pattern* names, in order; a name without `*`, `?` or `[` names itself. Raises `BadFile`."""


class FolderLibrary:
    """The files beside a manifest in *folder*, and below. Others are refused, unless *outside* allows them."""

    def __init__(self, folder: Path, *, outside: bool = False) -> None:
        self._folder = folder
        self._outside = outside

    def read(self, name: str, *, bytes_max: int) -> bytes:
        try:
            with self.find(name).open("rb") as file:
                content = file.read(bytes_max + 1)
        except OSError as error:
            raise _unreadable(name, error) from error
        if len(content) > bytes_max:
            raise BadFile("too-large", f"'{shown(name)}' is larger than {_amount(bytes_max)}")
        return content

    def find(self, name: str) -> Path:
        path = self._within(name)
        try:
            is_file = path.is_file()
        except OSError as error:
            raise _unreadable(name, error) from error
        if not is_file:
            raise BadFile("missing-file", f"there is no file '{shown(name)}' beside the manifest")
        return path

    def names(self, pattern: str) -> Sequence[str]:
        if not is_pattern(pattern):
            return [pattern]
        parts = pattern.split("/")
        first = next(n for n, part in enumerate(parts) if is_pattern(part))
        head = "".join(f"{part}/" for part in parts[:first])
        try:
            wanted = Pattern("/".join(parts[first:]))
        except ValueError as error:
            raise BadFile("too-deep", f"'{shown(pattern)}': {error}") from error
        found = sorted(self._walk(head, wanted, pattern))
        if not found:
            raise BadFile("missing-file", f"'{shown(pattern)}' names no file beside the manifest")
        return found

    def _walk(self, head: str, pattern: Pattern, written: str) -> Iterator[str]:
        """The files below the folder *head* that *pattern* names. No link to a folder is followed on the way."""
        looked = 0
        waiting = [(head, self._within(head or "."), pattern.start)]
        while waiting:
            above, folder, at = waiting.pop()
            for entry in _entries(folder):
                looked += 1
                if looked > NAMES_MAX:
                    words = f"'{shown(written)}' looks through more than {NAMES_MAX:,} files; name their folder"
                    raise BadFile("too-many", words)
                after = pattern.after(at, entry.name)
                if entry.is_dir(follow_symlinks=False):
                    waiting += [(f"{above}{entry.name}/", folder / entry.name, after)] if after else []
                elif pattern.ends(after) and self._is_file(entry, f"{above}{entry.name}"):
                    yield f"{above}{entry.name}"

    def _is_file(self, entry: os.DirEntry[str], name: str) -> bool:
        """Whether it is one, or a link that reading it has to say something about."""
        if not entry.is_symlink():
            return entry.is_file(follow_symlinks=False)
        try:
            return self._within(name).is_file()
        except (BadFile, OSError):
            return True

    def _within(self, name: str) -> Path:
        """Where *name* is once all links were followed. Raises `BadFile`."""
        try:
            home = self._folder.resolve()
            path = (home / name).resolve()
        except ValueError as error:
            raise BadFile("missing-file", f"'{shown(name)}' is no file name") from error
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
            raise _unreadable(name, error) from error
        if not self._outside and not path.is_relative_to(home):
            words = "is outside the manifest's folder; move it there, or allow it with --allow-outside"
            raise BadFile("outside-folder", f"'{shown(name)}' {words}")
        return path


def _entries(folder: Path) -> Sequence[os.DirEntry[str]]:
    """What is in *folder*; nothing, where it cannot be looked into."""
    try:
        with os.scandir(folder) as entries:
            return list(islice(entries, NAMES_MAX + 1))
    except OSError:
        return ()


class Files:
    """What a manifest reads: each file once, remembered so that the run can keep it."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._read: dict[str, SourceFile | BadFile] = {}
        self._seen: dict[str, SourceFile] = {}

    def read(self, name: str, *, bytes_max: int) -> SourceFile:
        """The file *name*. Raises `BadFile`, every time anew."""
        known = self._read.get(name)
        if known is None:
            known = self._read[name] = self._fetch(name, bytes_max)
        if isinstance(known, BadFile):
            raise BadFile(known.code, str(known))
        return known

    def see(self, name: str, *, bytes_max: int) -> tuple[SourceFile, bytes]:
        """The file *name* and its bytes, which are not held: the run keeps what is there then. Raises `BadFile`."""
        content = self._library.read(name, bytes_max=bytes_max)
        digest = hashlib.sha256(content).hexdigest()
        self._seen[name] = file = SourceFile(name=name, sha256=digest, path=self._library.find(name))
        return file, content

    def names(self, pattern: str) -> Sequence[str]:
        """The files that *pattern* names, in order. Raises `BadFile`."""
        return self._library.names(pattern)

    def find(self, name: str) -> Path:
        """Where the file *name* is. Raises `BadFile`."""
        return self._library.find(name)

    def holds(self, name: str) -> bool:
        """Whether there is a file called *name*, be it written like a pattern."""
        try:
            self._library.find(name)
        except BadFile:
            return False
        return True

    def kept(self) -> Sequence[SourceFile]:
        """What was read so far, in order; what was only seen comes last."""
        return [*(file for file in self._read.values() if isinstance(file, SourceFile)), *self._seen.values()]

    def _fetch(self, name: str, bytes_max: int) -> SourceFile | BadFile:
        try:
            content = self._library.read(name, bytes_max=bytes_max)
        except BadFile as fault:
            return fault
        return SourceFile(name=name, sha256=hashlib.sha256(content).hexdigest(), content=content)


def _unreadable(name: str, error: Exception) -> BadFile:
    return BadFile("missing-file", f"'{shown(name)}' cannot be read: {shown(error)}")


def _amount(count: int) -> str:
    return f"{count // 2**20} MiB" if count >= 2**20 else f"{count:,} bytes"
