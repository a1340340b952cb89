"""The table of states: what may follow what, and what is final."""

from __future__ import annotations

from itertools import product

import pytest

from pipeline.lifecycle import (
    AFTER,
    BY_CONSENT,
    ENDED_WITHOUT_VIDEO,
    FINAL,
    Fact,
    ImpossibleFact,
    State,
    after,
)

MAYBE_PAID = frozenset(State) - {State.PENDING, State.REJECTED, State.BLOCKED, State.DROPPED}
"""Whose latest attempt was or may have been accepted."""
LEGAL = sorted(AFTER)
ILLEGAL = sorted(set(product(State, Fact)) - AFTER.keys())


@pytest.mark.parametrize(("state", "fact"), LEGAL)
def test_a_fact_in_the_table_leads_where_the_table_says(state: State, fact: Fact) -> None:
    assert after(state, fact) is AFTER[state, fact]


@pytest.mark.parametrize(("state", "fact"), ILLEGAL)
def test_a_fact_that_cannot_be_is_refused(state: State, fact: Fact) -> None:
    with pytest.raises(ImpossibleFact, match=f"'{fact}' cannot follow '{state}'"):
        after(state, fact)


def test_what_is_final_is_as_documented() -> None:
    ended = {State.REJECTED, State.FAILED, State.EXPIRED, State.LOST, State.DROPPED}
    assert ended == ENDED_WITHOUT_VIDEO
    assert ended | {State.STORED} == FINAL


def test_every_state_can_be_reached() -> None:
    reached = {State.PENDING}
    while new := {after for (state, _), after in AFTER.items() if state in reached} - reached:
        reached |= new
    assert reached == set(State)


def test_every_fact_can_happen() -> None:
    assert {fact for _, fact in AFTER} == set(Fact)


def test_nothing_that_may_be_paid_becomes_pending_without_consent_or_proof() -> None:
    back = {(state, fact) for (state, fact), then in AFTER.items() if then is State.PENDING and state in MAYBE_PAID}

    proofs = {Fact.NOT_SENT, Fact.THROTTLED, Fact.TURNED_AWAY, Fact.NOT_CREATED}
    assert {fact for _, fact in back} <= proofs | BY_CONSENT


def test_a_submit_needs_an_intent_before_it() -> None:
    assert {state for (state, _), then in AFTER.items() if then is State.SUBMITTING} == {State.PENDING}
