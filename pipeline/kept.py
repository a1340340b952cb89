"""What a run folder keeps of a manifest: an index of its files and how it was read, and the files as a library."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.disk import words_of
from pipeline.errors import UsageError
from pipeline.manifest.files import BadFile
from pipeline.manifest.patterns import Pattern, is_pattern
from pipeline.model import JSON, Manifest
from pipeline.text import plain

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """A file as a manifest called it, and where its copy is."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One version of a manifest that was run, as it was read."""

    name: str
    """What the manifest's file was called."""
    manifest: KeptFile
    files: Mapping[str, KeptFile]
    """What it read, by the names that it has in the manifest."""
    reading: Mapping[str, JSON]
    """What was stated over it: `Manifest.reading`."""


def index_of(manifest: Manifest, places: Sequence[str]) -> bytes:
    """The index of *manifest*, whose files are kept at *places*, one each. The same reading gives the same bytes."""
    own, *others = [
        {"name": file.name, "sha256": file.sha256, "kept": place}
        for file, place in zip(manifest.files, places, strict=True)
    ]
    index = {"format": FORMAT, "manifest": own, "files": others, "reading": dict(manifest.reading)}
    return json.dumps(index, indent=1, sort_keys=True).encode("ascii") + b"\n"


def read_index(path: Path) -> Kept:
    """The index at *path*. Raises `UsageError` where it is none of ours."""
    try:
        index: Any = json.loads(path.read_bytes())
        if index["format"] != FORMAT:
            raise UsageError(
                f"{path}: its format is {index['format']}, and this vidbatch knows {FORMAT}: use a newer one"
            )
        own = index["manifest"]
        return Kept(
            name=own["name"],
            manifest=_file(path, own),
            files={file["name"]: _file(path, file) for file in index["files"]},
            reading=dict(index["reading"]),
        )
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {words_of(error)}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no index of a manifest that was run: {error}") from error


class KeptLibrary:
    """The files that a manifest read when it was run, under the names that it has for them."""

    def __init__(self, files: Mapping[str, KeptFile]) -> None:
        self._files = files

    def read(self, name: str, *, bytes_max: int) -> bytes:
        path = self.find(name)
        try:
            content = path.read_bytes()
        except OSError as error:
            words = f"the run folder's copy of '{plain(name)}' cannot be read: {words_of(error)}"
            raise BadFile("missing-file", words) from error
        if hashlib.sha256(content).hexdigest() != self._files[name].sha256:
            raise BadFile("missing-file", f"the run folder's copy of '{plain(name)}' is not what was read then")
        if len(content) > bytes_max:
            raise BadFile("too-large", f"'{plain(name)}' is larger than {bytes_max:,} bytes")
        return content

    def find(self, name: str) -> Path:
        try:
            return self._files[name].path
        except KeyError:
            raise BadFile("missing-file", f"the run folder keeps no file '{plain(name)}'") from None

    def names(self, pattern: str) -> Sequence[str]:
        if not is_pattern(pattern):
            return [pattern]
        try:
            found = sorted(filter(Pattern(pattern).names, self._files))
        except ValueError as error:
            raise BadFile("too-deep", f"'{plain(pattern)}': {error}") from error
        if not found:
            raise BadFile("missing-file", f"the run folder keeps no file that '{plain(pattern)}' names")
        return found


def _file(index: Path, entry: Mapping[str, Any]) -> KeptFile:
    kept = entry["kept"]
    if ".." in Path(kept).parts or Path(kept).is_absolute():
        raise ValueError(f"'{plain(str(kept))}' leaves the folder")
    return KeptFile(path=index.parent / kept, sha256=entry["sha256"])
