"""How a download becomes a stored video: whole, durable, and only then under its name."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.disk import Disk
from pipeline.errors import ArtifactError, NotAVideo, Truncated
from pipeline.limits import LimitsWish
from pipeline.model import JSON, Manifest, ProviderChoice, SourceFile
from pipeline.profile import Profile
from pipeline.runner.head import SAMPLE_BYTES
from pipeline.runner.held import Held
from pipeline.runner.part import PIECE_BYTES, VIDEO_BYTES_MAX, Part
from pipeline.storage import Artifact, RunFolder, is_intact

PATH = "coast/heron.mp4"
KEY, VIDEO_ID = "a" * 32, "video_1"
STRONG, WEAK = '"film-1"', 'W/"film-1"'

on_posix = pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")


class Failing(Disk):
    """A disk whose n-th change fails, whatever it is; every later one works, as after a cleaned-up disk."""

    def __init__(self, n: int) -> None:
        self.left = n
        self.failed = False

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.failed = True
            raise OSError(5, "Input/output error")

    def make_folder(self, path: Path) -> None:
        self._count()
        super().make_folder(path)

    def open_append(self, path: Path) -> int:
        self._count()
        return super().open_append(path)

    def open_new(self, path: Path) -> int:
        self._count()
        return super().open_new(path)

    def write(self, descriptor: int, content: bytes) -> None:
        try:
            self._count()
        except OSError:
            super().write(descriptor, content[: len(content) // 2])  # a full disk takes what still fits
            raise
        super().write(descriptor, content)

    def sync(self, descriptor: int) -> None:
        self._count()
        super().sync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self._count()
        super().replace(source, target)

    def remove(self, path: Path) -> None:
        self._count()
        super().remove(path)

    def sync_folder(self, path: Path) -> None:
        self._count()
        super().sync_folder(path)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "harbour")
    folder.make()
    return folder


def said(artifact: Artifact) -> Mapping[str, JSON]:
    return {"file": artifact.path, "sha256": artifact.sha256, "key": KEY, "video_id": VIDEO_ID}


def part_of(folder: RunFolder, video_id: str = VIDEO_ID) -> Part:
    return Part(folder, PATH, video_id)


def held_of(folder: RunFolder, video_id: str = VIDEO_ID) -> Held | None:
    return part_of(folder, video_id).held()


def in_words(held: Held | None) -> tuple[int, int | None, str] | None:
    return None if held is None else (held.bytes, held.total, held.etag)


def received(
    folder: RunFolder, content: bytes, *, etag: str = STRONG, total: int | None = None, step: int = 10_000
) -> Part:
    """A part that has got *content*, block by block."""
    part = part_of(folder)
    part.begin(etag, total)
    for at in range(0, len(content), step):
        part.write(content[at : at + step])
    return part


def files(folder: RunFolder) -> set[str]:
    return {path.relative_to(folder.path).as_posix() for path in folder.path.rglob("*") if path.is_file()}


def test_a_finished_part_is_the_video_and_its_sidecar(folder: RunFolder, film: bytes) -> None:
    artifact = received(folder, film).finish(len(film), said)

    assert files(folder) == {f"videos/{PATH}", "videos/coast/heron.json"}
    assert folder.video(PATH).read_bytes() == film
    assert (artifact.path, artifact.bytes, artifact.sha256) == (PATH, len(film), hashlib.sha256(film).hexdigest())
    assert (artifact.media.width, artifact.media.height, artifact.media.seconds) == (128, 72, 2.0)
    assert json.loads((folder.videos / "coast" / "heron.json").read_text()) == said(artifact)
    assert is_intact(folder.video(PATH), len(film))


class Noted(Disk):
    """A disk that notes what is made durable and what is named, in order."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def sync(self, descriptor: int) -> None:
        self.notes.append("sync")
        super().sync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        self.notes.append(f"name {target.name}")
        super().replace(source, target)

    def sync_folder(self, path: Path) -> None:
        self.notes.append(f"sync {path.name}/")
        super().sync_folder(path)


