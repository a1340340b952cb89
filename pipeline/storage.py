"""The run folder on disk: where everything of a run lives, written whole or not at all.

Names come from `naming`; how a download becomes a stored video is `runner.part`'s.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

from pipeline.disk import DISK, Disk, words_of
from pipeline.errors import NoRoom, ReferenceLost, UsageError
from pipeline.kept import Kept, index_of, read_index
from pipeline.media.boxes import MediaFacts
from pipeline.model import JSON, Manifest, Reference, SourceFile
from pipeline.naming import poster, sidecar
from pipeline.pictures import BadPicture, fitted
from pipeline.text import byte_size, plain

_BLOCK = 2**20
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
REFERENCES_HELD = 4
"""So many images stay in memory for the jobs that come next: an entry's takes and cells often share one."""


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
        self.wrong = path / "wrong"
        """What came and is not as it should be."""
        self.report = path / "report"
        self.posters = self.report / "posters"
        self.sandbox = path / "sandbox"
        self.manifests = path / "manifests"
        self.images = self.manifests / "images"
        self._held = lru_cache(maxsize=REFERENCES_HELD)(self._as_sent)
        self.naming = Lock()
        """Held while a name is given and made durable: a folder's failed sync fails all names that were waiting for
        it, so none may wait for another's.
        """
        self._rows = Lock()
        """Held while `metadata.jsonl` is written."""
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

    def keep(self, manifest: Manifest) -> str:
        """Keep the manifest exactly as run, and the files it read, by digest; an image once for all its versions.

        Returns the digest of an index of them, by which `kept` finds it all again. Raises `UsageError` where an image
        is no longer the one that was examined, and `NoRoom` where the disk cannot take them all.
        """
        self.disk.make_folder(self.manifests)
        self._demand_room(manifest.files)
        files = (*manifest.files, *manifest.profile.files)
        places = [self._keep_file(source, manifest.sha256, own=n == 0) for n, source in enumerate(files)]
        index = index_of(manifest, [place.relative_to(self.manifests).as_posix() for place in places])
        digest = hashlib.sha256(index).hexdigest()
        if not self._index(digest).exists():
            self.disk.write_whole(self._index(digest), index)
        return digest

    def kept(self, digest: str) -> Kept:
        """The manifest that was run last: the one whose index has this *digest*, as the ledger says.

        Raises `UsageError` where it was not kept, or cannot be read.
        """
        if digest and self._index(digest).exists():
            return read_index(self._index(digest), digest)
        why = "has lost the manifest that it was run with" if digest else "was run by a vidbatch that kept no index"
        raise UsageError(f"{self.path} {why}: name the manifest's own file instead")

    def _index(self, digest: str) -> Path:
        return self.manifests / f"{digest[:8]}.json"

    def _demand_room(self, files: Iterable[SourceFile]) -> None:
        """Raise `NoRoom` where the disk cannot take the images that are not kept yet: rather none of them than half."""
        images = {self.image(file.name, file.sha256): file.path for file in files if file.path is not None}
        with suppress(OSError):  # what cannot be read is told where it is copied
            needed = sum(origin.stat().st_size for place, origin in images.items() if not place.exists())
            free = self.disk.free_bytes(self.path) if needed else None
            if free is not None and needed > free:
                raise NoRoom(
                    f"the disk is too full for the manifest's images: {byte_size(free)} are free at {self.path}, and "
                    f"they want {byte_size(needed)}; nothing was sent: make room and run again"
                )

    def _keep_file(self, source: SourceFile, manifest_sha256: str, *, own: bool) -> Path:
        """Where *source* is kept, from now on if it was not."""
        if source.path is not None:
            return self._keep_image(source, source.path)
        suffix = Path(source.name).suffix.lower()
        folder = self.manifests if own else self.manifests / f"{manifest_sha256[:8]}-files"
        self.disk.make_folder(folder)
        target = folder / f"{source.sha256[: 8 if own else 16]}{suffix}"
        if not target.exists():
            self.disk.write_whole(target, source.content)
        return target

    def image(self, name: str, sha256: str) -> Path:
        """Where the image that a manifest calls *name* is kept."""
        suffix = Path(name).suffix.lower()
        return self.images / f"{sha256}{suffix if _SUFFIX.fullmatch(suffix) else ''}"

    def reference(self, reference: Reference, size: str) -> bytes:
        """The image of a job of *size* (`WIDTHxHEIGHT`), as it is to be sent. Blocks.

        Raises `ReferenceLost` where it is not what was kept, and `MissingExtra` where fitting it wants Pillow.
        """
        return self._held(reference, size if reference.fit else "")

    def _as_sent(self, reference: Reference, size: str) -> bytes:
        path = self.image(reference.name, reference.sha256)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ReferenceLost(path, f"the image cannot be read: {words_of(error)}") from error
        if hashlib.sha256(content).hexdigest() != reference.sha256:
            raise ReferenceLost(path, "this is not the image that was kept")
        if not reference.fit:
            return content
        width, _, height = size.partition("x")
        try:
            return fitted(content, reference.fit, (int(width), int(height)))
        except BadPicture as fault:
            raise ReferenceLost(path, f"the image {plain(str(fault))}") from fault

    def _keep_image(self, source: SourceFile, origin: Path) -> Path:
        target = self.image(source.name, source.sha256)
        self.disk.make_folder(self.images)
        if not target.exists():
            self.disk.write_blocks(target, _unchanged(source, origin))
        return target

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

    def poster(self, sha256: str) -> Path:
        """The poster of the video with this digest, where it has one."""
        return self.report / poster(sha256)

    def has_poster(self, sha256: str) -> bool:
        """Whether it has one; an empty file is what a power cut leaves of one."""
        try:
            return self.poster(sha256).stat().st_size > 0
        except OSError:
            return False

    def keep_poster(self, sha256: str, picture: bytes) -> None:
        """Make *picture* that poster. Blocks, briefly."""
        self.disk.make_folder(self.posters)
        self.disk.put(self.poster(sha256), picture)

    def sample(self, path: str) -> Path:
        """Where the start of what came in a video's place is kept; no reader of videos looks there."""
        return self.wrong / f"{path}.sample"

    def put_aside(self, path: str, sha256: str) -> Path:
        """Bring an unfit video out of the way of whoever reads the videos, and its sidecar; where it is then. Blocks.

        Copied, durably, before it goes: a rename from folder to folder may lose both names with the power. The video
        goes last, so that what a crash leaves half done is seen by it. Another one that has this name there stays.
        """
        video, target = self.video(path), self.wrong / path
        if target.exists() and _sha256(target) != sha256:
            target = target.with_name(f"{target.stem}-{sha256[:8]}{target.suffix}")
        beside = self.video(sidecar(path))
        self.disk.make_folder(target.parent)
        for source, copy in ((beside, target.with_suffix(".json")), (video, target)):
            if source.exists():
                self.disk.write_blocks(copy, _blocks(source))
                self.disk.remove(source)
        self.disk.sync_folder(video.parent)
        return target

    def aside(self, path: str, sha256: str) -> str:
        """Where such a video is that was put aside, below the run folder with `/`; empty where it is not there."""
        target = self.wrong / path
        named = target.with_name(f"{target.stem}-{sha256[:8]}{target.suffix}")
        found = next((place for place in (named, target) if place.is_file()), None)
        return found.relative_to(self.path).as_posix() if found else ""

    def strays(self, paths: Iterable[str]) -> list[Path]:
        """What is written in a run of these videos, and is led out of the run folder by a link below it."""
        home = Path(os.path.realpath(self.path))
        folders = {self.videos / folder for folder in {path.rpartition("/")[0] for path in paths}}
        ours = {self.ledger, self.log, self.metadata, self.sandbox, self.manifests, self.images}
        written = {*folders, *ours, self.report, self.posters, self.wrong}
        return sorted(place for place in written if not Path(os.path.realpath(place)).is_relative_to(home))

    def write_metadata(self, rows: Iterable[Mapping[str, JSON]]) -> None:
        """Write `videos/metadata.jsonl` anew, whole or not at all."""
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        self.disk.make_folder(self.videos)
        with self._rows:
            self.disk.write_whole(self.metadata, "".join(lines).encode("utf-8", "replace"))

    def strike_metadata(self, paths: Collection[str]) -> None:
        """Take the rows of the videos at these *paths* out of it, whole or not at all. Blocks. Raises `OSError`."""
        with self._rows, suppress(FileNotFoundError):
            lines = self.metadata.read_bytes().splitlines(keepends=True)
            kept = [line for line in lines if _file_of(line) not in paths]
            if len(kept) < len(lines):
                self.disk.write_whole(self.metadata, b"".join(kept))

    def append_metadata(self, *rows: Mapping[str, JSON]) -> None:
        """Add lines to it, as far as the disk takes them: a run's end and the next one's start write it anew."""
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        with self._rows, suppress(OSError):
            descriptor = self.disk.open_append(self.metadata)
            try:
                self.disk.write(descriptor, "".join(lines).encode("utf-8", "replace"))
            finally:
                self.disk.close(descriptor)


