"""The films: real, of the asked size and length, different per prompt, the same for the same wish."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from pipeline.sandbox.film import film_of, plain, render
from pipeline.sandbox.font import glyph, lines
from pipeline.sandbox.order import Order
from pipeline.sandbox.picture import FRAMES, Scene, frames
from pipeline.sandbox.settings import Settings
from pipeline.sandbox.shelf import Shelf
from tests.sandbox.conftest import WISH

Wish = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a decoder makes of a file."""

    codec: str
    pix_fmt: str
    size: str
    seconds: float
    frames: int
    key_frames: int
    first: bytes
    """The luma of the first frame."""


def decode(path: Path) -> Seen:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoded = list(container.decode(stream))
        plane = decoded[0].planes[0]
        return Seen(
            codec=stream.codec_context.name,
            pix_fmt=str(stream.codec_context.pix_fmt),
            size=f"{stream.width}x{stream.height}",
            seconds=float((container.duration or 0) / av.time_base),
            frames=len(decoded),
            key_frames=sum(bool(frame.key_frame) for frame in decoded),
            first=bytes(plane),
        )


def boxes(content: bytes) -> list[tuple[str, int]]:
    """The top boxes of an MP4, and their lengths."""
    found, at = [], 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        found.append((content[at + 4 : at + 8].decode("latin-1"), length))
        at += length
    assert at == len(content)
    return found


@pytest.mark.parametrize(
    ("size", "seconds"),
    [
        ("1280x720", "4"),
        ("720x1280", "8"),
        ("1792x1024", "12"),
        ("1080x1920", "1"),
        ("640x480", "2.5"),
        ("130x98", "0.3"),
        ("16x16", "20"),
        ("16x400", "1"),
        ("400x16", "1"),
    ],
)
def test_a_film_decodes_to_what_was_asked(tmp_path: Path, size: str, seconds: str) -> None:
    path = tmp_path / "film.mp4"
    render(film_of(WISH | {"size": size, "seconds": seconds}), path)
    seen = decode(path)

    assert (seen.codec, seen.pix_fmt, seen.size) == ("h264", "yuv420p", size)
    assert abs(seen.seconds - float(seconds)) < 0.1
    assert seen.frames == round(Fraction(seconds) * FRAMES)
    assert seen.key_frames == -(-seen.frames // FRAMES)
    assert [name for name, _ in boxes(path.read_bytes())][:2] == ["ftyp", "moov"]


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "a heron at dusk"},
        {"prompt": "一只苍鹭"},
        {"model": "sora-2-pro"},
        {"seed": "7"},
    ],
)
def test_another_wish_is_another_picture(tmp_path: Path, change: Wish) -> None:
    pictures = []
    for n, wish in enumerate((WISH | {"size": "320x240"}, WISH | {"size": "320x240"} | change)):
        render(film_of(wish), tmp_path / f"{n}.mp4")
        pictures.append(decode(tmp_path / f"{n}.mp4").first)

    assert pictures[0] != pictures[1]


def test_the_same_wish_is_the_same_file_in_whatever_order_it_was_written(tmp_path: Path) -> None:
    wish = WISH | {"seed": "7"}
    for n, fields in enumerate((wish, dict(reversed(wish.items())))):
        render(film_of(fields), tmp_path / f"{n}.mp4")

    assert (tmp_path / "0.mp4").read_bytes() == (tmp_path / "1.mp4").read_bytes()


def test_the_second_ends_as_it_began() -> None:
    scene = Scene(width=320, height=240, words="a heron", caption="", mood=b"moods!", shape=b"shapes!!")
    second = [bytes(planes[0]) for planes in frames(scene)]

    def apart(a: bytes, b: bytes) -> int:
        return sum(abs(x - y) for x, y in zip(a, b, strict=True))

    steps = [apart(a, b) for a, b in pairwise(second)]
    assert 0 < apart(second[-1], second[0]) <= max(steps)


