"""How a download becomes a stored video.

    bytes → NAME.mp4.part → length, signature and structure → fsync → sidecar → rename → fsync of the folder → `stored`

The digest is computed on the way, never by a second read. Beside a `.part`, `.part.etag` says which video its bytes
are of, how many there will be, and the server's ETag: they are gone on with only where a strong one says that they
are still the same (RFC 9110 §13.1.5). A video's sidecar has its name first: whatever a crash leaves, a whole video
can be told by it. Nothing is ever read from Content-Disposition.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ArtifactError, NotAVideo, Truncated
from pipeline.media import MediaFacts, looks_like_mp4, probe
from pipeline.model import JSON
from pipeline.naming import sidecar as sidecar_of
from pipeline.storage import Artifact, RunFolder

VIDEO_BYTES_MAX = 4 << 30
"""No clip of a few seconds is larger; a body without an end is cut here."""
PIECE_BYTES = 1 << 20
"""So much is gathered in memory before it is written: what a crash, and nothing else, can cost of a download."""

_STRONG = re.compile(r'"[ -~]*"')
_TAG = re.compile(r'([0-9a-f]{16}) (\d{1,18}|-) ("[ -~]*")?\n', re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What an earlier try has left of a download."""

    bytes: int
    total: int | None
    """How many there are in all; `None`: not announced."""
    etag: str
    """Strong; or empty, where the part is whole."""

    @property
    def whole(self) -> bool:
        return self.bytes == self.total


