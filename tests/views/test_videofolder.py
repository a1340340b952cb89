"""A folder of videos and captions, as its files are. (What its readers make of it: tests/readers.)"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.naming import NAME_BYTES_MAX
from pipeline.views.dataset.bring import Link, Spoilt
from pipeline.views.dataset.mark import MARK
from pipeline.views.dataset.samples import sample_name
from pipeline.views.dataset.splits import splits_of
from tests.views.stock import PROMPT, content_of, film, make, stock, store, wished

FOX = wished(1, prompt=PROMPT)
TUG = wished(2, id="tug", path="test/tug.mp4", group="night", params={})
JOBS = [FOX, TUG]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return stock(tmp_path / "run", JOBS, [wished(3)])


def metadata(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]


def front_matter(folder: Path) -> dict[str, Any]:
    found = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    assert isinstance(found, dict)
    return found


def test_every_stored_video_is_there_byte_for_byte_with_what_was_asked_for(run: Path, tmp_path: Path) -> None:
    make(run, tmp_path / "set", "videofolder")

    fox, tug = rows = metadata(tmp_path / "set/train")
    assert [next(iter(row)) for row in rows] == ["file_name"] * 2
    assert [row["text"] for row in rows] == [job.prompt for job in JOBS]
    assert [(tmp_path / "set/train" / row["file_name"]).read_bytes() for row in rows] == [film(job) for job in JOBS]
    assert (fox["file_name"], tug["file_name"]) == ("coast--job-1.mp4", "test--tug.mp4")
    assert fox.keys() == tug.keys()
    assert "cost" not in fox
    assert sorted(content_of(tmp_path / "set")) == [
        *(MARK, "README.md", "croissant.json"),
        *("train/coast--job-1.mp4", "train/metadata.jsonl", "train/test--tug.mp4"),
    ]


def test_each_split_is_a_folder_with_the_same_columns_and_the_card_names_its_files(run: Path, tmp_path: Path) -> None:
    make(run, tmp_path / "set", "videofolder", splits=splits_of(["holdout:group=night"]))

    assert [row["id"] for row in metadata(tmp_path / "set/train")] == ["job-1"]
    assert [row["id"] for row in metadata(tmp_path / "set/holdout")] == ["tug"]
    assert metadata(tmp_path / "set/train")[0].keys() == metadata(tmp_path / "set/holdout")[0].keys()
    assert front_matter(tmp_path / "set")["configs"] == [
        {
            "config_name": "default",
            "data_files": [{"split": "train", "path": "train/**"}, {"split": "holdout", "path": "holdout/**"}],
        }
    ]


def test_the_card_says_synthetic_and_what_was_paid_only_where_that_is_asked_for(run: Path, tmp_path: Path) -> None:
    make(run, tmp_path / "set", "videofolder")
    make(run, tmp_path / "dear", "videofolder", with_cost=True)

    card, dear = ((tmp_path / name / "README.md").read_text(encoding="utf-8") for name in ("set", "dear"))
    assert front_matter(tmp_path / "set")["license"] == "unknown"
    assert "**Synthetic data.**" in card
    assert "| `sora-2` | 2 |" in card
    assert "$" not in card
    assert "Paid for these videos: $1.60." in dear
    assert [row["cost"] for row in metadata(tmp_path / "dear/train")] == [0.8, 0.8]


def test_a_models_name_is_no_markdown_of_the_card(tmp_path: Path) -> None:
    run = stock(tmp_path / "run", [wished(1, model="x`|<img src=x>\n# no")])
    make(run, tmp_path / "set", "videofolder")

    card = (tmp_path / "set/README.md").read_text(encoding="utf-8")

    assert "| `x'\\|<img src=x> # no` | 1 |" in card


def test_the_metadata_may_be_a_csv(run: Path, tmp_path: Path) -> None:
    make(run, tmp_path / "set", "videofolder", metadata="csv")

    text = (tmp_path / "set/train/metadata.csv").read_bytes().decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(row["file_name"], row["text"]) for row in rows] == [
        ("coast--job-1.mp4", PROMPT),
        ("test--tug.mp4", TUG.prompt),
    ]
    assert not (tmp_path / "set/train/metadata.jsonl").exists()  # a VideoFolder refuses two


def test_the_same_run_makes_the_same_bytes_wherever_and_whenever(run: Path, tmp_path: Path) -> None:
    make(run, tmp_path / "set", "videofolder")
    elsewhere = shutil.copytree(run, tmp_path / "elsewhere/harbour")
    os.utime(elsewhere / "videos" / FOX.path, (1, 1))
    make(elsewhere, tmp_path / "again", "videofolder", link=Link.COPY)

    assert content_of(tmp_path / "set") == content_of(tmp_path / "again")
    assert not [name for name, content in content_of(tmp_path / "set").items() if os.fsencode(tmp_path) in content]


def test_only_what_the_conditions_leave_is_there(run: Path, tmp_path: Path) -> None:
    make(run, tmp_path / "set", "videofolder", "group=night")

    assert [row["id"] for row in metadata(tmp_path / "set/train")] == ["tug"]


@pytest.mark.parametrize(
    ("link", "is_same", "is_link"),
    [(Link.HARD, True, False), (Link.COPY, False, False), (Link.SYMLINK, True, True)],
)
def test_a_video_is_linked_as_was_asked_for(
    run: Path, tmp_path: Path, link: Link, is_same: bool, is_link: bool
) -> None:
    notes = make(run, tmp_path / "set", "videofolder", link=link)

    there = tmp_path / "set/train/coast--job-1.mp4"
    assert notes == []
    assert there.samefile(run / "videos" / FOX.path) is is_same
    assert there.is_symlink() is is_link


def test_symbolic_links_are_relative_so_that_run_and_dataset_move_together(run: Path, tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    make(run, tmp_path / "sets/one", "videofolder", link=Link.SYMLINK)
    (tmp_path / "moved").mkdir()
    for name in ("run", "sets"):
        (tmp_path / name).rename(tmp_path / "moved" / name)

    assert (tmp_path / "moved/sets/one/train/coast--job-1.mp4").read_bytes() == film(FOX)


def test_where_hard_links_cannot_be_videos_are_copied_and_that_is_told(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)

    assert make(run, tmp_path / "set", "videofolder") == ["2 of 2 were copied: hard links cannot be made there"]
    assert content_of(tmp_path / "set")["train/coast--job-1.mp4"] == film(FOX)


@pytest.mark.parametrize("form", ["videofolder", "webdataset"])
def test_all_videos_that_are_gone_or_cut_are_named_and_nothing_is_made(run: Path, tmp_path: Path, form: str) -> None:
    store(run, FOX, film(FOX)[:-1])
    (run / "videos" / TUG.path).unlink()

    with pytest.raises(Spoilt, match=r"2 stored videos are gone .*: videos/coast/job-1.mp4, videos/test/tug.mp4; noth"):
        make(run, tmp_path / "set", form, metadata="jsonl")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


@pytest.mark.parametrize(
    ("form", "shape"),
    [
        ("videofolder", {"link": Link.COPY}),
        ("videofolder", {"link": Link.HARD, "check": True}),
        ("videofolder", {"link": Link.SYMLINK, "check": True}),
        ("webdataset", {}),
    ],
)
def test_a_spoilt_video_of_the_right_length_is_found_where_it_is_read(
    run: Path, tmp_path: Path, form: str, shape: dict[str, Any]
) -> None:
    store(run, TUG, film(TUG)[::-1])

    with pytest.raises(Spoilt, match=r"1 stored video is not what was stored .*: videos/test/tug.mp4; nothing"):
        make(run, tmp_path / "set", form, metadata="jsonl", **shape)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_a_path_that_leaves_the_run_folder_is_no_video_of_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(film(wished(1)))
    run = stock(tmp_path / "run", [wished(1, path="../../secret")])

    with pytest.raises(Spoilt, match="outside of the run folder"):
        make(run, tmp_path / "set", "videofolder", link=Link.COPY)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("videos/fox.mp4", "fox"),
        ("videos/coast/fox-1.mp4", "coast--fox-1"),
        ("videos/train/test/fox.mp4", "train--test--fox"),
        ("videos/a_b/c.mp4", "a_b--c"),
    ],
)
def test_a_name_in_a_dataset_is_the_place_in_the_run_in_one_word(path: str, name: str) -> None:
    assert sample_name(path) == name


def test_no_two_names_are_one_and_none_is_too_long_or_has_a_dot() -> None:
    long = "x" * 96
    paths = [
        f"videos/{long}.mp4",
        f"videos/{long}y.mp4",
        f"videos/{'g' * 60}/{long}.mp4",
        f"videos/{'g' * 60}/{long}y.mp4",
    ]
    odd = [
        "videos/A.b/c.mp4",
        "videos/a-b/c.mp4",
        "videos/a/b--c.mp4",
        "videos/a/b/c.mp4",
        "videos/con.mp4",
        "../x.mp4",
    ]

    names = [sample_name(path) for path in (*paths, *odd)]

    assert len(set(names)) == len(names)
    assert all(len(name) + len(".json") <= NAME_BYTES_MAX and "." not in name and "/" not in name for name in names)
