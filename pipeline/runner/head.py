"""The start of what comes: it is looked at before the rest is believed to be a video, and kept where it is none."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pipeline.disk import Disk
from pipeline.errors import NotAVideo
from pipeline.signature import looks_like_mp4

SAMPLE_BYTES = 4096
"""So much is looked at, and kept."""
_ROOM = 2 * SAMPLE_BYTES
"""A little more is remembered: a key may stand across the end of what is kept."""


class Head:
    """The first bytes of a download."""

    def __init__(self, without_key: Callable[[bytes], bytes]) -> None:
        self._without_key = without_key
        self._bytes = bytearray()

    def take(self, block: bytes) -> None:
        """Remember the next bytes while there is room. Raises `NotAVideo` once there are enough to tell."""
        if len(self._bytes) >= _ROOM:
            return
        had = len(self._bytes)
        self._bytes += block[: _ROOM - had]
        if had < SAMPLE_BYTES <= len(self._bytes):
            self.check()

    def clear(self) -> None:
        self._bytes.clear()

    @property
    def is_a_videos(self) -> bool:
        return looks_like_mp4(bytes(self._bytes[:8]))

    def check(self) -> None:
        """Raise `NotAVideo` where this is not how one begins."""
        if not self.is_a_videos:
            begins = self._without_key(bytes(self._bytes))[:24]
            raise NotAVideo(f"it begins with {begins!r}, not as an MP4 does" if begins else "it is empty")

    def keep(self, path: Path, disk: Disk) -> bool:
        """Write it to *path* for a person to look at; whether there was something to keep and the disk took it."""
        sample = self._without_key(bytes(self._bytes))[:SAMPLE_BYTES]
        if not sample:
            return False
        with suppress(OSError):
            disk.make_folder(path.parent)
            descriptor = disk.open_new(path)
            try:
                disk.write(descriptor, sample)
            finally:
                disk.close(descriptor)
            return True
        return False
