"""Posters: made once, off the page's path, and nothing fails by one that cannot be made."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import anyio
import pytest

from pipeline.disk import Disk
from pipeline.lifecycle import Fact
from pipeline.posters import Posters, kept, make_posters
from pipeline.storage import RunFolder
from pipeline.views.rows import Row, rows_of
from tests.ledger.histories import live, opened, planned

av = pytest.importorskip("av", reason="drawing posters needs av")

JPEG = b"\xff\xd8\xff"
LIFE = (Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED, Fact.STORED)


def film(path: Path, brightness: int, *, width: int = 640, black_frames: int = 0) -> None:
    """A film of 12 frames, the first of them black."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=12, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, 360, "yuv420p"
        for n in range(12):
            frame = av.VideoFrame(width, 360, "yuv420p")
            for plane, value in zip(frame.planes, (16 if n < black_frames else brightness, 128, 128), strict=True):
                plane.update(bytes([value]) * plane.buffer_size)
            frame.pts = n
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


@pytest.fixture
def rows(folder: RunFolder) -> list[Row]:
    """Two videos that are stored: a bright one that begins in the dark, and a wide one."""
    film(folder.videos / "a.mp4", 200, black_frames=3)
    film(folder.videos / "b.mp4", 120, width=960)
    with opened(folder.path / "ledger.jsonl") as ledger:
        planned(ledger, 1, 2)
        for number in (1, 2):
            live(ledger, number, *LIFE)
        found = list(rows_of(ledger.state))
    return [_of(folder, row, f"videos/{name}") for row, name in zip(found, ("a.mp4", "b.mp4"), strict=True)]


def _of(folder: RunFolder, row: Row, path: str) -> Row:
    return replace(row, path=path, sha256=sha256((folder.path / path).read_bytes()).hexdigest())


def made(folder: RunFolder, rows: Sequence[Row], within_s: float = 60.0) -> Posters:
    return anyio.run(partial(make_posters, folder, rows, within_s=within_s))


def _mean_brightness(picture: Path) -> tuple[int, int, float]:
    """Its width, its height, and how bright it is."""
    with av.open(str(picture)) as container:
        frame = next(container.decode(video=0)).reformat(format="gray")
    plane = frame.planes[0]
    return frame.width, frame.height, sum(bytes(plane)) / plane.buffer_size


def test_each_video_has_one_of_its_first_frame_that_is_not_black(folder: RunFolder, rows: list[Row]) -> None:
    told: list[tuple[int, int]] = []
    posters = anyio.run(partial(make_posters, folder, [*rows, rows[0]], told=lambda *n: told.append(n)))

    assert posters == Posters(there=frozenset(row.sha256 for row in rows))
    assert told == [(1, 2), (2, 2)]
    assert kept(folder, rows) == posters.there
    width, height, brightness = _mean_brightness(folder.poster(rows[0].sha256))
    assert (width, height) == (320, 180)
    assert brightness > 150
    assert _mean_brightness(folder.poster(rows[1].sha256))[:2] == (320, 120)


def test_no_time_leaves_them_to_a_later_report(folder: RunFolder, rows: list[Row]) -> None:
    posters = made(folder, rows, within_s=0.001)

    assert (posters.there, posters.left, posters.failed) == (frozenset(), 2, {})
    assert made(folder, rows).left == 0


def test_what_cannot_be_drawn_is_named_by_why(folder: RunFolder, rows: list[Row], tmp_path: Path) -> None:
    (folder.videos / "bad.mp4").write_bytes(os.urandom(4096))
    shutil.copy(folder.videos / "a.mp4", tmp_path / "secret.mp4")
    bad = replace(rows[0], id="bad", path="videos/bad.mp4", sha256="0" * 64)
    gone = replace(rows[0], id="gone", path="videos/gone.mp4", sha256="1" * 64)
    outside = replace(rows[0], id="outside", path="videos/../../secret.mp4", sha256="2" * 64)
    sly = replace(rows[0], id="sly", sha256="../../sly" + "3" * 55)
    posters = made(folder, [bad, gone, outside, sly, rows[1]])

    assert posters.there == {rows[1].sha256}
    assert sorted(name for names in posters.failed.values() for name in names) == ["bad", "gone", "outside"]
    assert posters.failed["No such file or directory"] == ["gone"]
    assert posters.left == 0
    assert [path.name for path in folder.posters.iterdir()] == [f"{rows[1].sha256[:12]}.jpg"]


class Full(Disk):
    """Takes no picture."""

    def write(self, descriptor: int, content: bytes) -> None:
        if content.startswith(JPEG):
            raise OSError(28, "No space left on device")
        super().write(descriptor, content)


def test_a_full_disk_ends_the_drawing_and_leaves_no_half_picture(folder: RunFolder, rows: list[Row]) -> None:
    posters = made(RunFolder(folder.path, Full()), rows)

    assert (posters.there, posters.left, posters.stopped) == (frozenset(), 2, "No space left on device")
    assert not list(folder.posters.iterdir())


def test_an_empty_picture_is_none(folder: RunFolder, rows: list[Row]) -> None:
    folder.posters.mkdir(parents=True)
    folder.poster(rows[0].sha256).touch()

    assert not kept(folder, rows)
    assert made(folder, rows[:1]).there == {rows[0].sha256}
