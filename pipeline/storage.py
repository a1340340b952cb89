"""The run folder on disk: where everything of a run lives, written whole or not at all.

Names come from `naming`; how a download becomes a stored video is `runner.part`'s.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from pipeline.disk import DISK, Disk
from pipeline.media import MediaFacts
from pipeline.model import JSON, Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A video on disk, whole and checked."""

    path: str
    """Below `videos/`, with `/`."""
    bytes: int
    sha256: str
    media: MediaFacts


class RunFolder:
    """Where one run lives. Knows the layout; nothing else does."""

    def __init__(self, path: Path, disk: Disk = DISK) -> None:
        self.path = path
        self.disk = disk
        self.ledger = path / "ledger.jsonl"
        self.videos = path / "videos"
        self.metadata = self.videos / "metadata.jsonl"
        self.log = path / "run.log"
        self.sandbox = path / "sandbox"
        self.naming = Lock()
        """Held while a name is given and made durable: a folder's failed sync fails all names that were waiting for
        it, so none may wait for another's.
        """
        self._durable: set[Path] = set()
        """Folders that this process has made, or has made durable."""

    def make(self) -> None:
        """Make the folder itself."""
        self.disk.make_folder(self.path)

    def make_names_durable(self) -> None:
        """Of all folders that are there, whoever made them: he may have been killed before he could."""
        with suppress(PermissionError):  # where we may not even read, we made nothing
            self.disk.sync_folder(self.path.parent)
        if self.videos.is_dir():
            self.disk.sync_folder(self.path)
        for folder, folders, _ in os.walk(self.videos):
            if folders:
                self.disk.sync_folder(Path(folder))

    def keep(self, manifest: Manifest) -> None:
        """Keep the manifest exactly as run, and the files it read, by digest."""
        kept = self.path / "manifests"
        self.disk.make_folder(kept)
        for n, source in enumerate(manifest.files):
            suffix = Path(source.name).suffix.lower()
            folder = kept if n == 0 else kept / f"{manifest.sha256[:8]}-files"
            self.disk.make_folder(folder)
            target = folder / f"{source.sha256[:8]}{suffix}"
            if not target.exists():
                self.disk.write_whole(target, source.content)

    def video(self, path: str) -> Path:
        """The file of a job's `path` (below `videos/`). Raises `ValueError` where it would leave the folder."""
        target = self.videos / path
        if ".." in Path(path).parts or Path(path).is_absolute():
            raise ValueError(f"{path} leaves the run's folder")
        return target

    def has_room_for(self, target: Path) -> bool:
        """Whether the folder that *target* will be in is there, durably."""
        return target.parent in self._durable and target.parent.is_dir()

    def make_room_for(self, target: Path) -> None:
        """Make that folder. Blocks, also for others' names: nothing for the thread of the event loop."""
        with self.naming:
            if not self.has_room_for(target):
                self.disk.make_folder(target.parent)
                self._durable.add(target.parent)

    def sample(self, path: str) -> Path:
        """Where the start of what came in a video's place is kept; no reader of videos looks there."""
        return self.path / "wrong" / f"{path}.sample"

    def strays(self, paths: Iterable[str]) -> list[Path]:
        """What is written in a run of these videos, and is led out of the run folder by a link below it."""
        home = Path(os.path.realpath(self.path))
        folders = {self.videos / path.rpartition("/")[0] for path in paths}
        ours = {self.ledger, self.log, self.metadata, self.sandbox, self.path / "manifests", self.path / "wrong"}
        written = {*folders, *ours}
        return sorted(place for place in written if not Path(os.path.realpath(place)).is_relative_to(home))

    def write_metadata(self, rows: Iterable[Mapping[str, JSON]]) -> None:
        """Write `videos/metadata.jsonl` anew, whole or not at all."""
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        self.disk.make_folder(self.videos)
        self.disk.write_whole(self.metadata, "".join(lines).encode("utf-8", "replace"))

    def append_metadata(self, *rows: Mapping[str, JSON]) -> None:
        """Add lines to it, as far as the disk takes them: a run's end and the next one's start write it anew."""
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        with suppress(OSError):
            descriptor = self.disk.open_append(self.metadata)
            try:
                self.disk.write(descriptor, "".join(lines).encode("utf-8", "replace"))
            finally:
                self.disk.close(descriptor)


def is_intact(path: Path, size: int) -> bool:
    """Whether a stored video is still there, with its length (its digest is `verify`'s work).

    Raises the `OSError` of a disk that cannot say: that is not a video gone.
    """
    try:
        return path.stat().st_size == size
    except (FileNotFoundError, NotADirectoryError):
        return False