def test_folders_that_a_killed_runner_left_have_durable_names_before_they_are_built_on(tmp_path: Path) -> None:
    disk = Noted()
    folder = RunFolder(tmp_path / "harbour", disk)
    folder.make()
    (folder.videos / "coast" / "north").mkdir(parents=True)
    disk.notes.clear()
    folder.make_names_durable()
    assert disk.notes == [f"sync {tmp_path.name}/", "sync harbour/", "sync videos/", "sync coast/"]


def test_bytes_are_durable_before_they_have_a_name_and_the_names_before_it_returns(tmp_path: Path, film: bytes) -> None:
    disk = Noted()
    disk.make_folder(RunFolder(tmp_path).video(PATH).parent)
    part = received(RunFolder(tmp_path, disk), film)
    disk.notes.clear()

    part.finish(None, said)

    sidecar, video = ["sync", "name heron.json", "sync coast/"], ["name heron.mp4", "sync coast/"]
    assert disk.notes == ["sync", *sidecar, *video]


def test_a_length_that_was_not_announced_is_not_asked_for(folder: RunFolder, film: bytes) -> None:
    assert received(folder, film).finish(None, said).bytes == len(film)


@pytest.mark.parametrize(
    ("content", "more", "error"),
    [
        (slice(0, -1), 0, Truncated),  # what was announced did not come
        (slice(0, -1), None, Truncated),  # nothing was announced, and the film itself is cut
        (slice(0, 0), None, NotAVideo),
        (slice(0, None), -1, NotAVideo),  # more came than was announced
        (slice(0, -1), -1, NotAVideo),  # all that was announced came, and it is cut
    ],
)
def test_what_is_not_whole_gets_no_name(
    folder: RunFolder, film: bytes, content: slice, more: int | None, error: type[ArtifactError]
) -> None:
    part = received(folder, film[content])

    with pytest.raises(error):
        part.finish(None if more is None else len(film) + more, said)

    assert not folder.video(PATH).exists()
    part.close()
    part.discard()
    assert files(folder) == set()


def test_a_sidecar_that_cannot_be_written_leaves_the_video_without_a_name(folder: RunFolder, film: bytes) -> None:
    part = received(folder, film)
    with pytest.raises(TypeError):
        part.finish(None, lambda artifact: {"no": artifact})  # type: ignore[dict-item]
    part.close()
    assert not folder.video(PATH).exists()


@pytest.mark.parametrize("content", [b"<html><body>502", b'{"error": "not ready"}', bytes(64)])
def test_what_does_not_begin_as_a_film_is_refused_at_once(folder: RunFolder, content: bytes) -> None:
    part = part_of(folder)
    part.begin("", None)
    with pytest.raises(NotAVideo, match="not as an MP4 does"):
        part.write(content.ljust(SAMPLE_BYTES))
    part.close()
    assert files(folder) == set()


@pytest.mark.parametrize("content", [b"<", b"<html><body>502", bytes(64)])
def test_the_start_of_what_is_no_film_is_left_to_nobody(folder: RunFolder, content: bytes) -> None:
    part = part_of(folder)
    part.begin(STRONG, 1000)
    part.write(content)
    part.close()
    assert files(folder) == set()


def test_a_body_without_end_is_cut(folder: RunFolder, film: bytes) -> None:
    part = received(folder, film)
    part.length = VIDEO_BYTES_MAX  # as if so much had come
    with pytest.raises(NotAVideo, match="more than 4294967296 bytes came"):
        part.write(b"x")
    part.close()


def test_a_body_is_cut_where_it_passes_what_was_announced(folder: RunFolder, film: bytes) -> None:
    part = received(folder, film, total=len(film))
    with pytest.raises(NotAVideo, match=f"more than {len(film)} bytes came"):
        part.write(b"x")
    part.close()


def test_what_is_announced_as_larger_than_any_video_is_not_begun(folder: RunFolder) -> None:
    part = part_of(folder)
    with pytest.raises(NotAVideo, match="10737418240 bytes are announced"):
        part.begin("", 10 << 30)
    part.close()


