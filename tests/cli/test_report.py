"""`vidbatch report`, and the gallery that a run leaves."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from pipeline.cli.main import main
from pipeline.disk import Disk
from pipeline.ledger.afterwards import orphaned_note
from pipeline.ledger.fields import ORPHANED
from pipeline.ledger.ledger import read_run
from pipeline.lifecycle import Fact
from pipeline.report import write_report
from pipeline.storage import RunFolder
from tests.ledger.histories import key, live, opened, planned

Vidbatch = Callable[..., Any]

MANIFEST = """\
name: harbour
provider:
  profile: sandbox
  sandbox: {render_s: 0}
  faults: {submit: {script: [behave, behave, refused]}}
limits: {in_flight: 1, budget: 2}
defaults: {seconds: 4}
jobs:
  - id: bird
    prompt: "{{ subject }} at dawn"
    matrix: {subject: [a heron, a gull]}
  - id: dark
    prompt: a </script> tug
"""
JPEG = b"\xff\xd8\xff"


def document(page: Path) -> dict[str, Any]:
    """What the page at *page* is told."""
    (found,) = re.findall(r'<script type="application/json" id="run">(.*?)</script>', page.read_text(encoding="utf-8"))
    told: dict[str, Any] = json.loads(found)
    return told


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which a run of two videos and a failure was made, with its gallery, and what it said."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "harbour.yaml").write_text(MANIFEST, encoding="utf-8")
    with pytest.MonkeyPatch.context() as shell, (folder / "said.txt").open("w", encoding="utf-8") as said:
        shell.chdir(folder)
        shell.setattr(sys, "stdout", said)
        assert main(["run", "harbour.yaml", "--yes"]) == 1
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy of that run, to be changed; `tmp_path` is where `in_process` works."""
    folder = tmp_path / "outputs" / "harbour"
    shutil.copytree(made / "outputs" / "harbour", folder)
    return folder


def test_a_run_ends_with_a_gallery_and_says_where_it_is(made: Path) -> None:
    folder = made / "outputs" / "harbour"
    page = Path("outputs", "harbour", "report", "index.html")
    told = document(made / page)

    assert f"folder  {folder.relative_to(made)}\ngallery {page}\n" in (made / "said.txt").read_text(encoding="utf-8")
    assert [(card["state"], bool(card["reason"])) for card in told["cards"]] == [
        ("stored", False),
        ("stored", False),
        ("rejected", True),
    ]
    for card in told["cards"][:2]:
        assert (folder / "report" / card["poster"]).read_bytes().startswith(JPEG)
        assert (folder / "report" / card["video"]).stat().st_size == card["bytes"]
        assert (
            json.loads((folder / "report" / card["sidecar"]).read_text(encoding="utf-8"))["request"]["prompt"]
            == card["prompt"]
        )
    assert not list((folder / "report").rglob("*.part"))


def test_a_page_shows_what_the_whole_run_came_to(made: Path) -> None:
    text = (made / "outputs/harbour/report/index.html").read_text(encoding="utf-8")

    assert "<svg" in text.split('id="the-run"')[1]
    assert "budget $2.00" in text
    assert document(made / "outputs/harbour/report/index.html")["counts"] == {"stored": 2, "rejected": 1}


def test_report_says_where_the_page_is_and_keeps_the_posters(in_process: Vidbatch, run: Path) -> None:
    posters = {path: path.stat().st_mtime_ns for path in (run / "report" / "posters").iterdir()}
    (run / "report" / "index.html").unlink()

    done = in_process("report", "outputs/harbour")

    page = Path("outputs", "harbour", "report", "index.html")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{page}: 3 videos\n", "")
    assert len(document(run / "report" / "index.html")["cards"]) == 3
    assert {path: path.stat().st_mtime_ns for path in (run / "report" / "posters").iterdir()} == posters


