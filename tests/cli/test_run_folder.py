"""`vidbatch run RUN_FOLDER`: the run goes on from what the folder keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.choice import words_of
from pipeline.cli.main import command_parser, main
from pipeline.ledger.ledger import read_run
from tests.cli.test_plan import FILES, begin, write


def test_a_run_goes_on_by_its_folder_alone_wherever_that_was_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, FILES)
    begin(Path("harbour.yaml"))
    ids = [job.id for job in read_run(Path("outputs/harbour")).jobs.values()]
    begin(Path("harbour.yaml"), *ids)
    for name in FILES:
        (tmp_path / name).unlink()
    moved = Path("outputs/harbour").rename("renamed")

    assert main(["run", str(moved)]) == 0

    assert "renamed: 7 of 7 videos stored; nothing was left to do" in capsys.readouterr().out
    assert not list(Path("outputs").iterdir())
    assert [job.id for job in read_run(moved).jobs.values()] == ids


def test_the_words_that_name_it_again_say_nothing_of_outputs(tmp_path: Path) -> None:
    args = command_parser("run")[1].parse_args([str(tmp_path), "--outputs", str(tmp_path)])
    assert words_of(args) == [str(tmp_path)]


def test_a_folder_without_a_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(tmp_path)]) == 2
    assert "there is no ledger here; name a run folder" in capsys.readouterr().err
