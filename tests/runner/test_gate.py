"""The gate in front of every submit: numbers in, an answer out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from pipeline.limits import Limits
from pipeline.runner.lanes import BACKLOG_MAX, Answer, Gate, Load
from pipeline.runner.places import EVERY_S, Places


def test_money_set_aside_for_an_open_submit_is_waited_for() -> None:
    gate = Gate(Limits(in_flight=8, submit_slots=4, budget=Decimal(3)))
    gate.accepted()
    gate.accepted()
    load = Load(open_posts=1, rendering=2, backlog=0, spent=Decimal("2.40"))

    assert gate.ask(Decimal("0.80"), load) is Answer.WAIT
    assert gate.ask(Decimal("0.80"), replace(load, open_posts=0)) is Answer.NO_MONEY
    assert gate.ask(Decimal("0.60"), load) is Answer.GO


def test_no_budget_is_kept_by_what_has_no_price() -> None:
    load = Load(open_posts=0, rendering=0, backlog=0, spent=Decimal(0))

    assert Gate(Limits(budget=Decimal(3))).ask(None, load) is Answer.NO_MONEY
    assert Gate(Limits(budget=Decimal(3))).ask(None, replace(load, settling=True)) is Answer.WAIT
    assert Gate(Limits()).ask(None, load) is Answer.GO


def test_one_canary_goes_first_then_twice_as_many_with_every_acceptance() -> None:
    gate = Gate(Limits(in_flight=99, submit_slots=8))

    slots = [gate.slots]
    for _ in range(4):
        gate.accepted()
        slots.append(gate.slots)
    gate.unreachable()

    assert slots == [1, 2, 4, 8, 8]
    assert gate.slots == 1


FREE = Load(open_posts=0, rendering=0, backlog=0, spent=Decimal(0))


@pytest.mark.parametrize(
    ("load", "answer"),
    [
        (FREE, Answer.GO),
        (replace(FREE, open_posts=1), Answer.WAIT),  # the canary is out
        (replace(FREE, rendering=7), Answer.GO),
        (replace(FREE, rendering=8), Answer.WAIT),
        (replace(FREE, backlog=BACKLOG_MAX - 1), Answer.GO),
        (replace(FREE, backlog=BACKLOG_MAX), Answer.WAIT),
        (replace(FREE, backlog=1, behind=True), Answer.WAIT),  # what is bought would expire before it is fetched
    ],
)
def test_each_bound_holds_submits_back(load: Load, answer: Answer) -> None:
    assert Gate(Limits(in_flight=8)).ask(None, load) is answer


@pytest.mark.parametrize(
    ("budget", "price", "load", "answer"),
    [
        ("1", "0.40", FREE, Answer.GO),
        (None, "0.40", replace(FREE, unpriced=1), Answer.GO),
        ("1", "0.40", replace(FREE, unpriced=1), Answer.NO_MONEY),
        ("1", "0.40", replace(FREE, unpriced=1, settling=True), Answer.WAIT),
        ("1", None, FREE, Answer.NO_MONEY),
        ("1", "0.40", replace(FREE, spent=Decimal("0.61")), Answer.NO_MONEY),
    ],
)
def test_a_budget_lets_nothing_go_of_which_it_cannot_tell_whether_it_fits(
    budget: str | None, price: str | None, load: Load, answer: Answer
) -> None:
    gate = Gate(Limits(in_flight=8, budget=None if budget is None else Decimal(budget)))
    assert gate.ask(None if price is None else Decimal(price), load) is answer


def most_in_flight(gate: Gate) -> int:
    """How many videos the gate lets be on their way."""
    return next(n for n in range(1000) if gate.ask(None, replace(FREE, rendering=n)) is Answer.WAIT)


def test_not_now_takes_three_tenths_of_what_may_be_in_flight_and_twenty_acceptances_give_one_back() -> None:
    gate = Gate(Limits(in_flight=20))

    bounds = [most_in_flight(gate)]
    for _ in range(3):
        gate.throttled()
        bounds.append(most_in_flight(gate))
    for _ in range(2):
        for _ in range(20):
            gate.accepted()
        bounds.append(most_in_flight(gate))

    assert bounds == [20, 14, 9, 6, 7, 8]


def test_the_bound_never_falls_below_one_nor_rises_above_the_limit() -> None:
    gate = Gate(Limits(in_flight=4))

    for _ in range(50):
        gate.throttled()
    assert most_in_flight(gate) == 1
    for _ in range(500):
        gate.accepted()
    assert most_in_flight(gate) == 4


def test_the_bound_settles_just_below_what_a_provider_bears() -> None:
    gate, bears, refused = Gate(Limits(in_flight=50)), 12, 0
    bounds = []

    for _ in range(4000):  # submits, each with the provider as full as the gate allows
        if most_in_flight(gate) > bears:
            gate.throttled()
            refused += 1
        else:
            gate.accepted()
        bounds.append(most_in_flight(gate))

    settled = bounds[1000:]
    assert min(settled) >= 0.7 * bears - 1
    assert sum(settled) / len(settled) > 0.75 * bears
    assert refused < 0.02 * 4000


def test_a_bound_below_half_is_told_and_that_it_is_back_but_not_at_every_swing() -> None:
    gate = Gate(Limits(in_flight=12))
    places = Places(gate)

    def throttled(now_s: float) -> str:
        gate.throttled()
        return places.news(now_s, "429 too many")

    def accepted(now_s: float, times: int = 20) -> str:
        for _ in range(times):
            gate.accepted()
        return places.news(now_s)

    assert [throttled(now_s) for now_s in (1, 2, 3)] == ["", "5 of 12 places in flight, because of: 429 too many", ""]
    assert gate.narrowed_to == 4
    assert [accepted(now_s) for now_s in (4, 5)] == ["", ""]  # it is back, and was told of just now
    assert throttled(6) == ""
    assert accepted(7, 40) == ""
    assert accepted(2 + EVERY_S, 0) == "6 of 12 places in flight again"
    assert throttled(3 + EVERY_S) == ""
    assert throttled(3 + 2 * EVERY_S) == "3 of 12 places in flight, because of: 429 too many"
