"""The run folder on disk, and how a download becomes a stored video.

    bytes → NAME.mp4.part → length, signature and structure → fsync → rename → fsync of the folder → `stored`

The digest is computed on the way, never by a second read. A `.part` is taken up again only where the server's
strong ETag says that its bytes are still the same (RFC 9110 §13.1.5); the tag is put beside it as `.part.etag`.
Names come from `naming`; nothing is ever read from Content-Disposition.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.disk import DISK, Disk
from pipeline.errors import NotAVideo, Truncated
from pipeline.media import MediaFacts, looks_like_mp4, probe
from pipeline.model import JSON, Manifest

VIDEO_BYTES_MAX = 4 << 30
"""No clip of a few seconds is larger; a body without an end is cut here."""
TAG_FROM_BYTES = 1 << 20
"""So much of a download is worth taking up after a crash; of less, only what a broken line leaves is."""


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

    def make(self) -> None:
        """Make the folder itself."""
        self.disk.make_folder(self.path)

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

    def write_metadata(self, rows: Iterable[Mapping[str, JSON]]) -> None:
        """Write `videos/metadata.jsonl` anew, whole or not at all."""
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        self.disk.make_folder(self.videos)
        self.disk.write_whole(self.metadata, "".join(lines).encode("utf-8", "replace"))

    def append_metadata(self, *rows: Mapping[str, JSON]) -> None:
        """Add lines to it; not synced, for a run's end and the next one's start write it anew."""
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        descriptor = self.disk.open_append(self.metadata)
        try:
            self.disk.write(descriptor, "".join(lines).encode("utf-8", "replace"))
        finally:
            self.disk.close(descriptor)

    def part(self, path: str) -> Part:
        """The download of the video at *path*, as far as it has come."""
        return Part(self, path)


class Part:
    """A download on its way to its name. Blocking; `write` is quick, `finish` is for a thread."""

    def __init__(self, folder: RunFolder, path: str) -> None:
        self._folder = folder
        self._disk = folder.disk
        self._path = path
        self._target = folder.video(path)
        self._file = self._target.with_name(self._target.name + ".part")
        self._tag_file = self._target.with_name(self._target.name + ".part.etag")
        self._descriptor = -1
        self._tag = ""
        """The strong ETag of what is coming, until it lies beside the part."""
        self._digest = hashlib.sha256()
        self.length = 0

    def resumable(self) -> tuple[int, str] | None:
        """How many bytes are here and the strong ETag they belong to; `None`: start anew."""
        try:
            tag = self._tag_file.read_text("ascii")
            length = self._file.stat().st_size
        except (OSError, ValueError):
            return None
        return (length, tag) if length and tag.startswith('"') else None

    def begin(self, etag: str) -> None:
        """Start anew: what was here is gone."""
        self._disk.make_folder(self._target.parent)
        self._disk.remove(self._tag_file)
        self._descriptor = self._disk.open_new(self._file)
        self._digest = hashlib.sha256()
        self.length = 0
        self._tag = etag if etag.startswith('"') else ""

    def resume(self) -> None:
        """Go on where the bytes on disk end."""
        self._digest = hashlib.sha256()
        self.length = 0
        with self._file.open("rb") as file:
            while block := file.read(1 << 20):
                self._digest.update(block)
                self.length += len(block)
        self._descriptor = self._disk.open_append(self._file)

    def write(self, block: bytes) -> None:
        """Take the next bytes. Raises `NotAVideo` as soon as they cannot be one."""
        if self.length == 0 and len(block) >= 8 and not looks_like_mp4(block):
            raise NotAVideo(f"it begins with {block[:24]!r}, not as an MP4 does")
        if self.length + len(block) > VIDEO_BYTES_MAX:
            raise NotAVideo(f"it is larger than {VIDEO_BYTES_MAX >> 30} GiB")
        self._disk.write(self._descriptor, block)
        self._digest.update(block)
        self.length += len(block)
        if self.length >= TAG_FROM_BYTES:
            self._leave_tag()

    def finish(self, expected: int | None, sidecar: Callable[[Artifact], Mapping[str, JSON]]) -> Artifact:
        """Check the whole, make it and its sidecar durable, give them their names.

        Raises `Truncated` or `NotAVideo`; then nothing has a name yet.
        """
        if expected is not None and self.length < expected:
            raise Truncated(f"{self.length} of {expected} bytes came")
        if expected is not None and self.length > expected:
            raise NotAVideo(f"{self.length} bytes came where {expected} were announced")
        artifact = Artifact(
            path=self._path,
            bytes=self.length,
            sha256=self._digest.hexdigest(),
            media=probe(self._file),
        )
        text = json.dumps(sidecar(artifact), indent=2, ensure_ascii=False) + "\n"
        self._disk.sync(self._descriptor)
        self._tag = ""
        self.close()
        self._disk.replace(self._file, self._target)
        self._disk.write_whole(self._target.with_suffix(".json"), text.encode("utf-8", "replace"))  # syncs the folder
        self._disk.remove(self._tag_file)
        return artifact

    def close(self) -> None:
        """Let go of the file; what came so far stays."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            try:
                self._leave_tag()
            finally:
                self._disk.close(descriptor)

    def discard(self) -> None:
        """Remove what came: it is no part of the video."""
        self._tag = ""
        self.close()
        self._disk.remove(self._file)
        self._disk.remove(self._tag_file)

    def _leave_tag(self) -> None:
        """Put the tag beside the part, once."""
        if not self._tag:
            return
        descriptor = self._disk.open_new(self._tag_file)
        try:
            self._disk.write(descriptor, self._tag.encode("ascii", "ignore"))
        finally:
            self._disk.close(descriptor)
        self._tag = ""


def is_intact(path: Path, size: int) -> bool:
    """Whether a stored video is still there, with its length (its digest is `verify`'s work)."""
    try:
        return path.stat().st_size == size
    except OSError:
        return False
