"""The run folder and every export, opened by the libraries that they are made for."""

from __future__ import annotations

import hashlib
import io
import json
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger.ledger import read_run
from tests.readers.conftest import Export, needed

pytestmark = [
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),  # rdflib, by mlcroissant
    pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning"),  # pandas, by mlcroissant
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # webdataset leaves its tars open
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

HALVES = ("--split", "train=0.5,test=0.5", "--seed", "1", "--split-by", "subject")


def decoded_frames(film: Path | io.BytesIO) -> int:
    with needed("av").open(film if isinstance(film, io.BytesIO) else str(film)) as container:
        return sum(1 for _ in container.decode(video=0))


def check_videos(datasets: Any, splits: Any, captions: list[str], column: str = "video") -> list[dict[str, Any]]:
    """Whether all of them are there once, whole and beside their captions; their rows."""
    rows = [dict(row) for split in splits.values() for row in split.cast_column(column, datasets.Video(decode=False))]
    assert sorted(row["text"] for row in rows) == captions
    for row in rows:
        path = Path(row[column]["path"])
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
        assert decoded_frames(path) > 0
    assert len({row[column]["path"] for row in rows}) == len(rows)
    return rows


def test_the_run_folder_is_a_videofolder_as_it_stands(
    datasets: Any, run: Path, captions: list[str], tmp_path: Path
) -> None:
    loaded = datasets.load_dataset(
        "videofolder", data_dir=str(run / "videos"), data_files="**", cache_dir=str(tmp_path)
    )

    rows = check_videos(datasets, loaded, captions)
    assert list(loaded) == ["train"]
    assert [row["text"] for row in rows if row["orphaned"]] == ["plain one"]
    assert {row["id"] for row in rows} == {job.id for job in read_run(run).jobs.values()}


@pytest.mark.parametrize("metadata", ["jsonl", "csv", "parquet"])
def test_a_videofolder_opens_with_all_its_splits(
    datasets: Any, export: Export, captions: list[str], tmp_path: Path, metadata: str
) -> None:
    made = export("videofolder", *HALVES, "--metadata", metadata)

    loaded = datasets.load_dataset(str(made), cache_dir=str(tmp_path / "cache"))
    by_names = datasets.load_dataset("videofolder", data_dir=str(made), cache_dir=str(tmp_path / "cache"))

    assert {split: len(some) for split, some in by_names.items()} == {
        split: len(some) for split, some in loaded.items()
    }
    rows = check_videos(datasets, loaded, captions)
    assert sorted(loaded) == ["test", "train"]
    assert {split: len(some) for split, some in loaded.items()} == {
        path.parent.name: len(list(path.parent.glob("*.mp4"))) for path in made.glob("*/metadata.*")
    }
    if metadata != "csv":  # whose reader would take a column of no moods for one of numbers
        assert {row["mood"] for row in rows if row["id"].startswith("harbour")} == {"calm", "wild"}


def test_a_split_of_any_name_opens_by_the_card(
    datasets: Any, export: Export, captions: list[str], tmp_path: Path
) -> None:
    made = export("videofolder", "--split", "night_owls:group=night/train", "--link", "symlink")

    loaded = datasets.load_dataset(str(made), cache_dir=str(tmp_path / "cache"))

    check_videos(datasets, loaded, captions)
    assert sorted(row["id"] for row in loaded["night_owls"].remove_columns("video")) == ["eval-1-mood1", "eval-1-mood2"]


def test_one_video_alone_is_a_dataset(datasets: Any, export: Export, tmp_path: Path) -> None:
    made = export("videofolder", "--where", "text=mine", "--where", "orphaned=false")

    loaded = datasets.load_dataset(str(made), cache_dir=str(tmp_path / "cache"))

    check_videos(datasets, loaded, ["plain two"])
    assert loaded["train"].remove_columns("video")[0]["meta.text"] == "mine"