class Part:
    """A download on its way to its name. Blocking: `write` now and then, `resume`, `finish` and `adopt` for a thread.

    Every method but `write` and `close` may raise `OSError`; of `write`, it is the piece that is full that does.
    """

    def __init__(self, folder: RunFolder, path: str, video_id: str) -> None:
        self._disk = folder.disk
        self._path = path
        self._video_id = video_id
        self._target = folder.video(path)
        self._sidecar = folder.video(sidecar_of(path))
        self.file = self._target.with_name(self._target.name + ".part")
        self._tag_file = self._target.with_name(self._target.name + ".part.etag")
        self._descriptor = -1
        self._blocks: list[bytes] = []
        """What has come and is not yet written."""
        self._written = 0
        self._digest = hashlib.sha256()
        """Of what is written."""
        self._tag = ""
        """What is to be said of the part, until it lies beside it."""
        self._etag = ""
        self.length = 0
        """How much has come."""

    def held(self) -> Held | None:
        """What is here of this very video and can be gone on with; `None`: start anew."""
        try:
            tag = _TAG.fullmatch(self._tag_file.read_text("ascii"))
            length = self.file.stat().st_size
        except (OSError, ValueError):
            return None
        if tag is None or tag[1] != self._owner or not length:
            return None
        held = Held(bytes=length, total=None if tag[2] == "-" else int(tag[2]), etag=tag[3] or "")
        return held if held.etag or held.whole else None

    @property
    def has_sidecar(self) -> bool:
        """Whether an earlier try may have come so far that `adopt` is worth asking."""
        return self._sidecar.exists()

    def begin(self, etag: str, total: int | None) -> None:
        """Start anew; what was here is gone as soon as there is something to take its place."""
        self._let_go()
        self._forget()
        self._etag = etag if _STRONG.fullmatch(etag) else ""
        self._say(total)

    def resume(self, held: Held) -> None:
        """Go on where the bytes on disk end."""
        self._forget()
        self._etag = held.etag
        with self.file.open("rb") as file:
            while block := file.read(1 << 20):
                self._digest.update(block)
                self._written += len(block)
        self.length = self._written
        self._descriptor = self._disk.open_append(self.file)

    def write(self, block: bytes) -> None:
        """Take the next bytes. Raises `NotAVideo` as soon as they cannot be one."""
        if self.length == 0 and len(block) >= 8 and not looks_like_mp4(block):
            raise NotAVideo(f"it begins with {block[:24]!r}, not as an MP4 does")
        if self.length + len(block) > VIDEO_BYTES_MAX:
            raise NotAVideo(f"it is larger than {VIDEO_BYTES_MAX >> 30} GiB")
        self._blocks.append(block)
        self.length += len(block)
        if self.length - self._written >= PIECE_BYTES:
            self._write_out()
            self._leave_tag()

    def finish(self, expected: int | None, sidecar: Callable[[Artifact], Mapping[str, JSON]]) -> Artifact:
        """Check the whole, make it and its sidecar durable, give them their names.

        Raises `Truncated` or `NotAVideo`; then nothing has a name yet.
        """
        self._write_out()
        if expected is not None and self.length < expected:
            raise Truncated(f"{self.length} of {expected} bytes came")
        if expected is not None and self.length > expected:
            raise NotAVideo(f"{self.length} bytes came where {expected} were announced")
        media = self._probe(expected)
        artifact = Artifact(path=self._path, bytes=self.length, sha256=self._digest.hexdigest(), media=media)
        text = json.dumps(sidecar(artifact), indent=2, ensure_ascii=False) + "\n"
        self._say(self.length)  # should the disk fail from here on, the part is known to be whole
        self._sync()
        self._let_go()
        self._disk.write_whole(self._sidecar, text.encode("utf-8", "replace"))
        self._give_name()
        return artifact

    def adopt(self, key: str) -> Artifact | None:
        """This video, where it is here whole and only its `stored` did not reach the disk; its name is durable then.

        Its sidecar tells: it names the job's *key*, the video's id and the digest. `None`: it is not here.
        """
        found = self._found(key)
        if found is None:
            return None
        file, artifact = found
        if file == self.file:
            self._descriptor = self._disk.open_append(file)
            self._sync()
            self._let_go()
            self._give_name()
        else:
            self._disk.sync_folder(self._target.parent)
            self.discard()
        return artifact

    def close(self) -> None:
        """Let go of the file; what came so far stays, as far as the disk takes it."""
        with suppress(OSError):
            if self._blocks:
                self._write_out()
            self._leave_tag()
        with suppress(OSError):
            self._let_go()

    def discard(self) -> None:
        """Remove what came: it is no part of the video."""
        self._let_go()
        self._forget()
        self._disk.remove(self._tag_file)
        self._disk.remove(self.file)

    @property
    def _owner(self) -> str:
        """Whose bytes these are: a path may be another video's tomorrow."""
        return hashlib.sha256(self._video_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def _forget(self) -> None:
        self._blocks, self._written, self._digest = [], 0, hashlib.sha256()
        self._tag, self.length = "", 0

    def _say(self, total: int | None) -> None:
        self._tag = f"{self._owner} {'-' if total is None else total} {self._etag}\n"

    def _write_out(self) -> None:
        """Bring what has gathered to the disk. Where that fails it is not tried again: the rest is fetched anew."""
        piece, self._blocks = b"".join(self._blocks), []
        if self._descriptor < 0:
            self._disk.make_folder(self._target.parent)
            self._disk.remove(self._tag_file)
            self._descriptor = self._disk.open_new(self.file)
        self._disk.write(self._descriptor, piece)
        self._digest.update(piece)
        self._written += len(piece)

    def _leave_tag(self) -> None:
        """Put the tag beside the part, once. Half of one is none."""
        if not self._tag or not self._written:
            return
        tag, self._tag = self._tag, ""
        descriptor = self._disk.open_new(self._tag_file)
        try:
            self._disk.write(descriptor, tag.encode("ascii"))
        finally:
            self._disk.close(descriptor)

    def _probe(self, expected: int | None) -> MediaFacts:
        try:
            return probe(self.file)
        except Truncated as error:
            if expected is None:
                raise  # perhaps the line was cut: nothing said how much there is
            raise NotAVideo(f"all of it came, and yet {error}") from error

    def _sync(self) -> None:
        """Make the bytes durable; where that fails, nobody knows any more what is on the disk."""
        try:
            self._disk.sync(self._descriptor)
        except OSError:
            self.discard()
            raise

    def _give_name(self) -> None:
        self._disk.replace(self.file, self._target)
        self._disk.sync_folder(self._target.parent)
        self._tag = ""
        self._disk.remove(self._tag_file)

    def _found(self, key: str) -> tuple[Path, Artifact] | None:
        """The file that holds just what the sidecar says, under its own name or not yet."""
        try:
            said = json.loads(self._sidecar.read_bytes())
            if not isinstance(said, dict) or (said.get("key"), said.get("video_id")) != (key, self._video_id):
                return None
            for file in (self._target, self.file):
                if file.is_file() and _sha256(file) == said.get("sha256"):
                    size, media = file.stat().st_size, probe(file)
                    return file, Artifact(path=self._path, bytes=size, sha256=said["sha256"], media=media)
        except (OSError, ValueError, RecursionError, ArtifactError):
            return None
        return None

    def _let_go(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            self._disk.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