def test_a_sample_of_what_was_no_video_is_kept_away_from_the_videos_until_there_is_one(
    folder: RunFolder, film: bytes
) -> None:
    part = Part(folder, PATH, VIDEO_ID, without_key=lambda content: content.replace(b"sk-secret", b"[key]"))
    part.begin("", None)
    page = b"<html>" + bytes(SAMPLE_BYTES - 10) + b"sk-secret and more"
    with pytest.raises(NotAVideo):
        part.write(page)
    assert part.keep_sample()
    part.discard()

    kept = folder.path / f"wrong/{PATH}.sample"
    assert kept.read_bytes() == page[: SAMPLE_BYTES - 4] + b"[key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600

    received(folder, film).finish(len(film), said)
    assert not kept.exists()


def test_a_cut_part_is_kept_and_taken_up_again(folder: RunFolder, film: bytes) -> None:
    part = received(folder, film[:30_001], total=len(film))
    with pytest.raises(Truncated):
        part.finish(len(film), said)
    part.close()

    held = held_of(folder)
    assert held is not None
    assert in_words(held) == (30_001, len(film), STRONG)
    again = part_of(folder)
    assert again.resume(held, len(film))
    again.write(film[30_001:])
    artifact = again.finish(len(film), said)

    assert folder.video(PATH).read_bytes() == film
    assert artifact.sha256 == hashlib.sha256(film).hexdigest()
    assert files(folder) == {f"videos/{PATH}", "videos/coast/heron.json"}


@pytest.mark.parametrize("etag", ["", WEAK, "film-1", '"film\n1"', '"fïlm"'])
def test_only_a_strong_tag_lets_a_part_be_taken_up_again(folder: RunFolder, film: bytes, etag: str) -> None:
    received(folder, film[:20_000], etag=etag, total=len(film)).close()
    assert held_of(folder) is None


@pytest.mark.parametrize("etag", ["", STRONG])
def test_a_whole_part_needs_no_tag_to_go_on_with(folder: RunFolder, film: bytes, etag: str) -> None:
    received(folder, film, etag=etag, total=len(film)).close()
    held = held_of(folder)
    assert held is not None
    assert held.whole


@pytest.mark.parametrize("spoilt", [b"", bytes(4096)], ids=["cut off", "without its bytes"])
def test_a_part_that_a_loss_of_power_has_spoilt_is_not_gone_on_with(
    folder: RunFolder, film: bytes, spoilt: bytes
) -> None:
    received(folder, film[:20_000], total=len(film)).close()
    file = part_of(folder).file
    file.write_bytes(film[: 20_000 - 4096] + spoilt)

    held, again = held_of(folder), part_of(folder)

    assert held is None or not again.resume(held, len(film))
    again.close()


def test_of_a_part_only_what_is_vouched_for_is_gone_on_with(folder: RunFolder, film: bytes) -> None:
    received(folder, film[:20_000], total=len(film)).close()
    with part_of(folder).file.open("ab") as file:
        file.write(bytes(500))  # killed before it said so

    held, again = held_of(folder), part_of(folder)
    assert held is not None
    assert again.resume(held, len(film))
    again.write(film[20_000:])
    again.finish(len(film), said)

    assert folder.video(PATH).read_bytes() == film


def test_a_part_belongs_to_its_video_and_not_to_its_path(folder: RunFolder, film: bytes) -> None:
    received(folder, film[:20_000]).close()
    assert held_of(folder, "video_2") is None
    assert in_words(held_of(folder)) == (20_000, None, STRONG)


class Counting(Disk):
    """A disk that counts its writes."""

    writes = 0

    def write(self, descriptor: int, content: bytes) -> None:
        self.writes += 1
        super().write(descriptor, content)


