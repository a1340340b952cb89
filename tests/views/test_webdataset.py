"""Tars for WebDataset, as `tarfile` reads them. (What its own readers make of them: tests/readers.)"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from pipeline.views.dataset.splits import splits_of
from pipeline.views.dataset.tar import Member, tar_blocks
from tests.views.stock import PROMPT, content_of, film, make, stock, wished

JOBS = [wished(1, prompt=PROMPT), wished(2, axes={}, params={}), wished(3, group="night", path="a/c/n.mp4"), wished(4)]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return stock(tmp_path / "run", JOBS)


def members(path: Path) -> list[tuple[str, bytes]]:
    with tarfile.open(path) as tar:
        return [(member.name, (tar.extractfile(member) or io.BytesIO()).read()) for member in tar]


def tars(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.tar"))


def test_a_sample_is_its_video_its_caption_and_what_is_known_of_it_in_a_row(run: Path, tmp_path: Path) -> None:
    make(run, tmp_path / "set", "webdataset", metadata="jsonl")

    found = members(tmp_path / "set/train-000000.tar")

    keys = ["coast--job-1", "coast--job-2", "a--c--n", "coast--job-4"]
    assert [name for name, _ in found] == [f"{key}.{suffix}" for key in keys for suffix in ("json", "mp4", "txt")]
    assert [content for name, content in found if name.endswith(".mp4")] == [film(job) for job in JOBS]
    assert [content.decode() for name, content in found if name.endswith(".txt")] == [job.prompt for job in JOBS]
    told = [json.loads(content) for name, content in found if name.endswith(".json")]
    assert [one["text"] for one in told] == [job.prompt for job in JOBS]
    assert len({tuple((name, type(value)) for name, value in one.items()) for one in told}) == 1


def test_the_table_and_the_figures_beside_a_tar_are_of_its_samples(run: Path, tmp_path: Path) -> None:
    make(run, tmp_path / "set", "webdataset", metadata="jsonl")

    tar = (tmp_path / "set/train-000000.tar").read_bytes()
    rows = [json.loads(line) for line in (tmp_path / "set/train-000000.jsonl").read_text("utf-8").splitlines()]
    stats = json.loads((tmp_path / "set/train-000000_stats.json").read_bytes())
    assert [row["__key__"] for row in rows] == ["coast--job-1", "coast--job-2", "a--c--n", "coast--job-4"]
    assert stats == {
        "shard": "train-000000.tar",
        "bytes": len(tar),
        "sha256": hashlib.sha256(tar).hexdigest(),
        "samples": 4,
        "video_bytes": sum(len(film(job)) for job in JOBS),
        "video_seconds": 32.0,
        "models": {"sora-2": 4},
        "sizes": {"1280x720": 4},
    }


def test_shards_stay_below_their_size_and_hold_all_in_order(run: Path, tmp_path: Path) -> None:
    make(run, tmp_path / "set", "webdataset", metadata="jsonl", shard_bytes=2 * len(film(JOBS[0])))
    make(run, tmp_path / "tiny", "webdataset", metadata="jsonl", shard_bytes=1)

    assert tars(tmp_path / "set") == ["train-000000.tar", "train-000001.tar"]
    assert [name for tar in tars(tmp_path / "set") for name, _ in members(tmp_path / "set" / tar)][::3] == [
        *("coast--job-1.json", "coast--job-2.json", "a--c--n.json", "coast--job-4.json")
    ]
    assert len(tars(tmp_path / "tiny")) == len(JOBS)  # a video larger than a shard has one to itself


def test_splits_have_tars_of_their_own(run: Path, tmp_path: Path) -> None:
    make(run, tmp_path / "set", "webdataset", metadata="jsonl", splits=splits_of(["test:group=night"]))

    assert tars(tmp_path / "set") == ["test-000000.tar", "train-000000.tar"]
    assert [name for name, _ in members(tmp_path / "set/test-000000.tar")][1] == "a--c--n.mp4"
    assert 'path: "test-*.tar"' in (tmp_path / "set/README.md").read_text(encoding="utf-8")


def test_the_same_run_makes_the_same_tars_with_nothing_of_this_machine_in_them(run: Path, tmp_path: Path) -> None:
    shape: dict[str, Any] = {"metadata": "jsonl", "splits": splits_of(["train=0.5,test=0.5"], seed=3)}
    make(run, tmp_path / "set", "webdataset", **shape)
    make(run, tmp_path / "again", "webdataset", **shape)

    assert content_of(tmp_path / "set") == content_of(tmp_path / "again")
    with tarfile.open(tmp_path / "set" / tars(tmp_path / "set")[0]) as tar:
        facts = {(one.mtime, one.uid, one.gid, one.uname, one.gname, oct(one.mode)) for one in tar}
    assert facts == {(0, 0, 0, "", "", "0o644")}


def test_a_tar_is_the_one_that_tarfile_writes() -> None:
    files = {"a.json": b"{}", "a.mp4": b"x" * 1300, "b.txt": b"", "c.bin": b"y" * 512}
    ours = b"".join(tar_blocks(Member(name=n, size=len(c), blocks=(c[:7], c[7:])) for n, c in files.items()))
    theirs = io.BytesIO()
    with tarfile.open(fileobj=theirs, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))

    assert ours == theirs.getvalue()


def test_a_member_that_is_not_as_long_as_it_says_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a.mp4 is 2 bytes long, not 3"):
        b"".join(tar_blocks([Member(name="a.mp4", size=3, blocks=(b"ab",))]))
