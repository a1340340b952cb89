"""One job's whole story: of each record in words, in order, and nothing that the ledger does not hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.ledger.afterwards import deleted_note, orphaned_note, picture_note
from pipeline.ledger.fields import DELETED, ORPHANED, VARIANT
from pipeline.ledger.history import Histories, histories
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.repair import repair
from pipeline.ledger.state import Picture
from pipeline.lifecycle import Fact
from pipeline.model import Link
from pipeline.text import WIDTH, cells
from pipeline.views.show import show_document, show_text
from pipeline.views.telling import WORDS
from tests.ledger.histories import BEGINNING, LIVES, PRICE, SAID, a_job, clock, key, live, opened, planned

HOSTILE = "\x1b[31mno\x07\u202e\nno\t" + "日本" * 90


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder, not made yet."""
    return tmp_path / "harbour"


def a_long_story(ledger: Ledger) -> None:
    """A job that was throttled, lost its answer, was allowed again, expired, was bought again, and came home."""
    planned(ledger, 0, 1)
    live(ledger, 1, Fact.INTENT, Fact.NOT_SENT, Fact.INTENT, Fact.THROTTLED, Fact.INTENT, Fact.UNCERTAIN)
    live(ledger, 0, Fact.INTENT, Fact.ACCEPTED)
    live(ledger, 1, Fact.RESUBMIT, Fact.INTENT, Fact.ACCEPTED, Fact.STATUS, Fact.FINISHED, Fact.DOWNLOAD_FAILED)
    live(ledger, 1, Fact.EXPIRED, Fact.RETRY, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED)
    ledger.record(Fact.STORED, key(1), **{**SAID[Fact.STORED], "size": "640x360"})
    job = ledger.state.jobs[key(1)]
    picture = Picture(video_id=job.video_id, path="coast/fox-thumbnail.webp", bytes=9, sha256="c" * 64)
    ledger.note(VARIANT, picture_note(key(1), "thumbnail", picture))
    ledger.note(DELETED, deleted_note(job))
    ledger.note(ORPHANED, orphaned_note(key(1), orphaned=True))


def told(run: Path, name: str) -> Histories:
    return histories(run, name)


def test_a_job_that_was_retried_expired_and_bought_again_is_explained(
    run: Path, same_as_golden: Callable[[str, str], None]
) -> None:
    with opened(run / "ledger.jsonl") as ledger:
        a_long_story(ledger)
        ledger.commit_now()

    found = told(run, "job-1")

    same_as_golden("show.txt", show_text(found))
    same_as_golden("show.json", json.dumps(show_document(found), indent=2, ensure_ascii=False))


def test_the_document_holds_the_records_as_they_are_in_the_ledger_and_their_sums(run: Path) -> None:
    with opened(run / "ledger.jsonl") as ledger:
        a_long_story(ledger)
        ledger.commit_now()
    lines = [json.loads(line) for line in (run / "ledger.jsonl").read_text("ascii").splitlines()]
    for line in lines:
        del line["crc"]

    jobs = show_document(told(run, "job-1"))["jobs"]
    assert isinstance(jobs, list)
    (job,) = jobs
    assert isinstance(job, dict)

    assert job["records"] == [line for line in lines if key(1) in json.dumps(line)]
    assert (job["submits"], job["cost"], job["state"]) == (3, 2.4, "stored")


@pytest.mark.parametrize("life", LIVES)
def test_every_fact_has_words_and_the_story_fits_the_page(life: tuple[Fact, ...], run: Path) -> None:
    with opened(run / "ledger.jsonl") as ledger:
        planned(ledger, 3)
        for fact in life:
            live(ledger, 3, fact)
        ledger.commit_now()

    text = show_text(told(run, "job-3"))

    assert text.count("\n  ") >= len(life)
    assert all(cells(line) <= WIDTH for line in text.splitlines())


def test_no_type_of_record_is_without_words() -> None:
    assert set(Fact) <= WORDS.keys()


def test_hostile_texts_do_not_steer_the_terminal_and_are_whole_all_the_same(run: Path) -> None:
    wish = replace(a_job(1), id=HOSTILE, prompt=HOSTILE, meta={HOSTILE: HOSTILE}, axes={HOSTILE: HOSTILE})
    with opened(run / "ledger.jsonl") as ledger:
        ledger.plan(wish, price=None)
        live(ledger, 1, Fact.INTENT)
        ledger.record(Fact.REJECTED, key(1), http=400, code=HOSTILE, reason=HOSTILE)
        ledger.note("x", json.dumps({"job": key(1), "y": HOSTILE}))
        ledger.commit_now()

    text = show_text(told(run, key(1)))

    assert all(line.isprintable() for line in text.splitlines())
    assert "日本" * 90 in text.replace("\n", "").replace(" ", "")
    assert show_document(told(run, HOSTILE))["jobs"][0]["prompt"] == HOSTILE  # type: ignore[index, call-overload]


