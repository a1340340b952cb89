"""A provider whose every video is another film, and who tells at once what he sold and what he was asked for."""

from __future__ import annotations

import hashlib
import re
import struct
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from pipeline.sandbox import film
from tests.runner.gateway import Answer, Gateway, Seen, Video

PLAIN_BYTES = 2000
OWN_BYTES = 7000
"""Of each film that are its own: enough that blocks of 512 and of 4,096 bytes can be missing in their midst."""


@cache
def _plain() -> bytes:
    """A real MP4."""
    fields = {"prompt": "grey", "model": "sora-2", "seconds": "4", "size": "64x64"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        film.plain(film.film_of(fields), PLAIN_BYTES, path)
        return path.read_bytes()


@cache
def film_for(prompt: str) -> bytes:
    """The one film that answers *prompt*: a real one with a box of bytes that no other film has."""
    seed = hashlib.sha256(prompt.encode()).digest()
    own = b"".join(hashlib.sha256(seed + bytes([n])).digest() for n in range(OWN_BYTES // 32))
    return _plain() + struct.pack(">I4s", 8 + len(own), b"free") + own


def nobody(kind: str, video_id: str, prompt: str) -> None:
    """Hears of everything and keeps nothing."""


class Shop(Gateway):
    """Sells each prompt its own film. *told* hears of each sale before it is answered, and of each use of an id."""

    def __init__(self) -> None:
        super().__init__(b"")
        self.told: Callable[[str, str, str], object] = nobody

    def open_anew(self, sold: Mapping[str, str], told: Callable[[str, str, str], object] = nobody) -> None:
        """Behave from now on, at the same address, as one that has sold just these: prompts, by id."""
        self.behave()
        self.seen.clear()
        self.told = told
        self.book.clear()
        self.book.update({video_id: Video(id=video_id, prompt=prompt) for video_id, prompt in sold.items()})

    @property
    def sold(self) -> dict[str, str]:
        """Prompts, by id."""
        return {video.id: video.prompt for video in self.book.values()}

    def sell(self, seen: Seen) -> dict[str, object]:
        receipt = super().sell(seen)
        video_id = str(receipt["id"])
        self.told("sold", video_id, self.book[video_id].prompt)
        return receipt

    def show(self, video: Video) -> dict[str, object]:
        self.told("asked", video.id, video.prompt)
        return super().show(video)

    def content(self, seen: Seen) -> Answer:
        """The film of this video, or the rest of it, under a strong validator of its own."""
        video = self.book[seen.video_id]
        self.told("asked", video.id, video.prompt)
        whole, etag = film_for(video.prompt), f'"{hashlib.sha256(video.prompt.encode()).hexdigest()[:16]}"'
        headers = {"content-type": "video/mp4", "etag": etag}
        wanted = re.fullmatch(r"bytes=(\d+)-", seen.headers.get("range", ""))
        if wanted is None or seen.headers.get("if-range") != etag:
            return Answer(headers=headers, body=whole)
        start = int(wanted[1])
        headers["content-range"] = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
        return Answer(status=206, headers=headers, body=whole[start:])

    def cut_short(self, seen: Seen) -> Answer:
        """A script: the film, cut off in its midst."""
        whole = self.content(seen)
        return Answer(status=whole.status, headers=whole.headers, body=whole.body, cut_at=len(whole.body) // 2)
