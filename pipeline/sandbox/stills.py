"""What there is of a film besides: a picture of its beginning, and a sheet of pictures. Real ones, from its frames."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pipeline.sandbox.picture import FRAMES

KINDS: Final = {"thumbnail": "image/webp", "spritesheet": "image/jpeg"}
"""The media type, by variant."""
_WIDTH_MAX: Final = 320
_COLUMNS: Final = 6


def still(film: Path, variant: str) -> bytes:
    """The picture that *variant* names, of the film in the file. Blocks."""
    if variant == "thumbnail":
        return _encoded(_frames(film, 1)[0], "libwebp", "yuv420p")
    return _encoded(_side_by_side(_frames(film, FRAMES)[:: FRAMES // _COLUMNS]), "mjpeg", "yuvj420p")


def _frames(film: Path, count: int) -> list[Any]:
    """The first frames, small."""
    import av

    with av.open(str(film)) as container:
        frames = list(islice(container.decode(video=0), count))
    width = min(frames[0].width, _WIDTH_MAX) // 2 * 2
    height = max(frames[0].height * width // frames[0].width // 2 * 2, 2)
    return [frame.reformat(width=width, height=height, format="yuv420p") for frame in frames]


def _side_by_side(frames: Sequence[Any]) -> Any:
    import av

    sheet = av.VideoFrame(frames[0].width * len(frames), frames[0].height, "yuv420p")
    for n, plane in enumerate(sheet.planes):
        parts = [(bytes(frame.planes[n]), frame.planes[n]) for frame in frames]
        rows = bytearray()
        for y in range(plane.height):
            row = b"".join(content[y * part.line_size :][: part.width] for content, part in parts)
            rows += row.ljust(plane.line_size, b"\0")
        plane.update(bytes(rows))
    return sheet


def _encoded(frame: Any, codec: str, pixels: str) -> bytes:
    from fractions import Fraction

    import av

    encoder: Any = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = frame.width, frame.height, pixels, Fraction(1)
    picture = frame.reformat(format=pixels)
    picture.pts, picture.time_base = 0, Fraction(1)
    return b"".join(bytes(packet) for packet in (*encoder.encode(picture), *encoder.encode(None)))
