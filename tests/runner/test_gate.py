"""The gate in front of every submit: numbers in, an answer out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from pipeline.model import Limits
from pipeline.runner.lanes import Answer, Gate, Load


def test_money_set_aside_for_an_open_submit_is_waited_for() -> None:
    gate = Gate(Limits(in_flight=8, submit_slots=4, budget=Decimal(3)))
    gate.accepted()
    gate.accepted()
    load = Load(open_posts=1, rendering=2, backlog=0, spent=Decimal("2.40"))

    assert gate.ask(Decimal("0.80"), load, now_s=0.0)[0] is Answer.WAIT
    assert gate.ask(Decimal("0.80"), replace(load, open_posts=0), now_s=0.0)[0] is Answer.NO_MONEY
    assert gate.ask(Decimal("0.60"), load, now_s=0.0)[0] is Answer.GO


def test_one_canary_goes_first_then_twice_as_many_with_every_acceptance() -> None:
    gate = Gate(Limits(in_flight=99, submit_slots=8))

    slots = [gate.slots]
    for _ in range(4):
        gate.accepted()
        slots.append(gate.slots)
    gate.unreachable()

    assert slots == [1, 2, 4, 8, 8]
    assert gate.slots == 1