@pytest.mark.parametrize(
    ("size", "seconds", "length", "shown"),
    [
        ("1280x720", "4", 4096, ("1280x720", 4.0)),
        ("720x1280", "12", 4096, ("720x1280", 12.0)),
        ("64x64", "2.5", 4096, ("64x64", 2.5)),
        ("2560x1440", "4", 2048, ("64x64", 4.0)),
        ("1280x720", "120", 2048, ("64x64", 120.0)),
        ("1280x720", "4", 8_388_608, ("1280x720", 4.0)),
    ],
)
def test_a_plain_film_has_exactly_that_many_bytes_and_plays(
    tmp_path: Path, size: str, seconds: str, length: int, shown: tuple[str, float]
) -> None:
    path = tmp_path / "plain.mp4"
    plain(film_of(WISH | {"size": size, "seconds": seconds}), length, path)
    seen = decode(path)

    assert path.stat().st_size == length
    assert {"ftyp", "moov", "mdat"} <= {name for name, _ in boxes(path.read_bytes())}
    assert (seen.codec, seen.pix_fmt, seen.size) == ("h264", "yuv420p", shown[0])
    assert abs(seen.seconds - shown[1]) < 0.1


@pytest.mark.parametrize("missing", range(1, 10))
def test_every_number_of_missing_bytes_can_be_padded(tmp_path: Path, missing: int) -> None:
    film = film_of(WISH | {"size": "1280x720"})
    path = tmp_path / "plain.mp4"
    plain(film, 4096, path)
    smallest = _smallest(path)
    plain(film, smallest + missing, path)

    assert path.stat().st_size == smallest + missing
    assert sum(length for _, length in boxes(path.read_bytes())) == smallest + missing
    assert decode(path).frames == 4


def _smallest(path: Path) -> int:
    """The length of a plain film before its padding, the last box."""
    *inner, (name, _) = boxes(path.read_bytes())
    assert name == "free"
    return sum(length for _, length in inner)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_film_is_painted_once_however_many_ask(tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import anyio

    from pipeline.sandbox import film as films

    painted: list[Path] = []
    paint = films.render

    def note_and_paint(film: films.Film, path: Path) -> None:
        painted.append(path)
        paint(film, path)

    monkeypatch.setattr(films, "render", note_and_paint)
    shelf, etags = Shelf(tmp_path), []

    async def ask() -> None:
        reel = await shelf.take(order(WISH), Settings())
        with reel.file:
            etags.append(reel.etag)
            assert len(reel.file.read()) == reel.length

    async def ask_often() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(ask)

    anyio.run(ask_often, backend=backend)

    assert len(painted) == 1
    assert len(etags) == 5
    assert len(set(etags)) == 1


def test_films_take_no_more_room_than_they_may(tmp_path: Path) -> None:
    import anyio

    shelf = Shelf(tmp_path, bytes_max=10_000)

    async def ask() -> None:
        for n in range(5):
            reel = await shelf.take(order(WISH | {"seconds": str(n + 1)}), Settings(film=4096))
            with reel.file:
                assert reel.length == 4096

    anyio.run(ask)

    assert sum(path.stat().st_size for path in (tmp_path / "films").iterdir()) == 2 * 4096


def order(fields: Wish) -> Order:
    return Order(n=1, at=0.0, id="video_" + "0" * 32, body_sha256="", idempotency_key=None, fields=fields)


@pytest.mark.parametrize(
    ("text", "columns", "rows", "drawn"),
    [
        ("a heron at dawn", 8, 3, ["a heron", "at dawn"]),
        ("a heron at dawn", 8, 1, ["a..."]),
        ("à l’aube — été", 40, 1, ["a l'aube - ete"]),
        ("tab\tand\nline", 40, 1, ["tab and line"]),
        ("", 40, 1, []),
        ("x", 0, 0, ["x"]),
    ],
)
def test_words_are_wrapped_and_cut_to_fit(text: str, columns: int, rows: int, drawn: list[str]) -> None:
    assert lines(text, columns=columns, rows=rows) == drawn


def test_every_printable_character_has_a_glyph_of_its_own() -> None:
    characters = [chr(code) for code in range(0x20, 0x7F)] + list("苍鹭Ж🦊")
    glyphs = {glyph(character) for character in characters}

    assert len(glyphs) == len(characters)
    assert all(len(cells) == 8 and {len(row) for row in cells} == {5} for cells in glyphs)