def _unchanged(source: SourceFile, origin: Path) -> Iterator[bytes]:
    """The bytes of *origin* in blocks. Raises `UsageError` at their end where they are not those of *source*."""
    digest = hashlib.sha256()
    try:
        with origin.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                yield block
    except OSError as error:
        message = f"'{plain(source.name)}' cannot be read any more: {words_of(error)}; nothing was sent"
        raise UsageError(message) from error
    if digest.hexdigest() != source.sha256:
        raise UsageError(f"'{plain(source.name)}' was changed while the manifest was read; nothing was sent: run again")


def _file_of(line: bytes) -> str:
    """The video that a line of `metadata.jsonl` is about; empty where that was cut off."""
    try:
        return str(json.loads(line)["file_name"])
    except (ValueError, KeyError, TypeError):
        return ""


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def is_intact(path: Path, size: int) -> bool:
    """Whether a stored video is still there, with its length (its digest is `verify`'s work).

    Raises the `OSError` of a disk that cannot say: that is not a video gone.
    """
    try:
        return path.stat().st_size == size
    except (FileNotFoundError, NotADirectoryError):
        return False


def is_unchanged(path: Path, size: int, sha256: str) -> bool:
    """Whether it is byte for byte what was stored. Blocks. Raises as `is_intact` does."""
    return is_intact(path, size) and _sha256(path) == sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