def test_report_shows_only_what_is_asked_for(in_process: Vidbatch, run: Path) -> None:
    done = in_process("report", "outputs/harbour", "--where", "state=stored", "--where", "prompt~HERON")
    cards = document(run / "report" / "index.html")["cards"]
    none = in_process("report", "outputs/harbour", "--where", "state=stored", "--where", "id=owl*")

    assert (done.returncode, [card["prompt"] for card in cards]) == (0, ["a heron at dawn"])
    assert none.returncode == 2
    assert none.stderr == "vidbatch: outputs/harbour: there is no job to show; no report was written\n"
    assert document(run / "report" / "index.html")["cards"] == cards


def test_a_runner_may_be_at_work_meanwhile(in_process: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "harbour").mkdir()
    with opened(tmp_path / "harbour" / "ledger.jsonl") as ledger:  # and so holds its lock
        planned(ledger, 1, 2)
        ledger.commit_now()
        done = in_process("report", "harbour")

        assert done.returncode == 0
        told = document(tmp_path / "harbour" / "report" / "index.html")
        assert [card["state"] for card in told["cards"]] == ["pending", "pending"]


def test_a_video_that_was_put_aside_is_linked_with_its_still(in_process: Vidbatch, tmp_path: Path) -> None:
    folder = tmp_path / "harbour"
    for place, content in (("wrong/coast/fox.mp4", b"film"), (f"report/posters/{'b' * 12}.jpg", JPEG)):
        (folder / place).parent.mkdir(parents=True)
        (folder / place).write_bytes(content)
    with opened(folder / "ledger.jsonl") as ledger:
        planned(ledger, 1)
        live(ledger, 1, Fact.INTENT, Fact.NOT_SENT)
        live(ledger, 1, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED, Fact.STORED, Fact.UNFIT)
        ledger.commit_now()

    done = in_process("report", "harbour")

    assert done.returncode == 0, done.stderr
    (card,) = document(folder / "report/index.html")["cards"]
    assert (card["state"], card["video"], card["aside"]) == ("failed", "", "../wrong/coast/fox.mp4")
    assert card["poster"] == f"posters/{'b' * 12}.jpg"
    assert card["attempts"][1] == "$0.80"


def test_a_wish_that_was_given_up_is_shown_only_where_it_cost_something(in_process: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "harbour").mkdir()
    with opened(tmp_path / "harbour" / "ledger.jsonl") as ledger:
        planned(ledger, 1, 2, 3)
        live(ledger, 1, Fact.INTENT, Fact.ACCEPTED)
        for number in (1, 2):
            ledger.note(ORPHANED, orphaned_note(key(number), orphaned=True))
        ledger.commit_now()

    assert in_process("report", "harbour").returncode == 0
    cards = document(tmp_path / "harbour" / "report" / "index.html")["cards"]
    assert [card["id"] for card in cards] == ["job-3", "job-1"]  # what is asked for first


