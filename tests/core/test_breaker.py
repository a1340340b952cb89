"""The retry budget and the breaker of a lane, by numbers alone."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import NotAVideo, NotSent, OutcomeUnknown, Truncated, Untrusted
from pipeline.policy.breaker import (
    BUDGET,
    BUDGET_AFTER_OUTAGE,
    COSTS,
    TROUBLES_IN_A_ROW,
    Breaker,
    Toll,
    toll_of,
)
from pipeline.policy.verdict import PATIENCE, pause_after
from pipeline.providers.base import Observation, Page, Problem, Refusal, Status, Submission

REST = PATIENCE.rest
CLEAN, THROTTLED, TROUBLE, SILENCE = Toll.CLEAN, Toll.THROTTLED, Toll.TROUBLE, Toll.SILENCE
NIGHT_S = 10 * 3600.0
RUNNING = Observation(video_id="video_1", status=Status.RUNNING, word="in_progress")


def refused(problem: Problem, http: int = 400) -> Refusal:
    return Refusal(problem=problem, http=http)


def note(breaker: Breaker, *tolls: Toll, now_s: float = 0.0) -> bool:
    """Note them; whether the breaker turned at the last of them."""
    return [breaker.note(toll, now_s=now_s, spread=0.0) for toll in tolls][-1]


def opened() -> Breaker:
    """A breaker that opened at 0."""
    breaker = Breaker(REST)
    note(breaker, *[TROUBLE] * TROUBLES_IN_A_ROW)
    assert breaker.is_open
    return breaker


@pytest.mark.parametrize(
    ("outcome", "toll"),
    [
        (Submission(video_id="video_1", observation=RUNNING, raw={}), CLEAN),
        (RUNNING, CLEAN),
        (Page(observations=(), after=None), CLEAN),
        (refused(Problem.REJECTED), CLEAN),
        (refused(Problem.UNKNOWN_ID), CLEAN),
        (refused(Problem.NOT_READY), CLEAN),
        (refused(Problem.GONE), CLEAN),
        (refused(Problem.THROTTLED), THROTTLED),
        *((refused(Problem.TROUBLE, http), TROUBLE) for http in (200, 408, 409, 500, 502)),
        *((refused(Problem.TROUBLE, http), CLEAN) for http in (400, 402, 422, 499)),  # somebody is there, and says no
        (NotSent("cannot connect"), TROUBLE),
        (Untrusted("self-signed"), TROUBLE),
        (OutcomeUnknown("no answer in time"), SILENCE),
        (Truncated("cut"), None),
        (NotAVideo("HTML"), None),
        (OSError(28, "full"), None),
    ],
)
def test_each_outcome_says_one_thing_about_reaching_the_provider(outcome: object, toll: Toll | None) -> None:
    assert toll_of(outcome) is toll


@pytest.mark.parametrize(
    ("tolls", "budget"),
    [
        ([CLEAN], BUDGET),  # never more than it holds
        ([TROUBLE], BUDGET - 5),
        ([THROTTLED], BUDGET - 5),
        ([SILENCE], BUDGET - 10),
        ([TROUBLE, CLEAN], BUDGET),  # the try that helped is given back
        ([SILENCE, TROUBLE, CLEAN], BUDGET - 10 + 1),  # but not the one that did not
        ([TROUBLE, TROUBLE, TROUBLE, CLEAN, CLEAN, CLEAN], BUDGET - 10 + 3),
    ],
)
def test_failures_use_the_budget_up_and_answers_fill_it_again(tolls: list[Toll], budget: int) -> None:
    breaker = Breaker(REST)
    note(breaker, *tolls)
    assert breaker.budget == budget


def test_a_dozen_troubles_in_a_row_open_it_long_before_the_budget_is_empty() -> None:
    breaker = Breaker(REST)

    assert not note(breaker, *[TROUBLE] * (TROUBLES_IN_A_ROW - 1), CLEAN, *[TROUBLE] * (TROUBLES_IN_A_ROW - 1))
    assert breaker.ready_s == float("-inf")
    assert note(breaker, TROUBLE, now_s=7.0)
    assert (breaker.opened_s, breaker.ready_s) == (7.0, 67.0)


def test_being_throttled_opens_it_only_when_the_budget_is_empty() -> None:
    breaker = Breaker(REST)
    tries = BUDGET // COSTS[THROTTLED]

    assert not note(breaker, *[THROTTLED] * (tries - 1))
    assert note(breaker, THROTTLED)


def test_probes_go_one_at_a_time_after_a_minute_then_ever_more_rarely() -> None:
    breaker, now_s = opened(), 0.0

    rests = []
    for _ in range(7):
        rests.append(breaker.ready_s - now_s)
        now_s = breaker.ready_s
        breaker.begin(now_s)
        assert breaker.ready_s > now_s  # nobody else before this one is answered
        note(breaker, TROUBLE, now_s=now_s)

    assert rests == [60.0, 120.0, 240.0, 480.0, 900.0, 900.0, 900.0]


def test_what_was_under_way_when_it_opened_does_not_count_as_a_probe() -> None:
    breaker = opened()
    note(breaker, *[SILENCE] * 8, now_s=1.0)
    assert breaker.ready_s == 60.0


def test_a_probe_that_is_never_answered_holds_up_the_next_for_one_rest() -> None:
    breaker = opened()
    breaker.begin(60.0)
    assert breaker.ready_s == 120.0


@pytest.mark.parametrize("probe", [True, False])
def test_any_answer_closes_it_with_a_modest_budget(probe: bool) -> None:
    breaker = opened()
    if probe:
        breaker.begin(60.0)

    assert note(breaker, CLEAN, now_s=61.0)
    assert not breaker.is_open
    assert (breaker.budget, breaker.ready_s) == (BUDGET_AFTER_OUTAGE, float("-inf"))


def test_where_another_lane_was_answered_the_next_probe_goes_soon_but_not_twice_in_a_minute() -> None:
    breaker = opened()
    for at_s in (60.0, 180.0, 420.0):
        breaker.begin(at_s)
        note(breaker, TROUBLE, now_s=at_s)
    assert breaker.ready_s == 900.0

    breaker.hope(430.0)
    assert breaker.ready_s == 480.0
    breaker.hope(600.0)
    assert breaker.ready_s == 480.0


def test_hope_does_nothing_to_a_lane_that_is_answered() -> None:
    breaker = Breaker(REST)
    breaker.hope(10.0)
    assert breaker.ready_s == float("-inf")


@given(st.lists(st.tuples(st.sampled_from(Toll), st.floats(0.0, 2000.0), st.floats(0.0, 1.0)), max_size=200))
def test_whatever_happens_an_open_lane_sends_at_most_one_request_a_minute(
    night: list[tuple[Toll, float, float]],
) -> None:
    breaker, now_s, probes = Breaker(REST), 0.0, list[float]()
    for toll, later_s, spread in night:
        now_s = max(now_s + later_s, breaker.ready_s)
        probes = [*probes, now_s] if breaker.is_open else []
        assert all(later - sooner >= 60.0 for sooner, later in pairwise(probes[-2:]))
        breaker.begin(now_s)
        breaker.note(toll, now_s=now_s, spread=spread)
        assert 0 <= breaker.budget <= BUDGET
        assert not breaker.is_open or now_s < breaker.ready_s <= now_s + 990.0


# --- whole nights of one lane, in virtual time


@dataclass(slots=True)
class Lane:
    """A lane that sends one request after another, waits as its backoff and its breaker say, and keeps count."""

    odds: dict[Toll, float]
    """Of what is not clean."""
    seed: int = 1
    takes_s: float = 1.0
    opened: int = 0
    requests: int = 0
    failures: int = 0
    clean: int = 0
    probes: list[float] = field(default_factory=list)

    def live(self, *, until_s: float = float("inf"), until_clean: int = 1 << 60) -> Lane:
        chance, breaker, now_s, row = random.Random(self.seed), Breaker(REST), 0.0, 0
        while now_s < until_s and self.clean < until_clean:
            breaker.begin(now_s)
            if breaker.is_open:
                self.probes.append(now_s)
            self.requests += 1
            toll = chance.choices([CLEAN, *self.odds], [1.0 - sum(self.odds.values()), *self.odds.values()])[0]
            now_s += self.takes_s
            turned = breaker.note(toll, now_s=now_s, spread=chance.random())
            self.opened += turned and breaker.is_open
            self.clean += toll is CLEAN
            self.failures += toll is not CLEAN
            row = 0 if toll is CLEAN else row + 1
            pause_s = pause_after(PATIENCE.look, row, chance.random()) if row else 0.0
            now_s = max(now_s + pause_s, breaker.ready_s)
        return self


@pytest.mark.parametrize("toll", [TROUBLE, SILENCE, THROTTLED])
@pytest.mark.parametrize("takes_s", [0.001, 30.0])
def test_a_night_at_a_dead_endpoint_costs_a_lane_a_few_dozen_requests(toll: Toll, takes_s: float) -> None:
    lane = Lane(odds={toll: 1.0}, takes_s=takes_s).live(until_s=NIGHT_S)

    before = lane.requests - len(lane.probes)
    assert before <= 100
    assert before == TROUBLES_IN_A_ROW or toll is THROTTLED
    assert len(lane.probes) <= 45
    assert min(later - sooner for sooner, later in pairwise(lane.probes)) >= 60.0


MIXED = {THROTTLED: 0.30 / 7, TROUBLE: 0.30 * 4 / 7, SILENCE: 0.30 * 2 / 7}
"""T7: 429, 500, 502, 503, 504, a reset and a timeout, each as likely."""


@pytest.mark.parametrize("seed", range(20))
def test_at_a_loss_of_thirty_percent_the_breaker_stays_closed_and_retries_stay_few(seed: int) -> None:
    lane = Lane(odds=MIXED, seed=seed).live(until_clean=5_000)

    assert lane.failures / lane.clean <= 0.6
    assert lane.opened == 0


@pytest.mark.parametrize("seed", range(5))
def test_at_a_loss_of_nine_in_ten_it_spares_the_provider_and_still_gets_there(seed: int) -> None:
    lane = Lane(odds={TROUBLE: 0.9}, seed=seed).live(until_clean=30)

    assert lane.opened > 0
    assert lane.clean == 30
