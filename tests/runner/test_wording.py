"""What a person is told about money, word for word."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from pipeline.cli.run import _row
from pipeline.ledger.ledger import utc_now
from pipeline.ledger.state import JobState, wish_of
from pipeline.lifecycle import Fact, State
from pipeline.limits import LimitsWish
from pipeline.model import Job
from pipeline.prepare import Choice, still_waiting
from pipeline.runner.wording import awaited_words, gone_words
from tests.runner.gateway import NOTHING
from tests.runner.night import Night, built_on, job, jobs


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fact", "priced", "words"),
    [
        (Fact.EXPIRED, True, "job-0: it expired, and was paid for: $0.40; --retry expired buys it again: 410"),
        (Fact.LOST, True, "job-0: it is lost, and was paid for: $0.40; --retry lost buys it again: 410"),
        (Fact.LOST, False, "job-0: it is lost, and was paid for: at an unknown price; --retry lost buys it again: 410"),
    ],
)
async def test_a_video_that_is_gone_is_said_with_its_price(night: Night, fact: Fact, priced: bool, words: str) -> None:
    if not priced:
        night.profile = replace(
            night.profile, models={"*": replace(night.profile.models["sora-2"], price_per_second={})}
        )
    await night.run(jobs(1))
    assert gone_words(night.boards[0], job(0).key, fact, "410") == words


def state_of(one: Job) -> JobState:
    return JobState(key=one.key, wish=wish_of(one), id=one.id, path=one.path, planned_path=one.path, price=None)


SOURCE, MIDDLE = job(0), built_on(job(0), 1)
LAST = built_on(MIDDLE, 2)


@pytest.mark.anyio
@pytest.mark.parametrize("budget", [None, Decimal("0.40")])
async def test_the_summary_blames_a_source_for_what_nothing_else_kept_from_being_submitted(
    night: Night, budget: Decimal | None
) -> None:
    if budget is None:
        night.gateway.once("submit", NOTHING)
    night.choice = Choice(limits=LimitsWish(budget=budget))
    outcome = await night.run((LAST, MIDDLE, SOURCE))
    waiting = still_waiting(outcome.outlook, outcome.state, utc_now())
    rows = [_row(outcome.state.jobs[one.key], outcome, waiting) for one in (MIDDLE, LAST)]
    told = f"it builds on {SOURCE.id}, which is of unknown outcome: vidbatch resolve {night.folder}"
    expected = "" if outcome.stopped else told
    assert bool(outcome.stopped) is (budget is not None)
    assert [(row.state, row.reason) for row in rows] == [(State.PENDING, expected)] * 2


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (State.UNCERTAIN, "what it builds on is uncertain"),
        (State.STALLED, "what it builds on is stalled"),
        (State.PENDING, ""),
        (State.STORED, ""),
    ],
)
def test_a_job_that_was_not_submitted_names_what_it_waits_for_at_whatever_remove(source: State, words: str) -> None:
    known = {one.key: state_of(one) for one in (SOURCE, MIDDLE, LAST)}
    known[SOURCE.key].state = source
    assert awaited_words(known[LAST.key], known) == awaited_words(known[MIDDLE.key], known) == words
