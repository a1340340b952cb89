"""Real films with a sound, and ways to spoil what lies in them; their boxes stay as they were."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable
from pathlib import Path

import av

from tests.edges.films import boxes, encode

SOUND_RATE = 48_000
LENGTH_S = 1
LOUD, FAINT, NONE = 0.5, 0.0005, 0.0
"""Peaks, of the full scale: -6 and -66 dBFS, and digital silence."""
Spoil = Callable[[bytes], bytes]


def filmed(path: Path, peak: float | None = None, *, black_frames: int = 0, width: int = 128) -> bytes:
    """A second of film: with a sound of this peak, where there is one; after so many black frames."""
    with av.open(str(path), "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=24, options={"preset": "ultrafast", "threads": "1"})
        video.width, video.height, video.pix_fmt = width, 72, "yuv420p"
        audio = None if peak is None else container.add_stream("aac", rate=SOUND_RATE)
        for n in range(24 * LENGTH_S):
            container.mux(video.encode(_picture(n, width, black=n < black_frames)))
        container.mux(video.encode(None))
        if audio is not None and peak is not None:
            container.mux(audio.encode(_sound(peak)))
            container.mux(audio.encode(None))
    return path.read_bytes()


def _picture(n: int, width: int, *, black: bool) -> av.VideoFrame:
    frame = av.VideoFrame(width, 72, "yuv420p")
    for plane, level in zip(frame.planes, (16 if black else 140 + n, 128, 128), strict=True):
        plane.update(bytes((level,)) * plane.buffer_size)
    frame.pts = n
    return frame


def _sound(peak: float) -> av.AudioFrame:
    """A tone of 440 Hz."""
    count = SOUND_RATE * LENGTH_S
    frame = av.AudioFrame(format="fltp", layout="mono", samples=count)
    frame.sample_rate, frame.pts = SOUND_RATE, 0
    wave = array("f", (peak * math.sin(n * 440 * math.tau / SOUND_RATE) for n in range(count)))
    frame.planes[0].update(wave.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
    return frame


def without_end(film: bytes) -> bytes:
    """Its frames are zeros from the middle on."""
    return _from(film, 0.5, 1.0, bytes)


def garbled(film: bytes) -> bytes:
    """Some frames in the middle are noise."""
    return _from(film, 0.4, 0.5, random.Random(7).randbytes)


def without_frames(film: bytes) -> bytes:
    """All its frames are zeros."""
    return _from(film, 0.0, 1.0, bytes)


def _from(film: bytes, begin: float, end: float, other: Callable[[int], bytes]) -> bytes:
    first, last = next((start + 8, stop) for kind, start, stop in boxes(film) if kind == b"mdat")
    a, b = (first + int((last - first) * share) for share in (begin, end))
    return film[:a] + other(b - a) + film[b:]


__all__ = ["FAINT", "LOUD", "NONE", "encode", "filmed", "garbled", "without_end", "without_frames"]
