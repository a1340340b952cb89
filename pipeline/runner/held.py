"""What an earlier try has left of a download, and how that is said beside it: `NAME.mp4.part.etag`.

Each line says which video the bytes are of, how many there are, their digest, how many there will be, and the server's
ETag. The last whole line counts; half of one is none.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

_TAG = re.compile(rb'([0-9a-f]{16}) (\d{1,18}) ([0-9a-f]{64}) (\d{1,18}|-) ("[ -~]*")?\n')


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Bytes of one video, and what they are the beginning of."""

    bytes: int
    total: int | None
    """How many there are in all; `None`: not announced."""
    etag: str
    """Strong; or empty, where the part is whole."""
    sha256: str
    """Of these bytes, as they came."""

    @property
    def whole(self) -> bool:
        return self.bytes == self.total

    def line(self, video_id: str) -> str:
        """These bytes in words."""
        total = "-" if self.total is None else self.total
        return f"{_owner(video_id)} {self.bytes} {self.sha256} {total} {self.etag}\n"


def read_held(tag: Path, part: Path, video_id: str) -> Held | None:
    """What is here of this very video and can be gone on with; `None`: start anew."""
    try:
        lines = list(_TAG.finditer(tag.read_bytes()))
        length = part.stat().st_size
    except OSError:
        return None
    if not lines:
        return None
    owner, written, sha256, total, etag = (text.decode("ascii") for text in lines[-1].groups(default=b""))
    if owner != _owner(video_id) or not 0 < int(written) <= length:
        return None
    held = Held(bytes=int(written), total=None if total == "-" else int(total), etag=etag, sha256=sha256)
    return held if held.etag or held.whole else None


def _owner(video_id: str) -> str:
    """Whose bytes these are: a path may be another video's tomorrow."""
    return hashlib.sha256(video_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