def test_what_comes_is_written_in_large_pieces_and_a_piece_survives_a_crash(tmp_path: Path, film: bytes) -> None:
    disk = Counting()
    folder = RunFolder(tmp_path, disk)
    large = film + bytes(2 * PIECE_BYTES - len(film))
    crashed = received(folder, large, step=PIECE_BYTES // 8)
    crashed.write(b"and a bit")  # and never closed

    assert disk.writes == 4  # two pieces, and what there is of them
    assert in_words(held_of(folder)) == (2 * PIECE_BYTES, None, STRONG)
    crashed.close()
    held = held_of(folder)
    assert held is not None
    assert held.bytes == len(large) + len(b"and a bit")


@on_posix
def test_closing_never_fails_for_a_tag_that_cannot_be_left(folder: RunFolder, film: bytes) -> None:
    part = received(folder, film + bytes(PIECE_BYTES))
    part.discard()
    part = received(folder, film[:20_000])
    folder.disk.make_folder(folder.video(PATH).parent)
    (folder.videos / f"{PATH}.part.etag").mkdir()
    part.close()
    assert held_of(folder) is None


def test_a_part_begun_anew_forgets_the_old_one(folder: RunFolder, film: bytes) -> None:
    received(folder, film[:20_000]).close()
    received(folder, film[:300], etag=WEAK).close()
    assert held_of(folder) is None

    received(folder, film[:400], etag='"film-2"').close()
    assert in_words(held_of(folder)) == (400, None, '"film-2"')


@pytest.mark.parametrize("keep", [0, 10, 20, -1])
def test_half_a_tag_is_none(folder: RunFolder, film: bytes, keep: int) -> None:
    received(folder, film[:20_000]).close()
    tag = folder.videos / f"{PATH}.part.etag"
    tag.write_bytes(tag.read_bytes()[:keep])
    assert held_of(folder) is None


@pytest.mark.parametrize("tag", [b"\xff\xfe", b'W/"x"', b'"film-1"', b"0123456789abcdef - \n"])
def test_a_tag_that_cannot_be_read_means_starting_anew(folder: RunFolder, film: bytes, tag: bytes) -> None:
    received(folder, film[:20_000]).close()
    (folder.videos / f"{PATH}.part.etag").write_bytes(tag)
    assert held_of(folder) is None


def test_a_part_without_bytes_is_none(folder: RunFolder) -> None:
    assert held_of(folder) is None
    received(folder, b"").close()
    assert held_of(folder) is None


class Killed(BaseException):
    """The process ends here."""


class Deadly(Disk):
    """A disk at whose n-th naming or syncing of a folder the process is killed."""

    def __init__(self, n: int) -> None:
        self.left = n

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed

    def replace(self, source: Path, target: Path) -> None:
        self._count()
        super().replace(source, target)

    def sync_folder(self, path: Path) -> None:
        self._count()
        super().sync_folder(path)


@pytest.mark.parametrize("n", range(5))
def test_whole_video_is_told_by_its_sidecar_wherever_the_runner_was_killed(tmp_path: Path, film: bytes, n: int) -> None:
    folder = RunFolder(tmp_path)
    folder.disk.make_folder(folder.video(PATH).parent)
    with suppress(Killed):
        received(RunFolder(tmp_path, Deadly(n)), film).finish(len(film), said)

    part = part_of(folder)
    adopted = part.adopt(KEY)

    assert part.has_sidecar is (n > 0)
    if n == 0:  # not even the sidecar had its name
        assert adopted is None
        return
    assert adopted is not None
    assert (adopted.bytes, adopted.sha256) == (len(film), hashlib.sha256(film).hexdigest())
    assert folder.video(PATH).read_bytes() == film
    assert files(folder) == {f"videos/{PATH}", "videos/coast/heron.json"}


@pytest.mark.parametrize(
    ("key", "video_id", "change"),
    [
        ("b" * 32, VIDEO_ID, b""),
        (KEY, "video_2", b""),
        (KEY, VIDEO_ID, b"x"),
    ],
    ids=["another wish", "another video", "other bytes"],
)
def test_a_file_that_its_sidecar_does_not_vouch_for_is_not_adopted(
    folder: RunFolder, film: bytes, key: str, video_id: str, change: bytes
) -> None:
    received(folder, film).finish(len(film), said)
    folder.video(PATH).write_bytes(film + change)
    assert part_of(folder, video_id).adopt(key) is None


@pytest.mark.parametrize("sidecar", [b"", b"[1]", b'{"key":1}', b"\xff", b"[" * 100_000])
def test_a_strangers_sidecar_vouches_for_nothing(folder: RunFolder, film: bytes, sidecar: bytes) -> None:
    received(folder, film).finish(len(film), said)
    (folder.videos / "coast" / "heron.json").write_bytes(sidecar)
    assert part_of(folder).adopt(KEY) is None


def test_a_part_whose_sync_failed_is_not_trusted_again(tmp_path: Path, film: bytes) -> None:
    class Unsynced(Disk):
        def sync(self, descriptor: int) -> None:  # noqa: ARG002
            raise OSError(5, "Input/output error")

    folder = RunFolder(tmp_path, Unsynced())
    part = received(folder, film, total=len(film))
    with pytest.raises(OSError, match="Input/output"):
        part.finish(len(film), said)
    part.close()
    assert files(folder) == set()


def test_the_new_video_takes_the_place_of_the_old_one(folder: RunFolder, film: bytes) -> None:
    folder.disk.make_folder(folder.video(PATH).parent)
    folder.video(PATH).write_bytes(b"damaged")
    received(folder, film).finish(None, said)
    assert folder.video(PATH).read_bytes() == film


@pytest.mark.parametrize("path", ["../heron.mp4", "coast/../../heron.mp4", "/etc/heron.mp4", "coast/..", ".."])
def test_no_path_leads_out_of_the_folder(folder: RunFolder, path: str) -> None:
    with pytest.raises(ValueError, match="leaves the run's folder"):
        folder.video(path)
    with pytest.raises(ValueError, match="leaves the run's folder"):
        Part(folder, path, VIDEO_ID)


@on_posix
@pytest.mark.parametrize("suffix", [".part", ".part.etag"])
def test_a_link_in_a_parts_place_is_not_followed(folder: RunFolder, film: bytes, suffix: str) -> None:
    theirs = folder.path.parent / "theirs"
    theirs.write_bytes(b"precious")
    folder.disk.make_folder(folder.video(PATH).parent)
    folder.video(PATH + suffix).symlink_to(theirs)

    large = film + bytes(PIECE_BYTES)
    if suffix == ".part":
        with pytest.raises(OSError, match="heron"):
            received(folder, large)
    else:
        received(folder, large).close()

    assert theirs.read_bytes() == b"precious"


@on_posix
def test_a_link_in_the_videos_place_is_replaced_not_followed(folder: RunFolder, film: bytes) -> None:
    theirs = folder.path.parent / "theirs"
    theirs.write_bytes(b"precious")
    folder.disk.make_folder(folder.video(PATH).parent)
    folder.video(PATH).symlink_to(theirs)

    received(folder, film).finish(None, said)

    assert theirs.read_bytes() == b"precious"
    assert not folder.video(PATH).is_symlink()
    assert folder.video(PATH).read_bytes() == film


def test_whichever_change_fails_nothing_that_is_not_whole_has_a_name(tmp_path: Path, film: bytes) -> None:
    n = 0
    while True:
        n += 1
        disk = Failing(n)
        folder = RunFolder(tmp_path / str(n), disk)
        part: Part | None = None
        try:
            folder.make()
            folder.write_metadata([{"id": "a"}])
            part = received(folder, film)
            part.finish(len(film), said)
        except OSError:
            pass
        finally:
            if part is not None:
                part.close()
        whole = {"heron.mp4": film, "heron.json": None, "metadata.jsonl": None}
        for path in (one for one in folder.path.rglob("*") if one.is_file() and one.name in whole):
            if path.name == "heron.mp4":
                assert path.read_bytes() == film
            elif path.name == "heron.json":
                assert json.loads(path.read_bytes())["file"] == PATH
            else:
                assert path.read_text() == '{"id": "a"}\n'
        if not disk.failed:
            break
        again = received(RunFolder(folder.path), film)
        assert again.finish(len(film), said).bytes == len(film)
    assert n > 20


def test_metadata_is_written_whole_and_lengthened_by_lines(folder: RunFolder) -> None:
    folder.write_metadata([{"file_name": "a.mp4", "text": "a fox 🦊"}])
    folder.append_metadata({"file_name": "b.mp4", "text": "\ud800"})
    folder.append_metadata({"file_name": "c.mp4", "text": "two\nlines"})

    rows = [json.loads(line) for line in folder.metadata.read_text(encoding="utf-8").splitlines()]
    assert [row["file_name"] for row in rows] == ["a.mp4", "b.mp4", "c.mp4"]
    assert [row["text"] for row in rows] == ["a fox 🦊", "?", "two\nlines"]

    folder.write_metadata([])
    assert folder.metadata.read_bytes() == b""


@pytest.mark.parametrize("n", [1, 2])
def test_a_row_that_cannot_be_added_ends_nothing(tmp_path: Path, n: int) -> None:
    RunFolder(tmp_path).write_metadata([])
    disk = Failing(n)
    RunFolder(tmp_path, disk).append_metadata({"id": "a"})
    assert disk.failed


@on_posix
def test_a_link_that_leads_out_of_the_run_folder_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "really").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "really")  # the user's business
    folder = RunFolder(tmp_path / "run")
    folder.disk.make_folder(folder.videos / "coast")
    (folder.videos / "harbour").symlink_to(folder.videos / "coast")
    (folder.videos / "dunes").symlink_to(tmp_path / "elsewhere")
    (folder.videos / "marsh").symlink_to(tmp_path / "nowhere")

    paths = ["a.mp4", "coast/a.mp4", "harbour/a.mp4", "new/deep/a.mp4", "dunes/a.mp4", "dunes/b.mp4", "marsh/x/a.mp4"]

    assert folder.strays(paths) == [folder.videos / "dunes", folder.videos / "marsh" / "x"]


