"""From the fields of a create to a real MP4: H.264, yuv420p, the asked size and length, `moov` first.

One second is encoded and its packets are repeated with later times, each repeat starting with a key frame: a film of
any length costs what one second costs. The same fields give the same bytes on one build of the encoder.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, Final

from pipeline.model import JSON
from pipeline.sandbox.picture import FRAMES, Scene, frames

PAINTER: Final = "1"
"""Raised when a film of the same fields looks different from before, so that no cache serves the old one."""

SMALL: Final = 64
"""The side of a plain film where the asked size does not fit."""
PLAIN_FRAMES_MAX: Final = 12
"""However long a plain film is: so that it is small, and quickly made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """What a video will show, all of it taken from the request: equal fields are equal films."""

    width: int
    height: int
    seconds: Fraction
    words: str
    model: str
    digest: bytes
    """SHA-256 over every field that was sent."""

    @property
    def key(self) -> str:
        """The name of the film in a cache: what it shows, and who painted and encoded it."""
        return hashlib.sha256(self.digest + _painter().encode()).hexdigest()[:32]


def film_of(fields: Mapping[str, JSON], lineage: str = "") -> Film:
    """The film that the accepted *fields* ask for, of a video that was made from others by its *lineage*."""
    width, height = (int(side) for side in str(fields["size"]).split("x"))
    return Film(
        width=width,
        height=height,
        seconds=Fraction(str(fields["seconds"])),
        words=str(fields["prompt"]),
        model=str(fields["model"]),
        digest=hashlib.sha256((json.dumps(fields, sort_keys=True) + lineage).encode("utf-8", "surrogatepass")).digest(),
    )


def render(film: Film, path: Path) -> None:
    """Write *film* to *path*. Blocks; most of it runs without the interpreter's lock."""
    scene = Scene(
        width=film.width,
        height=film.height,
        words=film.words,
        caption=f"{film.width}x{film.height}  {float(film.seconds):g} s  {film.model}",
        mood=hashlib.sha256(film.words.encode("utf-8", "surrogatepass")).digest(),
        shape=film.digest,
    )
    count = max(round(film.seconds * FRAMES), 1)
    # No B-frames: a second's packets stand alone and in order, so they can follow one another. One thread: the
    # bytes do not depend on the machine.
    options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "21", "threads": "1"}
    with _open(path, film.width, film.height, rate=Fraction(FRAMES), options=options) as container:
        _repeat(container, _encode(container, frames(scene)), count)


def plain_key(film: Film, length: int) -> str:
    """The name of the plain film in a cache."""
    return f"plain-{film.width}x{film.height}-{float(film.seconds):g}s-{length}-{_painter()}"


def plain(film: Film, length: int, path: Path) -> None:
    """Write a playable film of exactly *length* bytes: a grey picture, at most one frame a second, then padding.

    It has the asked length, and the asked size where that fits into the bytes.
    """
    for width, height in ((film.width, film.height), (SMALL, SMALL)):
        _render_grey(width, height, film.seconds, path)
        if path.stat().st_size <= length:
            break
    _pad(path, length)


@cache
def _painter() -> str:
    """Who paints and encodes. Asked without importing the encoder, which takes its time, on the event loop."""
    return f"{PAINTER}-{version('av')}"


def _render_grey(width: int, height: int, seconds: Fraction, path: Path) -> None:
    count = min(max(round(seconds), 1), PLAIN_FRAMES_MAX)
    grey = tuple(bytearray((level,)) * (width * height // share) for level, share in ((126, 1), (128, 4), (128, 4)))
    options = {"preset": "veryfast", "crf": "32", "bf": "0", "threads": "1"}
    with _open(path, width, height, rate=Fraction(count) / seconds, options=options) as container:
        _repeat(container, _encode(container, (grey for _ in range(count))), count)


def _pad(path: Path, length: int) -> None:
    """Add a `free` box (ISO/IEC 14496-12 §8.1.2), which players pass over, up to *length* bytes."""
    with path.open("r+b") as file:
        missing = length - file.seek(0, os.SEEK_END)
        assert missing >= 0, "settings.CONSTANT_BYTES_MIN leaves room for the smallest film"
        if missing >= 8:
            file.write(missing.to_bytes(4, "big") + b"free")
            file.truncate(length)
        elif missing:
            _grow_last_box(file, missing)


def _grow_last_box(file: BinaryIO, missing: int) -> None:
    """Too little for a box of its own: `mdat`, the last one, may hold bytes that no table points at."""
    at = file.seek(0)
    while True:
        size = int.from_bytes(file.read(4), "big")
        if file.read(4) == b"mdat":
            break
        at = file.seek(at + size)
    file.seek(at)
    file.write((size + missing).to_bytes(4, "big"))
    file.seek(0, os.SEEK_END)
    file.write(bytes(missing))


def _open(path: Path, width: int, height: int, *, rate: Fraction, options: dict[str, str]) -> Any:
    import av

    container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"})
    stream = container.add_stream("libx264", rate=rate, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.time_base = 1 / rate
    stream.codec_context.color_range, stream.codec_context.colorspace = 1, 1  # video range, BT.709
    return container


def _padded(content: bytearray, width: int, line_size: int) -> bytes:
    """The encoder wants rows of a round number of bytes."""
    if width == line_size:
        return bytes(content)
    rest = bytes(line_size - width)
    return b"".join(content[at : at + width] + rest for at in range(0, len(content), width))


def _encode(container: Any, pictures: Iterable[Sequence[bytearray]]) -> list[Any]:
    import av

    stream = container.streams.video[0]
    packets: list[Any] = []
    for n, planes in enumerate(pictures):
        frame = av.VideoFrame(stream.width, stream.height, "yuv420p")
        frame.pts, frame.time_base = n, stream.codec_context.time_base
        for plane, content in zip(frame.planes, planes, strict=True):
            plane.update(_padded(content, plane.width, plane.line_size))
        packets += stream.encode(frame)
    packets += stream.encode(None)
    return packets


def _repeat(container: Any, packets: list[Any], count: int) -> None:
    import av

    stream = container.streams.video[0]
    time_base = stream.codec_context.time_base
    contents = [(bytes(packet), packet.is_keyframe) for packet in packets]
    for n in range(count):
        content, is_keyframe = contents[n % len(contents)]
        packet = av.Packet(content)
        packet.pts = packet.dts = n
        packet.duration, packet.time_base, packet.stream, packet.is_keyframe = 1, time_base, stream, is_keyframe
        container.mux(packet)
