"""The copies of a run folder as a library of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipeline.kept import KeptFile, KeptLibrary
from pipeline.manifest.files import BadFile, FolderLibrary

NAMES = [
    "a.csv",
    "b.tsv",
    ".hidden.csv",
    "data/a.csv",
    "data/b.csv",
    "data/deep/c.csv",
    "data/.dot/d.csv",
    "A.csv",
    "[x].csv",
]


@pytest.fixture
def both(tmp_path: Path) -> tuple[FolderLibrary, KeptLibrary]:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    kept = {name: KeptFile(path=tmp_path / name, sha256=hashlib.sha256(name.encode()).hexdigest()) for name in NAMES}
    return FolderLibrary(tmp_path), KeptLibrary(kept)


@pytest.mark.parametrize(
    "pattern",
    [
        *("*.csv", "*", "data/*.csv", "data/*", "*/*.csv", "**/*.csv", "**", "data/**", "data/**/*.csv", "**/deep/*"),
        *(".*.csv", "data/.dot/*.csv", "data/.*/*.csv", "?.csv", "[ab].*", "[!a].csv", "[[]x].csv", "**/**/c.csv"),
        *("a.csv", "nothing.csv"),
    ],
)
def test_a_pattern_names_what_it_named_in_the_manifests_folder(
    pattern: str, both: tuple[FolderLibrary, KeptLibrary]
) -> None:
    folder, kept = both
    assert kept.names(pattern) == folder.names(pattern)


def test_a_pattern_that_names_nothing_is_told(both: tuple[FolderLibrary, KeptLibrary]) -> None:
    for library in both:
        with pytest.raises(BadFile, match="names") as caught:
            library.names("*.png")
        assert caught.value.code == "missing-file"


def test_a_file_is_read_as_it_was_or_not_at_all(both: tuple[FolderLibrary, KeptLibrary]) -> None:
    kept = both[1]
    assert kept.read("data/a.csv", bytes_max=10) == b"data/a.csv"
    for name, size, code in (("data/a.csv", 9, "too-large"), ("data/x.csv", 9, "missing-file")):
        with pytest.raises(BadFile) as caught:
            kept.read(name, bytes_max=size)
        assert caught.value.code == code
    kept.find("a.csv").write_text("A.csv", encoding="utf-8")
    with pytest.raises(BadFile, match="is not what was read then"):
        kept.read("a.csv", bytes_max=10)
