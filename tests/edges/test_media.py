"""A film is whole or it is not: real films, cut and bent in every way."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import NotAVideo, Truncated
from pipeline.media.boxes import MediaFacts, probe
from pipeline.signature import looks_like_mp4
from tests.edges.films import FRAGMENTED, HEIGHT, LAYOUTS, RATE, SECONDS, WIDTH, boxes, encode

FACTS = MediaFacts(seconds=float(SECONDS), width=WIDTH, height=HEIGHT, codec="avc1", frames=SECONDS * RATE)
KIB = 1024

into_one_file = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def box(kind: bytes, payload: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


FTYP = box(b"ftyp", b"isom\x00\x00\x02\x00isom")


def probed(path: Path, content: bytes) -> MediaFacts:
    path.write_bytes(content)
    return probe(path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_whole_film_says_what_it_holds(layout: str, films: dict[str, bytes], a_path: Path) -> None:
    assert probed(a_path, films[layout]) == FACTS


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_cut_film_is_never_taken_for_a_whole_one(layout: str, films: dict[str, bytes], a_path: Path) -> None:
    film = films[layout]
    assert len(film) > 50 * KIB
    ends = [end for _, _, end in boxes(film) if end < len(film)] if layout in ("front", "end") else []
    chosen = random.Random(layout).sample(range(8, len(film)), 100)

    for length in sorted({*range(KIB, len(film), KIB), *chosen, *ends, *range(1, 60), len(film) - 1}):
        with pytest.raises(Truncated):
            probed(a_path, film[:length])


def test_a_fragmented_film_is_a_film(a_path: Path) -> None:
    encode(a_path, movflags=FRAGMENTED)

    facts = probe(a_path)

    assert (facts.width, facts.height, facts.codec) == (WIDTH, HEIGHT, "avc1")


def test_a_fragmented_film_cut_within_a_fragment_is_truncated(a_path: Path) -> None:
    film = encode(a_path, movflags=FRAGMENTED)
    _, start, end = next(b for b in boxes(film) if b[0] == b"mdat")

    with pytest.raises(Truncated):
        probed(a_path, film[: (start + end) // 2])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!doctype html><title>502 Bad Gateway</title>",
        b'{"error": {"message": "Video is not ready yet", "code": 404}}',
        b"\x1aE\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x1fB\x86\x81\x01",  # WebM
        b"RIFF\x24\x08\x00\x00AVI LIST",
        b"GIF89a\x01\x00\x01\x00\x00\x00\x00",
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01",
        bytes(4096),
        random.Random(7).randbytes(4096),
        struct.pack(">I4s", 4, b"ftyp") + bytes(20),  # a box shorter than its own head
        struct.pack(">I4sQ", 1, b"ftyp", 8) + bytes(20),
        FTYP + box(b"moov") + box(b"mdat"),  # no track
        FTYP + box(b"moov", box(b"trak", box(b"mdia"))) + box(b"mdat"),
        FTYP + box(b"moov", struct.pack(">I4s", 99, b"trak")) + box(b"mdat"),
        FTYP + box(b"moov", struct.pack(">I4s", 0, b"trak")) + box(b"mdat"),
        FTYP + box(b"moov", struct.pack(">I4s", 8, b"trak") * 3) + box(b"mdat"),
        FTYP + box(b"free") * 100_001,
    ],
)
def test_what_is_no_film_is_told_from_one(content: bytes, a_path: Path) -> None:
    with pytest.raises(NotAVideo):
        probed(a_path, content)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (FTYP[:4], "within a box's head"),
        (FTYP + b"\x00\x00\x00\x01mdat\x00\x00", "within a box's head"),
        (FTYP, "before its 'moov' box"),
        (FTYP + box(b"mdat", b"x"), "before its 'moov' box"),
        (FTYP + box(b"moov"), "before its 'mdat' box"),
        (FTYP + struct.pack(">I4s", 99, b"mdat"), "reaches 91 bytes past the end"),
        (FTYP + struct.pack(">I4sQ", 1, b"mdat", 1 << 62), "past the end"),
    ],
)
def test_a_film_that_ends_too_soon_says_where(content: bytes, why: str, a_path: Path) -> None:
    with pytest.raises(Truncated, match=why):
        probed(a_path, content)


def test_an_absurdly_large_index_is_not_read(a_path: Path) -> None:
    with a_path.open("wb") as file:
        file.write(FTYP + box(b"mdat") + struct.pack(">I4s", (64 << 20) + 9, b"moov"))
        file.truncate(len(FTYP) + 8 + (64 << 20) + 9)  # a hole: it takes no room on disk
    with pytest.raises(NotAVideo, match="absurdly large"):
        probe(a_path)


def test_boxes_within_boxes_without_end_are_no_film(a_path: Path) -> None:
    nested = b""
    for _ in range(20_000):
        nested = struct.pack(">I4s", 8 + len(nested), b"mdia") + nested
    with pytest.raises(NotAVideo):
        probed(a_path, FTYP + box(b"moov", box(b"trak", nested)) + box(b"mdat"))


@pytest.mark.parametrize(
    ("kind", "bend"),
    [
        (b"stsz", lambda p: p[:8] + bytes(4) + p[12:]),  # no frame
        (b"stsz", lambda p: p[:8] + b"\xff\xff\xff\xff" + p[12:]),  # more frames than sizes
        (b"stco", lambda p: p[:4] + bytes(4) + p[8:]),  # no chunk
        (b"stco", lambda p: p[:4] + b"\xff\xff\xff\xff" + p[8:]),  # more chunks than offsets
        (b"mdhd", lambda p: p[:12] + bytes(4) + p[16:]),  # no time scale
        (b"stco", lambda p: p[:2]),
        (b"mdhd", lambda p: p[:0]),
        (b"tkhd", lambda p: p[:0]),
        (b"hdlr", lambda p: p[:8] + b"soun" + p[12:]),  # sound alone
    ],
)
def test_an_index_that_cannot_be_true_is_no_film(
    kind: bytes, bend: Callable[[bytes], bytes], film: bytes, a_path: Path
) -> None:
    with pytest.raises(NotAVideo):
        probed(a_path, bent(film, kind, bend))


def test_frames_past_the_end_are_missing_frames(film: bytes, a_path: Path) -> None:
    with pytest.raises(Truncated, match="last frames"):
        probed(a_path, bent(film, b"stco", lambda p: p[:-4] + b"\x7f\xff\xff\xff"))


def test_offsets_and_times_of_64_bits_are_read(film: bytes, a_path: Path) -> None:
    def wide_offsets(payload: bytes) -> bytes:
        (count,) = struct.unpack_from(">I", payload, 4)
        return payload[:8] + b"".join(struct.pack(">Q", at) for at in struct.unpack_from(f">{count}I", payload, 8))

    def wide_times(payload: bytes) -> bytes:
        scale, duration = struct.unpack_from(">II", payload, 12)
        return b"\x01\x00\x00\x00" + bytes(16) + struct.pack(">IQ", scale, duration) + payload[20:]

    film = bent(film, b"stco", wide_offsets, renamed=b"co64")
    film = bent(film, b"mdhd", wide_times)

    assert probed(a_path, film) == FACTS


def test_frames_of_one_size_are_counted(film: bytes, a_path: Path) -> None:
    uniform = bent(film, b"stsz", lambda p: p[:4] + struct.pack(">I", 100) + p[8:12])
    assert probed(a_path, uniform) == FACTS
    too_much = bent(film, b"stsz", lambda p: p[:4] + struct.pack(">I", len(film)) + p[8:12])
    with pytest.raises(Truncated):
        probed(a_path, too_much)


def bent(film: bytes, kind: bytes, bend: Callable[[bytes], bytes], *, renamed: bytes = b"") -> bytes:
    """*film*, with the payload of one box of its index replaced and all lengths above it set right."""

    def walk(payload: bytes) -> bytes:
        made = b""
        for name, start, end in boxes(payload):
            inner = payload[start + 8 : end]
            if name in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
                made += box(name, walk(inner))
            else:
                made += box(renamed or name, bend(inner)) if name == kind else payload[start:end]
        return made

    return walk(film)


@given(st.binary(max_size=400) | st.binary(max_size=400).map(lambda b: FTYP + b))
@into_one_file
def test_any_bytes_are_judged_without_a_stumble(a_path: Path, content: bytes) -> None:
    with pytest.raises((NotAVideo, Truncated)):
        probed(a_path, content)


@given(st.data())
@into_one_file
def test_a_film_with_changed_bytes_is_judged_without_a_stumble(
    a_path: Path, films: dict[str, bytes], data: st.DataObject
) -> None:
    film = bytearray(films[data.draw(st.sampled_from(LAYOUTS))])
    start, end = next((a, b) for kind, a, b in boxes(films["front"]) if kind == b"moov")
    for at in data.draw(st.lists(st.integers(0, end - 1) | st.integers(start, end - 1), min_size=1, max_size=6)):
        film[at] = data.draw(st.integers(0, 255))

    try:
        facts = probed(a_path, bytes(film))
    except (NotAVideo, Truncated):
        return
    assert facts.frames > 0


@pytest.mark.parametrize(
    ("head", "yes"),
    [
        (FTYP, True),
        (b"\x00\x00\x00\x18ftyp", True),
        (b"\x00\x00\x00\x18styp", True),
        (b"\x00\x00\x00\x18fty", False),
        (b"ftyp", False),
        (b"<html>  ", False),
        (b"", False),
    ],
)
def test_eight_bytes_tell_a_film(head: bytes, yes: bool) -> None:
    assert looks_like_mp4(head) is yes
