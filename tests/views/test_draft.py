"""A folder that is there whole or not at all."""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.disk import Disk
from pipeline.errors import UsageError
from pipeline.views.dataset.draft import drafting
from pipeline.views.dataset.mark import MARK, mark
from tests.views.stock import content_of


def write(dest: Path, *names: str, force: bool = False) -> None:
    with drafting(dest, force=force) as draft:
        for name in names:
            draft.write(name, (name.encode(), b"!"))


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_gets_its_name_when_it_is_whole(tmp_path: Path) -> None:
    dest = tmp_path / "set"
    with drafting(dest, force=False) as draft:
        written = draft.write("train/a", (b"ab", b"c"))
        assert not dest.exists()

    assert (written.name, written.bytes, written.sha256[:8]) == ("train/a", 3, "ba7816bf")
    assert content_of(dest).keys() == {MARK, "train/a"}
    assert there(tmp_path) == ["set"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "full"), UsageError("no")])
def test_what_ends_it_early_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    def blocks() -> Iterator[bytes]:
        yield b"a"
        raise error

    with pytest.raises(type(error)), drafting(tmp_path / "set", force=False) as draft:
        draft.write("a", blocks())

    assert there(tmp_path) == []


@pytest.mark.parametrize("content", [b"", mark(), mark(["train/half"])])
@pytest.mark.parametrize("lock", [b"", b"4711\nharbour\n"])
def test_what_was_killed_is_cleared_by_the_next(tmp_path: Path, content: bytes, lock: bytes) -> None:
    left = tmp_path / ".set.part"
    (left / "train").mkdir(parents=True)
    (left / "train/half").write_bytes(b"half")
    (left / MARK).write_bytes(content)
    (tmp_path / ".set.old").mkdir()  # killed when its mark, the last of it, had gone
    (tmp_path / ".set.part.lock").write_bytes(lock)

    write(tmp_path / "set", "a")

    assert there(tmp_path) == ["set"]
    assert content_of(tmp_path / "set").keys() == {MARK, "a"}


def test_a_folder_that_is_there_is_refused_and_with_force_replaced_as_a_whole(tmp_path: Path) -> None:
    dest = tmp_path / "set"
    write(dest, "old", "both")
    with pytest.raises(UsageError, match=r"is there already and stays as it is; name another folder, or allow it"):
        write(dest, "new")
    assert content_of(dest).keys() == {MARK, "old", "both"}

    write(dest, "new", "both", force=True)

    assert content_of(dest).keys() == {MARK, "new", "both"}
    assert there(tmp_path) == ["set"]


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_force_replaces_no_folder_that_no_export_made(tmp_path: Path, kind: str) -> None:
    dest, mine = tmp_path / "set", tmp_path / "mine"
    write(mine, "a")
    if kind == "folder":
        dest.mkdir()
        (dest / "thesis.txt").touch()
    elif kind == "file":
        dest.touch()
    else:
        dest.symlink_to(mine)
    before = there(tmp_path), content_of(mine)

    with pytest.raises(UsageError, match="was not made by an export, so it is not replaced"):
        write(dest, "b", force=True)

    assert (there(tmp_path), content_of(mine)) == before


class NoSecondName(Disk):
    """Lets the old folder be moved aside, and then fails."""

    def replace(self, source: Path, target: Path) -> None:
        if source.name.endswith(".part"):
            raise OSError(errno.EIO, "Input/output error")
        super().replace(source, target)


def test_where_the_new_folder_cannot_take_the_old_ones_place_the_old_one_stays(tmp_path: Path) -> None:
    write(tmp_path / "set", "old")

    with pytest.raises(OSError, match="Input/output"), drafting(tmp_path / "set", force=True, disk=NoSecondName()):
        pass

    assert content_of(tmp_path / "set").keys() == {MARK, "old"}
    assert there(tmp_path) == ["set"]


