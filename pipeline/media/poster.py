"""A poster: one frame of a video as a small JPEG, made by FFmpeg's own encoder."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from av import VideoFrame

WIDTH_MAX: Final = 320
BLACK_MAX: Final = 10
"""The mean brightness, of 255, up to which a frame is black: videos like to fade in."""
_THUMB: Final = (16, 16)
"""So few pixels tell how bright a frame is."""


class Poster:
    """Watches the frames go by for the first that is not black; the first of all where every one is."""

    def __init__(self) -> None:
        self.found = False
        self._frame: VideoFrame | None = None

    def take(self, frame: VideoFrame) -> None:
        if self.found:
            return
        self.found = not is_black(frame)
        if self.found or self._frame is None:
            self._frame = frame

    def jpeg(self, width_max: int = WIDTH_MAX) -> bytes:
        """Of at most this width; empty where there was no frame. Raises `av.error.FFmpegError`."""
        return b"" if self._frame is None else jpeg(self._frame, width_max)


def is_black(frame: VideoFrame) -> bool:
    """Whether there is nothing to be seen in it."""
    width, height = _THUMB
    plane = frame.reformat(width=width, height=height, format="gray8").planes[0]
    rows = bytes(plane)
    seen = b"".join(rows[at : at + width] for at in range(0, height * plane.line_size, plane.line_size))
    return sum(seen) <= BLACK_MAX * len(seen)


def jpeg(frame: VideoFrame, width_max: int) -> bytes:
    """*frame* as a JPEG of at most this width, in its own proportions."""
    from av import CodecContext

    width = max(min(frame.width, width_max) // 2 * 2, 2)
    height = max(round(frame.height * width / frame.width / 2) * 2, 2)
    encoder = CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = {"qmin": "4", "qmax": "4"}
    small = frame.reformat(width=width, height=height, format="yuvj420p")
    small.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(small), *encoder.encode(None)))
