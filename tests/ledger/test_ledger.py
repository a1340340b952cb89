"""What the ledger takes, what it refuses, and what its records add up to."""

from __future__ import annotations

import os
import stat
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import LedgerBroken, UsageError
from pipeline.ledger.ledger import Ledger, read_run
from pipeline.ledger.records import BadRecord, decode
from pipeline.lifecycle import AFTER, Fact, ImpossibleFact, State
from pipeline.model import VIDEO_ID_CHARS_MAX
from tests.ledger.histories import (
    BEGINNING,
    ELSEWHERE,
    LIVES,
    ORIGIN,
    PRICE,
    RUN,
    SAID,
    a_job,
    clock,
    fill,
    key,
    live,
    moved,
    opened,
    planned,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outputs" / "harbour" / "ledger.jsonl"


@pytest.mark.parametrize(("state", "fact"), sorted(AFTER))
def test_what_the_table_allows_is_taken_and_replays_the_same(path: Path, state: State, fact: Fact) -> None:
    with opened(path) as ledger:
        planned(ledger, 1)
        live(ledger, 1, *way_to(state), fact)
        assert ledger.state.jobs[key(1)].state is AFTER[state, fact]
        ledger.commit_now()
        there = {name: getattr(ledger.state.jobs[key(1)], name) for name in type(ledger.state.jobs[key(1)]).__slots__}
        spent, counts = ledger.state.spent, ledger.state.counts

    again = read_run(path)
    assert {name: getattr(again.jobs[key(1)], name) for name in there} == there
    assert (again.spent, again.counts) == (spent, counts)


def way_to(state: State) -> tuple[Fact, ...]:
    """A shortest life that ends in *state*."""
    ways: dict[State, tuple[Fact, ...]] = {State.PENDING: ()}
    while state not in ways:
        steps = [(then, (*ways[was], fact)) for (was, fact), then in sorted(AFTER.items()) if was in ways]
        ways |= {then: way for then, way in steps if then not in ways}
    return ways[state]


@pytest.mark.parametrize("life", LIVES)
def test_an_impossible_fact_raises_and_changes_nothing(path: Path, life: tuple[Fact, ...]) -> None:
    with opened(path) as ledger:
        planned(ledger, 1)
        for happened in life:
            live(ledger, 1, happened)
            job = ledger.state.jobs[key(1)]
            before = (ledger.state.records, ledger.state.spent, dict(ledger.state.counts), repr(job))
            for fact in Fact:
                if (job.state, fact) not in AFTER:
                    with pytest.raises(ImpossibleFact):
                        live(ledger, 1, fact)
            assert before == (ledger.state.records, ledger.state.spent, dict(ledger.state.counts), repr(job))
        ledger.commit_now()

    assert read_run(path).records == 2 + len(life)


@pytest.mark.parametrize(
    ("fact", "fields"),
    [
        (Fact.INTENT, {"attempt": 2, "body_sha256": "", "key": ""}),
        (Fact.INTENT, {"body_sha256": ""}),
        (Fact.INTENT, {"body_sha256": "", "key": "", "colour": "red"}),
        (Fact.INTENT, {"body_sha256": "", "key": "", "price": Decimal(-1)}),
        (Fact.INTENT, {"body_sha256": "", "key": 7}),
        (Fact.INTENT, {"body_sha256": "", "key": "", "origin": None}),
    ],
)
def test_a_bad_record_raises_and_changes_nothing(path: Path, fact: Fact, fields: dict[str, object]) -> None:
    with opened(path) as ledger:
        planned(ledger, 1)
        with pytest.raises(BadRecord):
            ledger.record(fact, key(1), **fields)  # type: ignore[arg-type]
        assert ledger.state.jobs[key(1)].state is State.PENDING
        live(ledger, 1, Fact.INTENT)
        ledger.commit_now()

    assert read_run(path).records == 3


def test_a_fact_about_a_job_that_was_never_planned_is_refused(path: Path) -> None:
    with opened(path) as ledger, pytest.raises(BadRecord, match="never planned"):
        ledger.record(Fact.INTENT, key(1), **SAID[Fact.INTENT])


def test_nothing_but_a_note_comes_before_the_header(path: Path) -> None:
    with Ledger.open(path, now=clock()) as ledger:
        ledger.note("early", "bird")
        with pytest.raises(BadRecord, match="no header before it"):
            ledger.plan(a_job(1), price=PRICE)


@pytest.mark.parametrize(
    ("life", "submits", "cost"),
    [
        ((), 0, "0"),
        ((Fact.INTENT,), 1, "0.80"),
        ((Fact.INTENT, Fact.NOT_SENT), 0, "0"),
        ((Fact.INTENT, Fact.THROTTLED), 0, "0"),
        ((Fact.INTENT, Fact.TURNED_AWAY), 0, "0"),
        ((Fact.INTENT, Fact.REJECTED), 0, "0"),
        ((Fact.INTENT, Fact.ACCEPTED), 1, "0.80"),
        ((Fact.INTENT, Fact.ACCEPTED, Fact.FAILED), 1, "0.80"),
        ((Fact.INTENT, Fact.UNCERTAIN), 1, "0.80"),
        ((Fact.INTENT, Fact.UNCERTAIN, Fact.ADOPTED), 1, "0.80"),
        ((Fact.INTENT, Fact.UNCERTAIN, Fact.NOT_CREATED), 0, "0"),
        ((Fact.INTENT, Fact.UNCERTAIN, Fact.DROPPED), 1, "0.80"),
        ((Fact.INTENT, Fact.UNCERTAIN, Fact.RESUBMIT), 1, "0.80"),
        ((Fact.INTENT, Fact.UNCERTAIN, Fact.RESUBMIT, Fact.INTENT), 2, "1.60"),
        ((Fact.INTENT, Fact.NOT_SENT, Fact.INTENT, Fact.ACCEPTED), 1, "0.80"),
        ((Fact.INTENT, Fact.ACCEPTED, Fact.FAILED, Fact.RETRY, Fact.INTENT, Fact.NOT_SENT), 1, "0.80"),
    ],
)
def test_submits_and_cost_count_what_was_or_may_have_been_accepted(
    path: Path, life: tuple[Fact, ...], submits: int, cost: str
) -> None:
    with opened(path) as ledger:
        planned(ledger, 1)
        live(ledger, 1, *life)
        job = ledger.state.jobs[key(1)]

        assert (job.submits, job.cost, ledger.state.spent) == (submits, Decimal(cost), Decimal(cost))


def test_a_submit_without_a_price_makes_the_cost_unknown_and_adds_nothing_to_what_is_spent(path: Path) -> None:
    with opened(path) as ledger:
        ledger.plan(a_job(1), price=None)
        live(ledger, 1, Fact.INTENT, Fact.ACCEPTED)

        assert ledger.state.jobs[key(1)].cost is None
        assert ledger.state.spent == 0


@pytest.mark.parametrize(
    ("life", "unpriced"),
    [
        ((Fact.INTENT,), 1),
        ((Fact.INTENT, Fact.ACCEPTED, Fact.FAILED), 1),
        ((Fact.INTENT, Fact.NOT_SENT), 0),
        ((Fact.INTENT, Fact.UNCERTAIN, Fact.NOT_CREATED), 0),
        ((Fact.INTENT, Fact.UNCERTAIN, Fact.RESUBMIT, Fact.INTENT), 2),
    ],
)
def test_submits_of_unknown_price_stay_counted_after_a_price_is_known(
    path: Path, life: tuple[Fact, ...], unpriced: int
) -> None:
    with opened(path) as ledger:
        ledger.plan(a_job(1), price=None)
        live(ledger, 1, *life)
        ledger.plan(a_job(1), price=PRICE)
        planned(ledger, 2)
        live(ledger, 2, Fact.INTENT)
        assert (ledger.state.unpriced, ledger.state.spent) == (unpriced, PRICE)
        ledger.commit_now()

    assert read_run(path).unpriced == unpriced


@pytest.mark.parametrize("life", [(), (Fact.UNCERTAIN,), (Fact.NOT_SENT,), (Fact.REJECTED,)])
def test_an_attempt_keeps_the_address_that_it_went_to_from_its_intent_on(path: Path, life: tuple[Fact, ...]) -> None:
    with opened(path) as ledger:
        planned(ledger, 1)
        assert ledger.state.jobs[key(1)].origin == ""
        live(ledger, 1, Fact.INTENT, *life)
        moved(ledger)
        assert ledger.state.jobs[key(1)].origin == ORIGIN


def test_a_new_attempt_goes_to_the_new_address(path: Path) -> None:
    with opened(path) as ledger:
        planned(ledger, 1)
        live(ledger, 1, Fact.INTENT, Fact.ACCEPTED, Fact.FAILED, Fact.RETRY)
        moved(ledger)
        live(ledger, 1, Fact.INTENT)
        job = ledger.state.jobs[key(1)]

    assert [attempt.origin for attempt in job.attempts] == [ORIGIN, ELSEWHERE]
    assert job.origin == ELSEWHERE


@pytest.mark.parametrize(("chars", "taken"), [(VIDEO_ID_CHARS_MAX, True), (VIDEO_ID_CHARS_MAX + 1, False)])
def test_an_id_is_taken_whole_or_not_at_all(path: Path, chars: int, taken: bool) -> None:
    said = {**SAID[Fact.ACCEPTED], "video_id": "v" * chars}
    with opened(path) as ledger:
        planned(ledger, 1)
        live(ledger, 1, Fact.INTENT)
        if taken:
            ledger.record(Fact.ACCEPTED, key(1), **said)
        else:
            with pytest.raises(BadRecord, match="'video_id' of 'accepted' is 513 characters long, and 512 is the most"):
                ledger.record(Fact.ACCEPTED, key(1), **said)
        assert ledger.state.jobs[key(1)].video_id == "v" * chars * taken


def test_a_stored_job_says_all_that_a_report_needs(path: Path) -> None:
    with opened(path) as ledger:
        planned(ledger, 1)
        live(ledger, 1, Fact.INTENT, Fact.ACCEPTED, Fact.STATUS, Fact.FINISHED, Fact.STORED)
        job = ledger.state.jobs[key(1)]

    assert (job.video_id, job.origin, job.request_id) == ("video_1_1", ORIGIN, "req_1")
    assert job.raw == {"id": "video_1", "status": "queued"}
    assert (job.bytes, job.sha256, job.etag) == (4096, "b" * 64, '"e1"')
    assert (job.media_seconds, job.media_size, job.path) == (8.0, "1280x720", "coast/fox.mp4")
    assert job.expires_at == BEGINNING + timedelta(hours=2)
    assert job.wish.prompt == a_job(1).prompt
    attempt = job.attempts[0]
    assert (attempt.number, attempt.price, attempt.outcome) == (1, PRICE, Fact.ACCEPTED)
    times = [job.submitted_at, job.accepted_at, job.finished_at, job.stored_at]
    assert [time for time in times if time] == sorted(time for time in times if time)
    assert None not in times


def test_a_new_attempt_forgets_the_video_of_the_last_one(path: Path) -> None:
    with opened(path) as ledger:
        planned(ledger, 1)
        live(ledger, 1, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED, Fact.EXPIRED, Fact.RETRY, Fact.INTENT)
        job = ledger.state.jobs[key(1)]

    assert (job.video_id, job.word, job.expires_at, job.accepted_at, job.raw) == ("", "", None, None, {})
    assert [attempt.number for attempt in job.attempts] == [1, 2]


def test_the_reason_is_that_of_the_latest_fact(path: Path) -> None:
    with opened(path) as ledger:
        planned(ledger, 1)
        live(ledger, 1, Fact.INTENT, Fact.UNCERTAIN)
        assert ledger.state.jobs[key(1)].reason == "the connection broke"
        live(ledger, 1, Fact.NOT_CREATED)
        assert ledger.state.jobs[key(1)].reason == ""


def test_the_same_plan_again_writes_nothing_and_a_changed_one_wins(path: Path) -> None:
    with opened(path) as ledger:
        assert ledger.plan(a_job(1), price=PRICE)
        assert not ledger.plan(a_job(1), price=PRICE)
        live(ledger, 1, Fact.INTENT)
        for changed in (
            replace(a_job(1), id="fox"),
            replace(a_job(1), id="fox", path="elsewhere/fox.mp4"),
            replace(a_job(1), id="fox", path="elsewhere/fox.mp4", meta={"note": "for Ada"}),
        ):
            assert ledger.plan(changed, price=PRICE)
        assert ledger.plan(changed, price=Decimal(1))
        assert not ledger.plan(changed, price=Decimal("1.00"))
        job = ledger.state.jobs[key(1)]

    assert (job.id, job.path, job.wish.meta, job.price) == ("fox", "elsewhere/fox.mp4", {"note": "for Ada"}, Decimal(1))
    assert (job.state, job.attempts[0].price) == (State.SUBMITTING, PRICE)


def test_a_stored_file_stays_where_it_is_until_it_is_missing(path: Path) -> None:
    with opened(path) as ledger:
        planned(ledger, 1)
        live(ledger, 1, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED, Fact.STORED)
        ledger.plan(a_job(1), price=PRICE, path="new/place.mp4")
        assert ledger.state.jobs[key(1)].path == "coast/fox.mp4"
        live(ledger, 1, Fact.MISSING)
        assert (ledger.state.jobs[key(1)].path, ledger.state.jobs[key(1)].sha256) == ("new/place.mp4", "")


def test_jobs_keep_the_order_of_their_first_plan(path: Path) -> None:
    with opened(path) as ledger:
        planned(ledger, 3, 1, 2)
        ledger.plan(replace(a_job(3), id="x"), price=PRICE)
        assert list(ledger.state.jobs) == [key(3), key(1), key(2)]


def test_counts_agree_with_the_jobs_after_any_history(tmp_path: Path) -> None:
    fill(tmp_path / "ledger.jsonl")
    state = read_run(tmp_path)

    assert {s: n for s, n in state.counts.items() if n} == Counter(job.state for job in state.jobs.values())
    assert state.spent == sum(job.cost or 0 for job in state.jobs.values())


def test_the_header_is_written_when_something_in_it_changed_and_the_run_keeps_its_id(path: Path) -> None:
    with opened(path) as ledger:
        ledger.commit_now()
    with Ledger.open(path, now=clock()) as ledger:
        same = {"provider": "sandbox", "currency": "USD", "name": "harbour", "retention_s": 7200.0}
        ledger.header(run="f" * 32, origin=ORIGIN, **same)  # type: ignore[arg-type]
        assert ledger.state.records == 1
        ledger.header(run="f" * 32, origin="http://127.0.0.1:9/v1", **same)  # type: ignore[arg-type]
        assert ledger.state.records == 2
        assert ledger.state.header is not None
        assert (ledger.state.header.run, ledger.state.header.origin) == (RUN, "http://127.0.0.1:9/v1")


def test_money_of_two_currencies_is_never_added(path: Path) -> None:
    with opened(path) as ledger:
        ledger.header(run=RUN, provider="p", origin=ORIGIN, currency="CNY", name="harbour")
        planned(ledger, 1)
        live(ledger, 1, Fact.INTENT)
        with pytest.raises(UsageError, match=r"spent 0\.8 CNY and cannot go on in USD"):
            ledger.header(run=RUN, provider="p", origin=ORIGIN, currency="USD", name="harbour")


def test_what_a_crash_left_open_becomes_uncertain_and_durable(path: Path) -> None:
    with opened(path) as ledger:
        planned(ledger, 1, 2, 3)
        live(ledger, 1, Fact.INTENT)
        live(ledger, 2, Fact.INTENT, Fact.ACCEPTED)
        ledger.commit_now()
    with Ledger.open(path, now=clock()) as ledger:
        settled = ledger.settle_crash()
        assert [job.key for job in settled] == [key(1)]
        assert ledger.settle_crash() == []

    again = read_run(path)
    assert [job.state for job in again.jobs.values()] == [State.UNCERTAIN, State.IN_FLIGHT, State.PENDING]
    assert decode(path.read_bytes().splitlines(keepends=True)[-1]).fields["phase"] == "crash"
    assert again.spent == 2 * PRICE


def test_what_was_not_committed_is_not_written(path: Path) -> None:
    with opened(path) as ledger:
        ledger.commit_now()
        planned(ledger, 1)

    assert read_run(path).jobs == {}


def test_a_closed_ledger_takes_nothing(path: Path) -> None:
    ledger = opened(path)
    ledger.close()

    with pytest.raises(LedgerBroken, match="closed"):
        ledger.note("too", "late")
    with pytest.raises(LedgerBroken, match="closed"):
        ledger.commit_now()


@pytest.mark.skipif(os.name == "nt", reason="modes are those of POSIX")
def test_only_its_owner_reads_the_ledger(path: Path) -> None:
    mask = os.umask(0)
    try:
        opened(path).close()
    finally:
        os.umask(mask)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.with_name("ledger.jsonl.lock").stat().st_mode) == 0o600


def test_a_ledger_is_no_link_to_somewhere_else(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.symlink_to(tmp_path / "elsewhere.txt")

    with pytest.raises(LedgerBroken):
        Ledger.open(path, now=clock())
    assert not (tmp_path / "elsewhere.txt").exists()