def test_croissant_finds_the_metadata_valid_and_reads_the_records(export: Export, captions: list[str]) -> None:
    mlcroissant = needed("mlcroissant")
    for metadata in ("jsonl", "csv", "parquet"):
        made = export("videofolder", *HALVES, "--metadata", metadata, "--force")

        dataset = mlcroissant.Dataset(jsonld=str(made / "croissant.json"))
        records = [(split, dict(record)) for split in ("train", "test") for record in dataset.records(split)]

        assert sorted(record[f"{split}/text"].decode() for split, record in records) == captions
        assert not dataset.metadata.ctx.issues.errors
        for split, record in records:
            assert (made / split / record[f"{split}/file_name"].decode()).is_file()


def test_webdatasets_own_reader_gives_each_sample_whole(export: Export, captions: list[str]) -> None:
    webdataset = needed("webdataset")
    made = export("webdataset", "--shard-mb", "1")
    tars = sorted(map(str, made.glob("train-*.tar")))

    samples = list(webdataset.WebDataset(tars, shardshuffle=False, empty_check=False).decode())

    assert sorted(sample["txt"] for sample in samples) == captions
    for sample in samples:
        assert sample["json"]["text"] == sample["txt"]
        assert hashlib.sha256(sample["mp4"]).hexdigest() == sample["json"]["sha256"]
        assert decoded_frames(io.BytesIO(sample["mp4"])) > 0
        assert "." not in sample["__key__"]


@pytest.mark.parametrize("some", ["*", "eval-*,plain"])  # of the second, a setting of one in the first five is unknown
def test_hugging_faces_reader_of_webdatasets_opens_the_tars_by_the_card(
    datasets: Any, export: Export, run: Path, tmp_path: Path, some: str
) -> None:
    made = export("webdataset", "--shard-mb", "1", "--where", f"id={some}")
    ids = [job.id for job in read_run(run).jobs.values() if any(fnmatchcase(job.id, one) for one in some.split(","))]

    loaded = datasets.load_dataset(str(made), cache_dir=str(tmp_path / "cache"))["train"]

    samples = list(loaded.cast_column("mp4", datasets.Video(decode=False)))
    assert sorted(sample["json"]["id"] for sample in samples) == sorted(ids)
    assert all(sample["json"]["text"] == sample["txt"] for sample in samples)
    assert [hashlib.sha256(sample["mp4"]["bytes"]).hexdigest() for sample in samples] == [
        sample["json"]["sha256"] for sample in samples
    ]


def test_the_table_beside_a_tar_is_of_its_samples(export: Export) -> None:
    parquet = needed("pyarrow.parquet")
    made = export("webdataset", "--shard-mb", "1")

    tables = {path.stem: parquet.read_table(path) for path in sorted(made.glob("*.parquet"))}

    assert len(tables) > 1
    for name, table in tables.items():
        stats = json.loads((made / f"{name}_stats.json").read_bytes())
        assert (stats["shard"], stats["samples"]) == (f"{name}.tar", table.num_rows)


def test_the_parquet_index_has_the_types_of_its_columns(export: Export, captions: list[str]) -> None:
    parquet, pyarrow = needed("pyarrow.parquet"), needed("pyarrow")

    table = parquet.read_table(export("parquet"))

    types = {field.name: field.type for field in table.schema}
    assert sorted(table["prompt"].to_pylist()) == captions
    assert set(table["cost"].to_pylist()) == {Decimal("0.4")}
    assert types["stored_at"] == pyarrow.timestamp("ms", tz="UTC")
    assert (types["bytes"], types["orphaned"], types["seed"]) == (pyarrow.int64(), pyarrow.bool_(), pyarrow.int64())
    assert all(table["stored_at"].is_valid().to_pylist())


def test_every_export_is_the_same_bytes_again(export: Export, tmp_path: Path) -> None:
    needed("pyarrow")
    for form, options in {
        "parquet": (),
        "webdataset": ("--shard-mb", "1", *HALVES),
        "videofolder": ("--metadata", "parquet", *HALVES),
    }.items():
        first = export(form, *options).rename(tmp_path / "first")
        second = export(form, *options)

        assert contents(first) == contents(second)
        first.rename(tmp_path / f"first-{form}")


def contents(path: Path) -> dict[str, bytes]:
    if path.is_file():
        return {"": path.read_bytes()}
    return {str(one.relative_to(path)): one.read_bytes() for one in path.rglob("*") if one.is_file()}
