"""What is in a video, and what is wrong with it: real films, real FFmpeg, every frame decoded."""

from __future__ import annotations

import errno
import io
import re
import struct
from pathlib import Path

import av
import pytest

from pipeline.media.boxes import probe
from pipeline.media.c2pa import C2PA
from pipeline.media.decode import MachineAtFault
from pipeline.media.examine import examine, poster
from tests.edges.films import FRAGMENTED, encode
from tests.edges.spoiled import FAINT, LOUD, NONE, Spoil, filmed, garbled, without_end, without_frames


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two seconds whose frames differ."""
    return encode(tmp_path_factory.mktemp("film") / "film.mp4")


def picture_in(content: bytes) -> av.VideoFrame:
    """The frame of a JPEG."""
    with av.open(io.BytesIO(content), "r") as container:
        return next(container.decode(video=0))


def test_a_sound_film_has_its_facts_and_nothing_wrong(film: bytes, a_path: Path) -> None:
    a_path.write_bytes(film)

    media = examine(a_path).media

    assert (media.seconds, media.size, media.frames, media.frame_rate) == (2.0, "128x72", 48, 24.0)
    assert (media.codec, media.audio, media.silent, media.decodes, media.c2pa) == ("h264", "", None, True, False)
    assert media.problems == ()


def test_a_fragmented_film_is_examined_without_a_length_in_its_index(a_path: Path) -> None:
    encode(a_path, movflags=FRAGMENTED)
    assert (examine(a_path).media.frames, examine(a_path).media.problems) == (48, ())


@pytest.mark.parametrize(("peak", "silent"), [(LOUD, False), (FAINT, True), (NONE, True), (None, None)])
def test_silence_is_a_fact_and_no_problem(a_path: Path, peak: float | None, silent: bool | None) -> None:
    filmed(a_path, peak)

    media = examine(a_path).media

    assert (media.audio, media.silent) == ("" if peak is None else "aac", silent)
    assert (media.decodes, media.problems) == (True, ())


@pytest.mark.parametrize(
    ("spoil", "verdict"),
    [
        (without_end, r"it ends after (0\.9|1\.0) of 2\.0 s: \w.+"),
        (garbled, r"its picture is damaged at 0\.8 of 2\.0 s: \w.+"),
        (without_frames, r"it has no frame: \w.+"),
        (lambda _: b"<html>a page</html>", r"it does not begin with an 'ftyp' box"),
        (lambda film: film[:-2000], r"its 'mdat' box reaches \d+ bytes past the end"),
    ],
    ids=["truncated", "garbled", "zero frames", "a page", "cut"],
)
def test_what_is_wrong_with_a_film_is_said_in_words(film: bytes, a_path: Path, spoil: Spoil, verdict: str) -> None:
    a_path.write_bytes(spoil(film))

    media = examine(a_path).media

    assert not media.decodes
    [problem] = media.problems
    assert re.fullmatch(verdict, problem), problem


def test_a_sound_that_breaks_off_is_a_problem_of_its_own(a_path: Path) -> None:
    film = filmed(a_path, LOUD)
    with av.open(str(a_path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(audio=0) if packet.size and packet.pos]
    for place, size in places[20:30]:
        film = film[:place] + b"\xff" * size + film[place + size :]
    a_path.write_bytes(film)

    media = examine(a_path).media

    assert not media.decodes
    assert len(media.problems) == 1
    assert media.problems[0].startswith("its sound is damaged at 0.")


def test_an_index_that_claims_another_length_than_the_frames_have_is_a_problem(film: bytes, a_path: Path) -> None:
    at = film.index(b"mdhd") + 4 + 12
    scale, duration = struct.unpack_from(">II", film, at)
    a_path.write_bytes(film[:at] + struct.pack(">II", scale, duration * 3) + film[at + 8 :])

    assert probe(a_path).seconds == 6.0
    assert examine(a_path).media.problems == ("it ends after 2.0 of 6.0 s",)


def test_the_poster_is_the_first_frame_that_is_not_black_and_no_wider_than_asked_for(a_path: Path) -> None:
    filmed(a_path, black_frames=10, width=640)

    shown = picture_in(examine(a_path, 480).poster)

    assert (shown.width, shown.height) == (480, 54)
    grey = shown.reformat(format="gray8").planes[0]
    assert bytes(grey)[0] > 100
    assert poster(a_path, 480) == examine(a_path, 480).poster
    assert examine(a_path).poster == b""


def test_a_film_that_is_black_throughout_has_a_black_poster(a_path: Path) -> None:
    filmed(a_path, black_frames=24)
    shown = picture_in(poster(a_path))
    assert (shown.width, bytes(shown.reformat(format="gray8").planes[0])[0] < 10) == (128, True)


@pytest.mark.parametrize(
    ("box", "c2pa"),
    [
        (C2PA.bytes + b"\0\0\0\0manifest\0", True),
        (b"\x11" * 16 + b"of another kind", False),
    ],
    ids=["c2pa", "another"],
)
def test_c2pa_data_is_seen_by_the_boxes_alone(film: bytes, a_path: Path, box: bytes, c2pa: bool) -> None:
    a_path.write_bytes(film + struct.pack(">I4s", 8 + len(box), b"uuid") + box)

    assert probe(a_path).c2pa is c2pa
    assert examine(a_path).media.c2pa is c2pa
    assert examine(a_path).media.decodes


def test_a_list_of_other_files_is_no_film_and_none_of_them_is_opened(film: bytes, tmp_path: Path) -> None:
    (tmp_path / "other.mp4").write_bytes(film)
    playlist = tmp_path / "video.mp4"
    playlist.write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:{tmp_path / 'other.mp4'}\n#EXT-X-ENDLIST\n"
    )

    assert examine(playlist).media.frames == 0
    with pytest.raises(av.error.FFmpegError):
        poster(playlist)


def renamed(film: bytes, track: int, *, entry: bytes = b"", kind: bytes = b"") -> bytes:
    """With another codec, or kind of track, in its n-th track."""
    spoilt, at = bytearray(film), -1
    for _ in range(track + 1):
        at = film.index(b"trak", at + 1)
    if entry:
        place = film.index(b"stsd", at) + 4 + 8 + 4
        spoilt[place : place + 4] = entry
    if kind:
        place = film.index(b"hdlr", at) + 4 + 8
        spoilt[place : place + 4] = kind
    return bytes(spoilt)


def test_a_picture_that_nobody_here_can_decode_is_told_and_not_judged(film: bytes, a_path: Path) -> None:
    a_path.write_bytes(renamed(film, 0, entry=b"xvc9"))

    found = examine(a_path, 480)

    assert found.media.problems == ("there is no decoder here for its picture ('xvc9')",)
    assert (found.media.decodes, found.poster, poster(a_path)) == (None, b"", b"")


def test_so_is_a_sound_and_a_broken_picture_beside_it_is_broken(a_path: Path) -> None:
    film = renamed(filmed(a_path, LOUD), 1, entry=b"xau9").replace(b"esds", b"xsds")
    a_path.write_bytes(film)
    media = examine(a_path).media
    assert (media.decodes, media.frames) == (None, 24)
    assert media.problems == ("there is no decoder here for its sound",)

    a_path.write_bytes(without_frames(film))
    media = examine(a_path).media
    assert (media.decodes, len(media.problems)) == (False, 2)


def test_a_film_with_a_track_of_data_alone_has_no_frame(film: bytes, a_path: Path) -> None:
    a_path.write_bytes(renamed(film, 0, entry=b"xvc9", kind=b"xxxx"))
    media = examine(a_path).media
    assert (media.decodes, media.problems[-1]) == (False, "it has no frame")


def test_a_name_that_is_no_utf8_hurts_nobody(film: bytes, a_path: Path) -> None:
    assert film.count(b"VideoHandler") == 1
    a_path.write_bytes(film.replace(b"VideoHandler", b"Vid\xe9oHandler"))
    assert (examine(a_path).media.problems, len(poster(a_path)) > 0) == ((), True)


def test_too_little_memory_is_no_fault_of_a_film(film: bytes, a_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object, **__: object) -> None:
        raise av.error.FFmpegError(errno.ENOMEM, "Cannot allocate memory")

    a_path.write_bytes(film)
    monkeypatch.setattr(av, "open", no_memory)
    with pytest.raises(MachineAtFault, match="Cannot allocate memory"):
        examine(a_path)
