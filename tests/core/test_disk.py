"""The one door to the file system: durable, never through a link, whole or not at all."""

from __future__ import annotations

import os
import stat
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import disk as module
from pipeline.disk import Disk

on_posix = pytest.mark.skipif(os.name != "posix", reason="modes and links as POSIX has them")


class Full(Disk):
    """A disk on which the n-th write, sync or replace fails; `left` counts down to it."""

    def __init__(self, left: int) -> None:
        self.left = left

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(28, "No space left on device")

    def write(self, descriptor: int, content: bytes) -> None:
        self._count()
        super().write(descriptor, content)

    def sync(self, descriptor: int) -> None:
        self._count()
        super().sync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self._count()
        super().replace(source, target)

    def sync_folder(self, path: Path) -> None:
        self._count()
        super().sync_folder(path)


def test_a_folder_whose_name_is_not_durable_is_not_there(tmp_path: Path) -> None:
    """Or the next try would find it there, and build on it."""
    with pytest.raises(OSError, match="No space"):
        Full(1).make_folder(tmp_path / "a" / "b")
    assert [path.name for path in tmp_path.rglob("*")] == ["a"]
    Full(1).make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


@on_posix
def test_what_is_made_is_the_owners_alone(tmp_path: Path) -> None:
    was = os.umask(0)
    try:
        Disk().make_folder(tmp_path / "a" / "b")
        Disk().write_whole(tmp_path / "a" / "b" / "file", b"x")
        os.close(Disk().open_append(tmp_path / "a" / "log"))
    finally:
        os.umask(was)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a").rglob("*")}
    assert modes == {"b": 0o700, "file": 0o600, "log": 0o600}


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").touch()
    Disk().make_folder(tmp_path / "a")
    assert (tmp_path / "a" / "file").exists()


def test_a_file_in_a_folders_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(OSError, match="a"):
        Disk().make_folder(tmp_path / "a" / "b")


@pytest.mark.parametrize("n", range(4))
def test_a_file_written_whole_is_the_old_one_or_the_new_one(tmp_path: Path, n: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    with pytest.raises(OSError, match="No space"):
        Full(n).write_whole(path, b"new")

    assert path.read_bytes() == (b"old" if n < 3 else b"new")
    Full(4).write_whole(path, b"newer")
    assert path.read_bytes() == b"newer"


@on_posix
@pytest.mark.parametrize("how", [Disk.open_append, Disk.open_new], ids=["append", "new"])
def test_a_link_is_never_followed(tmp_path: Path, how: Callable[[Disk, Path], int]) -> None:
    (tmp_path / "theirs").write_bytes(b"precious")
    (tmp_path / "link").symlink_to(tmp_path / "theirs")

    with pytest.raises(OSError, match="link"):
        how(Disk(), tmp_path / "link")

    assert (tmp_path / "theirs").read_bytes() == b"precious"


@on_posix
def test_a_folder_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "really").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "really")

    Disk().make_folder(tmp_path / "link" / "a")
    Disk().write_whole(tmp_path / "link" / "file", b"x")
    Disk().sync_folder(tmp_path / "link")

    assert (tmp_path / "really" / "a").is_dir()


def test_appending_keeps_and_opening_anew_empties(tmp_path: Path) -> None:
    disk, path = Disk(), tmp_path / "file"
    for how, expected in ((disk.open_append, b"ab"), (disk.open_append, b"abab"), (disk.open_new, b"ab")):
        descriptor = how(path)
        disk.write(descriptor, b"ab")
        disk.close(descriptor)
        assert path.read_bytes() == expected


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: real(descriptor, content[:3]))
    descriptor = Disk().open_new(tmp_path / "file")

    Disk().write(descriptor, b"0123456789")

    Disk().close(descriptor)
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_truncating_cuts(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    descriptor = Disk().open_append(tmp_path / "file")
    Disk().truncate(descriptor, 4)
    Disk().close(descriptor)
    assert (tmp_path / "file").read_bytes() == b"0123"


def test_removing_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    Disk().remove(tmp_path / "nothing")


def test_macos_is_asked_for_the_drives_own_flush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(module, "_FULL_SYNC", 51)
    monkeypatch.setattr(module, "fcntl", types.SimpleNamespace(fcntl=lambda _, command: asked.append(command)))
    descriptor = Disk().open_new(tmp_path / "file")
    Disk().sync(descriptor)
    Disk().close(descriptor)
    assert asked == [51]


def test_a_system_that_cannot_sync_folders_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "O_DIRECTORY", raising=False)
    Disk().sync_folder(tmp_path / "nothing")
