"""What is in a video, and what is wrong with it: its boxes walked, then all of it decoded, in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.errors import ArtifactError
from pipeline.ledger.media import NOT_DECODED, SECONDS_APART, Media
from pipeline.media.boxes import MediaFacts, probe
from pipeline.media.decode import PICTURE, Decoded, Track, decode, demand_its_own_fault, first_picture
from pipeline.media.poster import WIDTH_MAX
from pipeline.text import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What came of it."""

    media: Media
    poster: bytes = b""
    """A JPEG; empty: none was asked for, or there is no frame."""


def examine(path: Path, poster_width: int = 0) -> Examined:
    """Decode all of *path*; with a poster of at most this width, where it is not 0. Blocks. Needs the extra `media`.

    Raises `OSError` where the disk cannot say, and `MachineAtFault`; a file that is no video at all is a verdict.
    """
    from av.error import FFmpegError

    told, fault = _walked(path)
    try:
        decoded = decode(path)
    except FFmpegError as error:
        demand_its_own_fault(error)
        words = fault or f"it could not be decoded: {error.strerror or error}"
        return Examined(media=replace(NOT_DECODED, c2pa=bool(told and told.c2pa), problems=(words,)))
    problems = (*((fault,) if fault else ()), *problems_of(decoded, told))
    poster = decoded.poster.jpeg(poster_width) if poster_width else b""
    return Examined(media=_media(decoded, problems, c2pa=bool(told and told.c2pa)), poster=poster)


def poster(path: Path, width_max: int = WIDTH_MAX) -> bytes:
    """The first frame of *path* that is not black (or the first), as a JPEG of at most this width. Blocks.

    Empty where it has none. Raises `av.error.FFmpegError`, `OSError`. Needs the extra `media`.
    """
    return first_picture(path).jpeg(width_max)


def problems_of(decoded: Decoded, told: MediaFacts | None) -> Iterator[str]:
    """What is wrong with what was decoded, by what its boxes have *told*, in words that follow on its name.

    That it has no sound, or a silent one, is none: nobody asked for any.
    """
    yield from (f"there is no decoder here for its {what}{_named(what, told)}" for what in decoded.unknown)
    if PICTURE not in decoded.unknown:
        yield from _problems_of_picture(decoded.video, told.seconds if told else 0.0)
    if decoded.audio.broke_s is not None:
        yield f"its sound is damaged at {_at(decoded.audio):.1f} s{_because(decoded.audio)}"


def _problems_of_picture(video: Track, length_s: float) -> Iterator[str]:
    of = f" of {length_s:.1f}" if length_s else ""
    if not video.frames:
        yield f"it has no frame{_because(video)}"
    elif video.recovers:
        yield f"its picture is damaged at {_at(video):.1f}{of} s{_because(video)}"
    elif video.broke_s is not None or (length_s and length_s - video.seconds > SECONDS_APART):
        yield f"it ends after {video.seconds:.1f}{of} s{_because(video)}"
    elif length_s and video.seconds - length_s > SECONDS_APART:
        yield f"it is {video.seconds:.1f} s long, and its index says {length_s:.1f}"


def _walked(path: Path) -> tuple[MediaFacts | None, str]:
    """What its boxes say, or why they cannot be true."""
    try:
        return probe(path), ""
    except ArtifactError as error:
        return None, str(error)


def _media(decoded: Decoded, problems: tuple[str, ...], *, c2pa: bool) -> Media:
    judged = len(problems) > len(decoded.unknown) or not decoded.unknown  # what is found wrong besides is a verdict
    whole = decoded.video.frames > 0 and decoded.video.broke_s is None and decoded.audio.broke_s is None
    return Media(
        seconds=round(decoded.video.seconds, 3),
        size=f"{decoded.width}x{decoded.height}" if decoded.width else "",
        frames=decoded.video.frames,
        frame_rate=None if decoded.frame_rate is None else round(decoded.frame_rate, 3),
        codec=decoded.codec,
        audio=decoded.audio_codec,
        silent=decoded.sound.silent if decoded.audio_codec else None,
        decodes=whole and not problems if judged else None,
        c2pa=c2pa,
        problems=problems,
    )


def _named(what: str, told: MediaFacts | None) -> str:
    """Its codec, where its boxes say it: FFmpeg has no name for what it does not know."""
    return f" ('{plain(told.codec)}')" if what == PICTURE and told and told.codec else ""


def _at(track: Track) -> float:
    return max((track.broke_s or 0.0) - (track.begin_s or 0.0), 0.0)


def _because(track: Track) -> str:
    return f": {track.words}" if track.words else ""
