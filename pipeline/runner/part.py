"""How a download becomes a stored video.

    bytes → NAME.mp4.part → length, signature and structure → fsync → sidecar → rename → fsync of the folder → `stored`

The digest is computed on the way, never by a second read. A `.part` is gone on with only where a strong ETag says
that its bytes are still the same (RFC 9110 §13.1.5), and their digest that they are what came: nothing of a part is
synced, and a loss of power may leave its length without its bytes (`held`). A video's sidecar has its name first:
whatever a crash leaves, a whole video can be told by it. Nothing is ever read from Content-Disposition. Of what came
whole and is no video, a sample is kept for a person to look at, out of the way of whoever reads the videos.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from pipeline.errors import ArtifactError, NotAVideo, Truncated
from pipeline.media.boxes import MediaFacts, probe
from pipeline.model import JSON
from pipeline.naming import sidecar as sidecar_of
from pipeline.runner.head import Head
from pipeline.runner.held import Held, read_held
from pipeline.storage import Artifact, RunFolder

VIDEO_BYTES_MAX = 4 << 30
"""No clip of a few seconds is larger; a body without an end is cut here."""
PIECE_BYTES = 1 << 20
"""So much is gathered in memory before it is written: what a crash, and nothing else, can cost of a download."""

_STRONG = re.compile(r'"[ -~]*"')


class Part:
    """A download on its way to its name. Blocking: `write` now and then, `resume`, `finish` and `adopt` for a thread.

    Every method but `write`, `close` and `keep_sample` may raise `OSError`; of `write`, it is the piece that is full
    that does.
    """

    def __init__(
        self, folder: RunFolder, path: str, video_id: str, *, without_key: Callable[[bytes], bytes] = bytes
    ) -> None:
        self._disk = folder.disk
        self._folder = folder
        self._path = path
        self._video_id = video_id
        self._target = folder.video(path)
        self._sidecar = folder.video(sidecar_of(path))
        self.sample = folder.sample(path)
        """Where the start of what was no video is kept."""
        self.file = self._target.with_name(self._target.name + ".part")
        self._tag_file = self._target.with_name(self._target.name + ".part.etag")
        self._descriptor = -1
        self._blocks: list[bytes] = []
        """What has come and is not yet written."""
        self._written = 0
        self._digest = hashlib.sha256()
        """Of what is written."""
        self._head = Head(without_key)
        self._bytes_max = VIDEO_BYTES_MAX
        self._total: int | None = None
        """How many bytes there will be; `None`: not announced."""
        self._left: Held | None = None
        """What lies beside the part, as it was said last."""
        self._etag = ""
        self.length = 0
        """How much has come."""

    def held(self) -> Held | None:
        """What is here of this very video and can be gone on with; `None`: start anew."""
        return read_held(self._tag_file, self.file, self._video_id)

    @property
    def has_sidecar(self) -> bool:
        """Whether an earlier try may have come so far that `adopt` is worth asking."""
        return self._sidecar.exists()

    def begin(self, etag: str, total: int | None) -> None:
        """Start anew; what was here is gone as soon as there is something to take its place. Raises `NotAVideo`."""
        self._let_go()
        self._forget()
        self._expect(total)
        self._etag = etag if _STRONG.fullmatch(etag) else ""
        self._total = total

    def resume(self, held: Held, total: int | None) -> bool:
        """Go on where what is held ends, up to *total*; whether it is there as it came. Raises `NotAVideo`."""
        self._forget()
        self._etag = held.etag
        self._expect(total)
        with self.file.open("rb") as file:
            while block := file.read(min(1 << 20, held.bytes - self._written)):
                self._digest.update(block)
                self._head.take(block)
                self._written += len(block)
        self.length = self._written
        if self._digest.hexdigest() != held.sha256:
            self._forget()
            return False
        self._descriptor = self._disk.open_append(self.file)
        self._disk.truncate(self._descriptor, held.bytes)  # what came later, nobody vouches for
        self._total = total
        self._left = self._said()
        return True

    def write(self, block: bytes) -> None:
        """Take the next bytes. Raises `NotAVideo` as soon as they cannot be one."""
        if self.length + len(block) > self._bytes_max:
            raise NotAVideo(f"more than {self._bytes_max} bytes came")
        self._head.take(block)
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
        self._head.check()
        media = self._probe(expected)
        artifact = Artifact(path=self._path, bytes=self.length, sha256=self._digest.hexdigest(), media=media)
        text = json.dumps(sidecar(artifact), indent=2, ensure_ascii=False) + "\n"
        self._total = self.length  # should the disk fail from here on, the part is known to be whole
        self._sync()
        self._let_go()
        with self._folder.naming:
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
            with self._folder.naming:
                self._give_name()
        else:
            with self._folder.naming:
                self._sync_name()
            self.discard()
        return artifact

    def keep_sample(self) -> bool:
        """Keep the start of what came in the video's place, at `sample`; whether that could be done."""
        return self._head.keep(self.sample, self._disk)

    def close(self) -> None:
        """Let go of the file; what came so far stays, as far as the disk takes it and it may be a video."""
        with suppress(OSError):
            if self._blocks and not self._head.is_a_videos:
                self.discard()
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

    def _forget(self) -> None:
        self._blocks, self._written, self._digest = [], 0, hashlib.sha256()
        self._total, self._left, self.length = None, None, 0
        self._head.clear()

    def _expect(self, total: int | None) -> None:
        """Take no more than is announced, and nothing that is announced as larger than any video."""
        if total is not None and total > VIDEO_BYTES_MAX:
            raise NotAVideo(f"{total} bytes are announced; no video has more than {VIDEO_BYTES_MAX}")
        self._bytes_max = VIDEO_BYTES_MAX if total is None else total

    def _write_out(self) -> None:
        """Bring what has gathered to the disk. Where that fails it is not tried again: the rest is fetched anew."""
        piece, self._blocks = b"".join(self._blocks), []
        if self._descriptor < 0:
            if not self._folder.has_room_for(self._target):
                self._folder.make_room_for(self._target)
            self._disk.remove(self._tag_file)
            self._descriptor = self._disk.open_new(self.file)
        self._disk.write(self._descriptor, piece)
        self._digest.update(piece)
        self._written += len(piece)

    def _leave_tag(self) -> None:
        """Say beside the part what there is of it."""
        if not self._written or (said := self._said()) == self._left:
            return
        descriptor = self._disk.open_append(self._tag_file)
        try:
            self._disk.write(descriptor, said.line(self._video_id).encode("ascii"))
        finally:
            self._disk.close(descriptor)
        self._left = said

    def _said(self) -> Held:
        return Held(bytes=self._written, total=self._total, etag=self._etag, sha256=self._digest.hexdigest())

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
        self._written = 0  # there is no part any more
        self._disk.remove(self._tag_file)
        self._sync_name()
        if self.sample.exists():  # of an earlier try
            with suppress(OSError):
                self._disk.remove(self.sample)

    def _sync_name(self) -> None:
        """Make the name durable; where that fails it is taken back, so that the next try names it anew."""
        try:
            self._disk.sync_folder(self._target.parent)
        except OSError:
            self._disk.replace(self._target, self.file)
            raise

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