def test_the_manifest_and_the_files_it_read_are_kept_by_digest(folder: RunFolder) -> None:
    def source(name: str, content: bytes) -> SourceFile:
        return SourceFile(name=name, sha256=hashlib.sha256(content).hexdigest(), content=content)

    def kept(*sources: SourceFile) -> Manifest:
        return Manifest(
            name="harbour",
            provider=ProviderChoice(),
            profile=Profile(name="some", title="Some"),
            limits=LimitsWish(),
            jobs=(),
            files=sources,
        )

    first, second = source("m.yaml", b"jobs: []\n"), source("m.YAML", b"jobs: [1]\n")
    prompt = source("../prompts/fox.txt", b"a fox")

    digest = folder.keep(kept(first, prompt))
    assert folder.keep(kept(first, prompt)) == digest
    other = folder.keep(kept(second))

    manifests = f"manifests/{first.sha256[:8]}"
    assert files(folder) == {
        f"{manifests}.yaml",
        f"{manifests}-files/{prompt.sha256[:16]}.txt",
        f"manifests/{digest[:8]}.json",
        f"manifests/{second.sha256[:8]}.yaml",
        f"manifests/{other[:8]}.json",
    }
    assert (folder.path / f"{manifests}.yaml").read_bytes() == first.content


def test_a_disk_that_cannot_say_has_not_lost_a_video(tmp_path: Path) -> None:
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    with pytest.raises(OSError, match="symbolic links"):
        is_intact(tmp_path / "loop.mp4", 5)


def test_a_video_that_is_gone_or_has_another_length_is_not_intact(tmp_path: Path) -> None:
    path = tmp_path / "heron.mp4"
    assert not is_intact(path, 0)
    path.write_bytes(b"12345")
    assert is_intact(path, 5)
    assert not is_intact(path, 4)