@pytest.mark.parametrize(
    "name",
    ["job-2", "{key}", "{KEY}", "coast/job-2.mp4", "videos/coast/job-2.mp4", "{folder}/videos/coast/job-2.mp4"],
)
def test_a_job_is_named_by_its_id_its_key_or_its_video(name: str, run: Path) -> None:
    with opened(run / "ledger.jsonl") as ledger:
        planned(ledger, 1, 2)
        ledger.commit_now()

    (found,) = told(run, name.format(key=key(2), KEY=key(2).upper(), folder=run)).jobs

    assert found.job.key == key(2)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("job-9", "this run has no job 'job-9'"),
        ("00000", "this run has no job '00000'"),
        ("000000", "'000000' may be any of 2 jobs: job-1 (000000000000), job-2 (000000000000); give more digits"),
        ("../ledger.jsonl", "this run has no job"),
    ],
)
def test_a_name_that_says_no_job_or_several_is_refused(name: str, said: str, run: Path) -> None:
    with opened(run / "ledger.jsonl") as ledger:
        planned(ledger, 1, 2)
        ledger.commit_now()

    with pytest.raises(UsageError) as refused:
        told(run, name)

    assert said in str(refused.value)


def test_all_jobs_that_have_had_an_id_are_shown_one_after_the_other(run: Path) -> None:
    with opened(run / "ledger.jsonl") as ledger:
        planned(ledger, 1, 3)
        live(ledger, 1, Fact.INTENT, Fact.ACCEPTED)
        ledger.plan(replace(a_job(2), id="job-1", prompt="a fox in the rain"), price=PRICE)
        ledger.commit_now()

    found = told(run, "job-1")
    text = show_text(found)

    assert [history.job.key for history in found.jobs] == [key(1), key(2)]
    assert text.startswith("2 jobs have had the id job-1, each asking for another video\n\njob-1: in_flight; $0.80")
    assert "a fox in the rain" in text
    assert [record.fields["job"] for record in found.jobs[1].records] == [key(2)]


def test_what_builds_on_a_job_is_no_record_of_it_and_its_length_is_the_whole_videos(run: Path) -> None:
    with opened(run / "ledger.jsonl") as ledger:
        planned(ledger, 1)
        ledger.plan(replace(a_job(2), source=key(1), link=Link.EXTEND), price=PRICE)
        ledger.commit_now()

    source, whole = told(run, "job-1"), told(run, "job-2")

    assert [record.n for record in source.jobs[0].records] == [2]
    assert "source   job-1 (extend)" in show_text(whole)
    assert "sora-2, 1280x720, 16 s, take 1" in show_text(whole)


def test_what_is_an_axis_and_a_note_alike_is_told_once_and_a_long_wait_stands_apart(run: Path) -> None:
    wish = replace(a_job(1), axes={"hour": "dawn", "style": "noir"}, meta={"hour": "dawn", "style": "oil", "n": 1})
    with opened(run / "ledger.jsonl") as ledger:
        ledger.plan(wish, price=PRICE)
        ledger.commit_now()
    found = told(run, "job-1")
    (record,) = found.jobs[0].records
    late = record._replace(n=record.n + 1, at=record.at + timedelta(minutes=10, seconds=15))

    text = show_text(replace(found, jobs=(replace(found.jobs[0], records=(record, late)),)))

    assert "\naxes     hour = dawn, style = noir\nmeta     style = oil, n = 1\n" in text
    assert f"  {late.at:%H:%M:%S} +10 min 15 s  planned" in text


def test_what_a_repair_could_not_keep_is_said(run: Path) -> None:
    path = run / "ledger.jsonl"
    with opened(path) as ledger:
        planned(ledger, 1)
        live(ledger, 1, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED)
        ledger.commit_now()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"#" * 40 + b"\n", *lines[3:]]))
    repair(run, now=lambda: BEGINNING + timedelta(hours=1))

    text = show_text(told(run, "job-1"))

    assert "the ledger was repaired: 1 records were lost" in " ".join(text.split())
    assert "a repair found records lost: an intent was lost from the ledger" in " ".join(text.split())


def test_a_run_that_goes_on_meanwhile_can_be_shown(run: Path) -> None:
    with Ledger.open(run / "ledger.jsonl", now=clock()) as ledger:
        ledger.header(run="0" * 32, provider="sandbox", origin="x", currency="USD", name="harbour")
        planned(ledger, 1)
        ledger.commit_now()

        assert [record.type for record in told(run, "job-1").jobs[0].records] == ["plan"]
