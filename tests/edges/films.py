"""Films made with a real encoder, and their boxes put in other orders."""

from __future__ import annotations

import struct
from pathlib import Path

import av

SECONDS, RATE, WIDTH, HEIGHT = 2, 24, 128, 72
LAYOUTS = ("front", "end", "long", "open")
"""`moov` first; `moov` last; `mdat` with a length of 64 bits; a last `mdat` whose length is 0: to the end."""


FRAGMENTED = "frag_keyframe+empty_moov"


def encode(path: Path, *, movflags: str = "") -> bytes:
    """A film whose frames differ, so that it has some weight."""
    options = {"movflags": movflags} if movflags else {}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        stream = container.add_stream(
            "libx264", rate=RATE, options={"preset": "ultrafast", "crf": "18", "threads": "1"}
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for n in range(SECONDS * RATE):
            frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
            for plane in frame.planes:
                noise = bytes((n * 31 + at * at // 7) & 0xFF for at in range(plane.buffer_size))
                plane.update(noise)
            frame.pts = n
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.read_bytes()


def boxes(film: bytes) -> list[tuple[bytes, int, int]]:
    """The top boxes: type, start and end."""
    found, at = [], 0
    while at < len(film):
        length, kind = struct.unpack_from(">I4s", film, at)
        found.append((kind, at, at + length))
        at += length
    return found


def laid_out(layout: str, front: bytes, end: bytes) -> bytes:
    """One of `LAYOUTS`, from a film with `moov` first and one with `moov` last."""
    if layout == "end":
        return end
    if layout == "long":  # the encoder leaves a `free` box of 8 bytes before `mdat` for just this
        start, stop = next((a, b) for kind, a, b in boxes(end) if kind == b"mdat")
        assert end[start - 4 : start] == b"free"
        return end[: start - 8] + struct.pack(">I4sQ", 1, b"mdat", stop - start + 8) + end[start + 8 :]
    if layout == "open":
        kind, start, _ = boxes(front)[-1]
        assert kind == b"mdat"
        return front[:start] + struct.pack(">I", 0) + front[start + 4 :]
    return front
