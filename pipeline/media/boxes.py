"""Is this an MP4, whole, and what does it hold? A walk over its boxes; nothing is decoded.

Structure per ISO/IEC 14496-12: a file is a row of boxes (4 bytes length, 4 bytes type; length 1 means that 8 more
bytes state it, length 0 means "to the end"). A file that was cut still opens in most players and states its full
duration, so we compare the boxes' lengths with the file's, and the chunk offsets with where the file ends.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import NotAVideo, Truncated
from pipeline.media.c2pa import USER_TYPE_BYTES, is_c2pa
from pipeline.signature import FIRST_BOXES

MOOV_BYTES_MAX = 64 << 20
BOXES_MAX = 100_000
_CONTAINERS = frozenset({b"mdia", b"minf", b"stbl"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFacts:
    """What an MP4 says of its first video track. Length and frames are 0 where a fragmented file does not say."""

    seconds: float
    width: int
    height: int
    codec: str
    """The four letters of the sample entry, such as `avc1`."""
    frames: int
    c2pa: bool = False
    """Whether it says by C2PA data where it comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    kind: bytes
    start: int
    """Of its payload."""
    end: int


def probe(path: Path) -> MediaFacts:
    """Walk the boxes of *path*. Raises `NotAVideo`, or `Truncated` where boxes reach past the file's end."""
    size = path.stat().st_size
    with path.open("rb") as file:
        top: dict[bytes, _Box] = {}
        room, c2pa = 0, False
        for n, box in enumerate(_boxes(file, 0, size)):
            if n == BOXES_MAX:
                raise NotAVideo("it is made of absurdly many boxes")
            top[box.kind] = box
            room += box.end - box.start if box.kind == b"mdat" else 0
            c2pa = c2pa or (box.kind == b"uuid" and _is_c2pa(file, box))
        if not FIRST_BOXES & top.keys():
            raise NotAVideo("it does not begin with an 'ftyp' box")
        if b"moov" not in top or b"mdat" not in top:
            missing = "moov" if b"moov" not in top else "mdat"
            raise Truncated(f"it ends before its '{missing}' box")
        moov = top[b"moov"]
        if moov.end - moov.start > MOOV_BYTES_MAX:
            raise NotAVideo("its index is absurdly large")
        file.seek(moov.start)
        facts = _facts(file.read(moov.end - moov.start), size, room, fragmented=b"moof" in top)
    return replace(facts, c2pa=c2pa)


def _is_c2pa(file: BinaryIO, box: _Box) -> bool:
    file.seek(box.start)
    return is_c2pa(file.read(min(USER_TYPE_BYTES, box.end - box.start)))


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[_Box]:
    """The boxes between two offsets of a file."""
    while start < end:
        file.seek(start)
        head = file.read(16)
        if len(head) < 8:
            raise Truncated("it ends within a box's head")
        length, kind = struct.unpack(">I4s", head[:8])
        if start == 0 and kind not in FIRST_BOXES:
            raise NotAVideo("it does not begin with an 'ftyp' box")
        payload = start + 8
        if length == 1:
            if len(head) < 16:
                raise Truncated("it ends within a box's head")
            (length,) = struct.unpack(">Q", head[8:])
            payload += 8
        elif length == 0:
            length = end - start
        if length < payload - start:
            raise NotAVideo("a box is shorter than its own head")
        if start + length > end:
            raise Truncated(f"its '{kind.decode('latin-1')}' box reaches {start + length - end} bytes past the end")
        yield _Box(kind=kind, start=payload, end=start + length)
        start += length


def _tree(moov: bytes) -> Iterator[dict[bytes, bytes]]:
    """Each track of a `moov` payload, as its leaf boxes' payloads by type."""
    for kind, payload in _children(moov):
        if kind == b"trak":
            yield dict(_leaves(payload))


def _leaves(payload: bytes, levels: int = 3) -> Iterator[tuple[bytes, bytes]]:
    for kind, inner in _children(payload):
        if kind in _CONTAINERS and levels:  # below `trak`: `mdia`, `minf`, `stbl`, and no deeper
            yield from _leaves(inner, levels - 1)
        else:
            yield kind, inner


def _children(payload: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(payload):
        length, kind = struct.unpack_from(">I4s", payload, at)
        if length < 8 or at + length > len(payload):
            raise NotAVideo(f"its index is broken at '{kind.decode('latin-1')}'")
        yield kind, payload[at + 8 : at + length]
        at += length


def _facts(moov: bytes, size: int, room: int, *, fragmented: bool) -> MediaFacts:
    try:
        for track in _tree(moov):
            if track.get(b"hdlr", b"")[8:12] == b"vide":
                return _track_facts(track) if fragmented else _whole_track_facts(track, size, room)
    except (struct.error, KeyError, IndexError, ZeroDivisionError) as error:
        raise NotAVideo(f"its index is broken: {error!r}") from error
    raise NotAVideo("it holds no video track")


def _whole_track_facts(track: dict[bytes, bytes], size: int, room: int) -> MediaFacts:
    """The facts of a track whose index must account for every frame."""
    facts = _track_facts(track)
    if facts.frames == 0:
        raise NotAVideo("its video track holds no frame")
    (uniform,) = struct.unpack_from(">I", track[b"stsz"], 4)
    needed = uniform * facts.frames or sum(struct.unpack_from(f">{facts.frames}I", track[b"stsz"], 12))
    if _last_chunk(track) >= size or needed > room:  # an `mdat` without a length of its own cannot tell
        raise Truncated("its last frames lie past the end of the file")
    return facts


def _track_facts(track: dict[bytes, bytes]) -> MediaFacts:
    """What a track's own boxes say. A fragmented file (`moof`) may say no more than its size and codec there."""
    (frames,) = struct.unpack_from(">I", track[b"stsz"], 8)
    width, height = struct.unpack_from(">II", track[b"tkhd"], len(track[b"tkhd"]) - 8)
    return MediaFacts(
        seconds=round(_duration_s(track[b"mdhd"]), 3),
        width=width >> 16,
        height=height >> 16,
        codec=track[b"stsd"][12:16].decode("latin-1"),
        frames=frames,
    )


def _duration_s(mdhd: bytes) -> float:
    long = mdhd[0] == 1
    timescale, duration = struct.unpack_from(">IQ" if long else ">II", mdhd, 20 if long else 12)
    return float(duration / timescale)


def _last_chunk(track: dict[bytes, bytes]) -> int:
    """The offset of the last chunk in the file."""
    wide = b"co64" in track
    offsets = track[b"co64"] if wide else track[b"stco"]
    (count,) = struct.unpack_from(">I", offsets, 4)
    if count == 0:
        raise NotAVideo("its video track holds no chunk")
    width = 8 if wide else 4
    (last,) = struct.unpack_from(">Q" if wide else ">I", offsets, 8 + width * (count - 1))
    return int(last)