def test_without_av_there_is_no_poster_and_one_line_says_so(
    in_process: Vidbatch, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(run / "report")
    monkeypatch.setitem(sys.modules, "av", None)

    done = in_process("report", "outputs/harbour")

    assert done.returncode == 0
    assert done.stderr == "note: 2 videos without a poster; pip install 'vidbatch[media]' makes them\n"
    assert [card["poster"] for card in document(run / "report" / "index.html")["cards"]] == ["", "", ""]


def test_no_posters_makes_none_and_shows_those_that_are_there(in_process: Vidbatch, run: Path) -> None:
    kept, gone = sorted((run / "report" / "posters").iterdir())
    gone.unlink()

    done = in_process("report", "outputs/harbour", "--no-posters")

    assert (done.returncode, done.stderr) == (0, "")
    shown = [card["poster"] for card in document(run / "report" / "index.html")["cards"]]
    assert sorted(shown) == ["", "", f"posters/{kept.name}"]


def test_a_video_that_gives_no_poster_is_named_and_is_no_failure(in_process: Vidbatch, run: Path) -> None:
    shutil.rmtree(run / "report")
    bad, good = (job for job in read_run(run).jobs.values() if job.path and job.sha256)
    (run / "videos" / bad.path).write_bytes(os.urandom(bad.bytes or 0))

    done = in_process("report", "outputs/harbour")

    assert done.returncode == 0
    assert done.stderr.startswith(f"note: no poster of {bad.id}: ")
    assert len(done.stderr.splitlines()) == 1
    posters = {card["id"]: card["poster"] for card in document(run / "report" / "index.html")["cards"]}
    assert (posters[bad.id], posters[good.id]) == ("", f"posters/{good.sha256[:12]}.jpg")


def test_a_gallery_that_cannot_be_written_is_a_notice_and_changes_no_exit_code(in_process: Vidbatch, run: Path) -> None:
    (run.parent.parent / "harbour.yaml").write_text(MANIFEST, encoding="utf-8")
    shutil.rmtree(run / "report")
    (run / "report").write_text("mine", encoding="utf-8")

    done = in_process("run", "harbour.yaml", "--yes")

    assert done.returncode == 1  # as without a gallery: one of them failed
    words = "not written: outputs/harbour/report: File exists; vidbatch report outputs/harbour does it"
    assert f"\ngallery {words}\n" in done.stdout
    assert f"the gallery was {words}\n" in (run / "run.log").read_text(encoding="utf-8")
    assert (run / "report").read_text(encoding="utf-8") == "mine"


def test_a_run_writes_no_gallery_where_that_is_not_wanted(in_process: Vidbatch, run: Path) -> None:
    (run.parent.parent / "harbour.yaml").write_text(MANIFEST, encoding="utf-8")
    shutil.rmtree(run / "report")

    done = in_process("run", "harbour.yaml", "--yes", "--no-report")

    assert (done.returncode, "gallery" in done.stdout, (run / "report").exists()) == (1, False, False)


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_nothing_is_written_through_a_link_that_leads_out_of_the_run(
    in_process: Vidbatch, run: Path, tmp_path: Path
) -> None:
    shutil.rmtree(run / "report")
    (tmp_path / "elsewhere").mkdir()
    (run / "report").symlink_to(tmp_path / "elsewhere")

    done = in_process("report", "outputs/harbour")

    assert done.returncode == 2
    assert "is a link that leads out of the run folder, and nothing is written there" in done.stderr
    assert not list((tmp_path / "elsewhere").iterdir())


class FullDisk(Disk):
    """Takes the first bytes of a page, and no more."""

    def write(self, descriptor: int, content: bytes) -> None:
        if content.startswith(b"<!doctype"):
            os.write(descriptor, content[:100])
            raise OSError(28, "No space left on device")
        super().write(descriptor, content)


def test_a_page_that_cannot_be_written_whole_leaves_the_one_before(run: Path) -> None:
    before = (run / "report" / "index.html").read_bytes()

    with pytest.raises(OSError, match="No space left"):
        anyio.run(partial(write_report, RunFolder(run, FullDisk())))

    assert (run / "report" / "index.html").read_bytes() == before
    assert not list((run / "report").rglob("*.part"))


def test_there_is_nothing_to_report_of_a_folder_without_a_run(in_process: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("jobs: []\n")

    done = in_process("report", str(tmp_path))
    mine = in_process("report", "mine.yaml")

    assert (done.returncode, mine.returncode) == (2, 2)
    assert f"{tmp_path}: there is no ledger here" in done.stderr
    assert "mine.yaml: this is no ledger; name a run folder" in mine.stderr


def test_open_shows_the_page_in_the_browser(in_process: Vidbatch, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def show(address: str) -> bool:
        shown.append(address)
        return len(shown) == 1

    monkeypatch.setattr("webbrowser.open", show)

    first = in_process("report", "outputs/harbour", "--open")
    second = in_process("report", "outputs/harbour", "--open")

    assert shown == [(run / "report" / "index.html").as_uri()] * 2
    assert (first.stderr, second.stderr) == ("", "note: there is no browser here to open it with\n")