@pytest.mark.parametrize("force", [True, False])
def test_a_folder_that_was_moved_aside_when_the_replacing_was_killed_is_put_back_first(
    tmp_path: Path, force: bool
) -> None:
    write(tmp_path / "set", "old")
    (tmp_path / "set").rename(tmp_path / ".set.old")

    refused: Any = None
    try:
        write(tmp_path / "set", "new", force=force)
    except UsageError as error:
        refused = error

    assert (refused is None) is force
    assert content_of(tmp_path / "set").keys() == {MARK, "new" if force else "old"}
    assert there(tmp_path) == ["set"]


def test_two_exports_to_one_place_do_not_meet(tmp_path: Path) -> None:
    with drafting(tmp_path / "set", force=False) as draft:
        with pytest.raises(UsageError, match="is being written by another export"):
            write(tmp_path / "set", "b")
        draft.write("a", (b"a",))

    assert content_of(tmp_path / "set").keys() == {MARK, "a"}
    assert there(tmp_path) == ["set"]


def test_a_folder_that_is_not_there_cannot_hold_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: there is no folder"):
        write(tmp_path / "nowhere/set", "a")


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("kind", ["folder", "file", "link"])
@pytest.mark.parametrize("name", [".set.part", ".set.old", ".set.part.lock"])
def test_what_is_not_ours_beside_it_is_named_and_stays(
    tmp_path: Path, name: str, kind: str, taken: bool, force: bool
) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / name
    write(mine, "a")
    if taken:
        write(tmp_path / "set", "old")
    if kind == "folder":
        theirs.mkdir()
        (theirs / "precious").touch()
    elif kind == "file":
        theirs.write_text("precious")
    else:
        theirs.symlink_to(mine)
    before = content_of(tmp_path), there(tmp_path)

    with pytest.raises(UsageError, match=rf"{re.escape(name)} .* is in the way: move it, or name another folder"):
        write(tmp_path / "set", "b", force=force)

    assert (content_of(tmp_path), there(tmp_path)) == before


@pytest.mark.parametrize("name", ["mine.txt", "train/mine.txt", "mine/ledger.jsonl", "train/mine/a", "mine", "train"])
def test_force_replaces_no_folder_in_which_is_more_than_an_export_wrote(tmp_path: Path, name: str) -> None:
    dest = tmp_path / "set"
    write(dest, "a", "train/b")
    if name == "train":
        (dest / name).rename(tmp_path / "mine")
    if name in ("train", "mine"):
        (tmp_path / "mine").mkdir(exist_ok=True)
        (dest / name).symlink_to(tmp_path / "mine")
    else:
        (dest / name).parent.mkdir(exist_ok=True)
        (dest / name).touch()
    before = content_of(dest), there(dest), there(tmp_path)

    with pytest.raises(UsageError, match=r"holds what no export wrote, so it is not replaced: (train|mine|train/mine)"):
        write(dest, "c", force=True)

    assert (content_of(dest), there(dest), there(tmp_path)) == before


@pytest.mark.parametrize("force", [True, False])
def test_what_comes_into_its_place_while_it_is_made_stays(tmp_path: Path, force: bool) -> None:
    dest = tmp_path / "set"
    if force:
        write(dest, "old")

    def comes() -> Iterator[bytes]:
        yield b"a"
        dest.mkdir(exist_ok=True)
        (dest / "precious").touch()

    with (
        pytest.raises(UsageError, match=r"stays as it is|holds what no export wrote"),
        drafting(dest, force=force) as new,
    ):
        new.write("a", comes())

    assert (dest / "precious").exists()
    assert there(tmp_path) == ["set"]


def test_a_draft_has_its_mark_before_all_else_and_a_folder_lists_what_is_in_it(tmp_path: Path) -> None:
    with drafting(tmp_path / "set", force=False) as draft:
        assert content_of(draft.path) == {MARK: mark()}
        draft.write("train/a", (b"a",))

    assert (tmp_path / "set" / MARK).read_bytes() == mark([MARK, "train/a"])


def test_what_cannot_be_removed_keeps_its_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tmp_path / ".set.part"
    (left / "train").mkdir(parents=True)
    (left / "train/half").touch()
    (left / MARK).write_bytes(mark())
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)

    with pytest.raises(UsageError, match="is left of an earlier export and cannot be removed"):
        write(tmp_path / "set", "a")

    assert content_of(left) == {MARK: mark(), "train/half": b""}
