"""Whether a sound can be heard at all."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from av import AudioFrame, AudioResampler

PEAK_MIN: Final = 33
"""-60 dBFS of samples of 16 bits: what stays below is silence, with some noise of an encoder perhaps."""


class Sound:
    """Listens to one audio stream, until something can be heard."""

    def __init__(self) -> None:
        self.silent = True
        self._resampler: AudioResampler | None = None

    def take(self, frame: AudioFrame) -> None:
        """Hear the next frame. Raises `av.error.FFmpegError` where it cannot be brought to samples of 16 bits."""
        if not self.silent:
            return
        if self._resampler is None:
            from av import AudioResampler

            self._resampler = AudioResampler(format="s16")
        for heard in self._resampler.resample(frame):
            self.silent = self.silent and _peak(heard) < PEAK_MIN


def _peak(frame: AudioFrame) -> int:
    """The largest sample of a frame of interleaved samples, without the padding at the end of its plane."""
    bytes_wanted = frame.samples * frame.layout.nb_channels * 2
    samples = array("h", bytes(frame.planes[0])[:bytes_wanted])
    return max(abs(max(samples)), abs(min(samples))) if samples else 0
