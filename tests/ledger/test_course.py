"""The course of a run: what each attempt came to and when, read from the records in one pass."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.ledger.course import QUIET_S, TROUBLES, Course, Passage, read_course
from pipeline.ledger.fields import REPAIRED
from pipeline.ledger.ledger import read_run
from pipeline.ledger.records import Record
from pipeline.lifecycle import Fact
from tests.ledger.histories import BEGINNING, LIVES, fill, key, live, opened, planned

I, A, S, F = Fact.INTENT, Fact.ACCEPTED, Fact.STATUS, Fact.FINISHED  # noqa: E741


def _course(*told: tuple[float, str]) -> Course:
    """Of one job, to which this happened, so many seconds after the beginning."""
    course, attempt = Course(), 0
    for n, (after_s, kind) in enumerate(told, start=1):
        attempt += kind == I
        fields = {"job": "a", "attempt": attempt, "reason": "it was too dark"}
        course.take(Record(n, str(kind), BEGINNING + timedelta(seconds=after_s), fields))
    return course


def _seen(passage: Passage) -> tuple[object, ...]:
    """Seconds after the beginning: submitted, accepted, finished, stored, ended; and the end."""
    times = (passage.submitted_at, passage.accepted_at, passage.finished_at, passage.stored_at, passage.ended_at)
    return (*(None if at is None else (at - BEGINNING).total_seconds() for at in times), passage.end)


@pytest.mark.parametrize(
    ("facts", "passages"),
    [
        ((I, A, S, F, Fact.STORED), [(0, 1, 3, 4, None, None)]),
        ((I, Fact.THROTTLED, I, A), [(0, None, None, None, 1, Fact.THROTTLED), (2, 3, None, None, None, None)]),
        ((I, A, Fact.FAILED, Fact.RETRY, I, A, F), [(0, 1, None, None, 2, Fact.FAILED), (4, 5, 6, None, None, None)]),
        ((I, A, Fact.STALLED), [(0, 1, None, None, 2, Fact.STALLED)]),
        ((I, A, Fact.STALLED, S), [(0, 1, None, None, None, None)]),
        ((I, A, Fact.STALLED, F, Fact.STORED), [(0, 1, 3, 4, None, None)]),
        ((I, A, Fact.STALLED, Fact.FAILED), [(0, 1, None, None, 2, Fact.FAILED)]),
        ((I, Fact.UNCERTAIN, Fact.NOT_CREATED), [(0, None, None, None, 1, Fact.NOT_CREATED)]),
        ((I, Fact.UNCERTAIN, Fact.ADOPTED, F), [(0, 2, 3, None, None, None)]),
        ((I, A, Fact.LOST, Fact.DROPPED), [(0, 1, None, None, 2, Fact.LOST)]),
        ((I, A, F, F, Fact.STORED, Fact.MISSING, Fact.STORED), [(0, 1, 2, 4, None, None)]),
        ((I, A, F, Fact.STORED, Fact.MISSING, Fact.EXPIRED), [(0, 1, 2, 3, 5, Fact.EXPIRED)]),
        ((Fact.BLOCKED, Fact.DROPPED), []),
    ],
)
def test_every_attempt_has_its_own_times(facts: tuple[Fact, ...], passages: list[tuple[object, ...]]) -> None:
    course = _course(*enumerate(facts))

    assert [_seen(passage) for passage in course.passages] == passages


def test_only_an_adopted_video_is_one() -> None:
    assert [p.adopted for p in _course((0, I), (1, Fact.UNCERTAIN), (2, Fact.ADOPTED)).passages] == [True]
    assert [p.adopted for p in _course((0, I), (1, A)).passages] == [False]


@pytest.mark.parametrize(
    ("known", "attempt", "passages"),
    [
        ((), 1, [(9, None, None, None, 9, Fact.UNCERTAIN)]),  # all that was written of it is lost
        ((I,), 1, [(0, None, None, None, 9, Fact.UNCERTAIN)]),  # its end is
        ((I, A, Fact.FAILED), 2, [(0, 1, None, None, 2, Fact.FAILED), (9, None, None, None, 9, Fact.UNCERTAIN)]),
    ],
)
def test_a_repair_tells_of_an_attempt_once(
    known: tuple[Fact, ...], attempt: int, passages: list[tuple[object, ...]]
) -> None:
    course = _course(*enumerate(known))

    fields = {"job": "a", "attempt": attempt, "origin": "", "price": None, "reason": "its records are lost"}
    course.take(Record(99, REPAIRED, BEGINNING + timedelta(seconds=9), fields))

    assert [_seen(passage) for passage in course.passages] == passages


@pytest.mark.parametrize(
    ("moments", "busy"),
    [
        ([0], [(0, 0)]),
        ([0, QUIET_S], [(0, QUIET_S)]),
        ([0, 60, 60 + QUIET_S + 1, 90 + QUIET_S + 1], [(0, 60), (61 + QUIET_S, 91 + QUIET_S)]),
        ([60, 0, 30], [(60, 60)]),  # the clock was put back
    ],
)
def test_a_long_time_without_a_fact_parts_the_nights(moments: list[float], busy: list[tuple[float, float]]) -> None:
    course = _course(*((at_s, Fact.STATUS) for at_s in moments))

    assert [tuple((at - BEGINNING).total_seconds() for at in night) for night in course.busy] == busy


def test_what_is_no_fact_is_no_work() -> None:
    course = Course()
    course.take(Record(1, "note", BEGINNING, {"what": "verified", "text": "all is well"}))

    assert course.busy == []


def test_what_went_wrong_is_counted_by_its_code_or_else_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with opened(path) as ledger:
        planned(ledger, 1)
        live(ledger, 1, I, Fact.THROTTLED, I, Fact.THROTTLED, I, A, Fact.FINISHED, Fact.DOWNLOAD_FAILED)
        ledger.commit_now()

    _, course = read_course(path)

    assert dict(course.troubles) == {
        (key(1), Fact.THROTTLED, "rate_limit"): 2,
        (key(1), Fact.DOWNLOAD_FAILED, "it was a web page"): 1,
    }


def test_the_same_pass_gives_the_state(tmp_path: Path) -> None:
    fill(tmp_path / "ledger.jsonl")

    state, course = read_course(tmp_path)

    alone = read_run(tmp_path)
    assert (state.records, state.counts, state.spent) == (alone.records, alone.counts, alone.spent)
    submits = sum(life.count(I) for life in LIVES)
    assert len(course.passages) == sum(job.attempt for job in state.jobs.values()) == submits
    wrong = [fact for life in LIVES for fact in life if fact in TROUBLES]
    assert course.troubles.total() == len(wrong)


def test_times_agree_with_the_state_of_the_latest_attempt(tmp_path: Path) -> None:
    fill(tmp_path / "ledger.jsonl")
    state, course = read_course(tmp_path)

    latest = {passage.job: passage for passage in course.passages}

    assert latest.keys() == state.jobs.keys()
    for job in state.jobs.values():
        passage = latest[job.key]
        assert (passage.number, passage.submitted_at) == (job.attempt, job.submitted_at)
        assert (passage.accepted_at, passage.finished_at) == (job.accepted_at, job.finished_at)


def test_where_there_is_no_ledger_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no ledger here"):
        read_course(tmp_path)
