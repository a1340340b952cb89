"""One pass over a video with FFmpeg's decoders, and what it told: every frame, every sound, and where it broke.

Decoding one packet after the other in one thread: with more, FFmpeg passes over what is missing without a word.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.media.poster import Poster
from pipeline.media.sound import Sound

if TYPE_CHECKING:
    from av import AudioFrame, VideoFrame
    from av.container import InputContainer
    from av.error import FFmpegError

PICTURE, SOUND = "picture", "sound"
WORDS_MAX: Final = 200
"""So many characters of FFmpeg's words are kept."""
OURS: Final = frozenset({errno.ENOMEM, errno.EMFILE, errno.ENFILE})
"""Errors of this machine, which FFmpeg passes on as if they were the file's."""
OPTIONS: Final = {"protocol_whitelist": "file"}
"""A file that names others, on the disk or in the network, is not followed there."""


@dataclass(slots=True, kw_only=True)
class Track:
    """What decoding one stream told."""

    frames: int = 0
    """That came, damaged ones among them."""
    begin_s: float | None = None
    """Of its first frame."""
    good_s: float = 0.0
    """Up to where its frames are as they should be, or are so again."""
    broke_s: float | None = None
    """Where it first was not; `None`: it was throughout."""
    words: str = ""
    """What FFmpeg said there."""

    @property
    def recovers(self) -> bool:
        """Whether something good came after it first broke."""
        return self.broke_s is not None and self.good_s > self.broke_s

    @property
    def seconds(self) -> float:
        """How long its good part is, from its first frame on."""
        return max(self.good_s - (self.begin_s or 0.0), 0.0)

    def take(self, time_s: float, length_s: float, *, damaged: bool, words: str) -> None:
        """A frame came."""
        self.frames += 1
        self.begin_s = time_s if self.begin_s is None else min(self.begin_s, time_s)
        if damaged:
            self.fail(time_s, words)
        else:
            self.good_s = max(self.good_s, time_s + length_s)

    def fail(self, time_s: float | None, words: str) -> None:
        """None came, or a damaged one."""
        if self.broke_s is None:
            self.broke_s, self.words = self.good_s if time_s is None else time_s, _printable(words)[:WORDS_MAX]


def _printable(words: str) -> str:
    """FFmpeg repeats what it reads."""
    return "".join(sign if sign.isprintable() else "?" for sign in words)


@dataclass(slots=True, kw_only=True)
class Decoded:
    """What was found."""

    video: Track = field(default_factory=Track)
    audio: Track = field(default_factory=Track)
    width: int = 0
    height: int = 0
    frame_rate: float | None = None
    codec: str = ""
    audio_codec: str = ""
    unknown: tuple[str, ...] = ()
    """Of what there is no decoder here: `PICTURE`, `SOUND`."""
    sound: Sound = field(default_factory=Sound)
    poster: Poster = field(default_factory=Poster)


def decode(path: Path) -> Decoded:
    """Decode all of *path*. Raises `av.error.FFmpegError` where there is nothing to begin with; `MachineAtFault`."""
    import av

    av.logging.set_level(av.logging.ERROR)
    with av.logging.Capture() as said, opened(path) as container:
        return _Pass(container, said).whole()


def first_picture(path: Path) -> Poster:
    """As much of *path* as it takes to find a frame that is not black. Raises as `decode` does."""
    poster = Poster()
    with opened(path) as container:
        for stream in filter(_has_decoder, container.streams.video[:1]):
            stream.codec_context.thread_count = 1  # for a frame or two, threads cost more than they give
            for frame in container.decode(stream):
                poster.take(frame)
                if poster.found:
                    break
    return poster


def opened(path: Path) -> InputContainer:
    """*path*, taken for an MP4 and nothing else. Raises as `decode` does."""
    import av

    return av.open(f"file:{path}", format="mp4", options=OPTIONS, metadata_errors="replace")


def demand_its_own_fault(error: FFmpegError) -> None:
    """Raise `MachineAtFault` where *error* says nothing of the file."""
    if error.errno in OURS:
        raise MachineAtFault(error.strerror or str(error)) from error


def _has_decoder(stream: Any) -> bool:
    return stream.codec_context is not None  # PyAV's types do not say that it may be


class MachineAtFault(Exception):
    """There was too little of something here; nothing can be said of the file."""


class _Pass:
    """One pass."""

    def __init__(self, container: InputContainer, said: list[Any]) -> None:
        self._container = container
        self._said = said
        """What FFmpeg logs: (level, who, words)."""
        self._decoded = Decoded()
        self._frame_s = 0.0

    def whole(self) -> Decoded:
        from av.error import FFmpegError

        if not (streams := self._streams()):  # of none, `demux` would take all there are
            return self._decoded
        try:
            for packet in self._container.demux(*streams):
                self._take(packet)
                self._said.clear()
        except FFmpegError as error:
            demand_its_own_fault(error)
            self._decoded.video.fail(None, self._words(error))
        return self._decoded

    def _streams(self) -> list[Any]:
        """The first of pictures and the first of sounds, noted; those that can be decoded."""
        streams, decoded = self._container.streams, self._decoded
        first: dict[str, list[Any]] = {PICTURE: [*streams.video[:1]], SOUND: [*streams.audio[:1]]}
        decoded.unknown = tuple(what for what, found in first.items() if not all(map(_has_decoder, found)))
        video, audio = ([one for one in found if _has_decoder(one)] for found in first.values())
        for stream in video:
            stream.codec_context.thread_count = 1
            decoded.width, decoded.height, decoded.codec = stream.width, stream.height, stream.codec_context.name
            if stream.average_rate:
                decoded.frame_rate, self._frame_s = float(stream.average_rate), float(1 / stream.average_rate)
        for sound in audio:
            decoded.audio_codec = sound.codec_context.name
        return [*video, *audio]

    def _take(self, packet: Any) -> None:
        from av.error import FFmpegError

        pictures = packet.stream.type == "video"
        track = self._decoded.video if pictures else self._decoded.audio
        try:
            for frame in packet.decode():
                if pictures:
                    self._see(frame)
                else:
                    self._hear(frame)
        except FFmpegError as error:
            demand_its_own_fault(error)
            at = None if packet.pts is None else float(packet.pts * packet.time_base)
            track.fail(at, self._words(error))

    def _see(self, frame: VideoFrame) -> None:
        track = self._decoded.video
        time_s = frame.time if frame.pts is not None else track.good_s
        length_s = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else self._frame_s
        words = self._words() or "a frame is damaged" if frame.is_corrupt else ""
        track.take(time_s, length_s, damaged=frame.is_corrupt, words=words)
        self._decoded.poster.take(frame)

    def _hear(self, frame: AudioFrame) -> None:
        track = self._decoded.audio
        time_s = track.good_s if frame.time is None else frame.time
        track.take(time_s, frame.samples / frame.sample_rate, damaged=frame.is_corrupt, words=self._words())
        self._decoded.sound.take(frame)

    def _words(self, error: Any = None) -> str:
        """The latest that FFmpeg said, in its log or by an error."""
        logged = str(self._said[-1][2]).strip() if self._said else ""
        return logged or (str(error.strerror or error) if error is not None else "")
