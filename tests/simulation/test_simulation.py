"""T3: whole nights in virtual time, in any order of lost answers, deaths, waits and words."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.chains import WAITS, Ready, Source, Standing, standing
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.settle import cut_off
from pipeline.lifecycle import Fact
from pipeline.policy import collect, watch
from pipeline.policy.submit import after_submit
from pipeline.policy.verdict import Verdict
from pipeline.providers.base import Observation
from pipeline.runner import submit as submit_lane
from pipeline.runner import turns
from pipeline.settling import fit, match
from pipeline.settling.absence import Objection, objection
from pipeline.settling.fit import Case, Fit
from tests.simulation.play import play

ROOT = Path(__file__).parents[2]
PARTS, OF_A_PART = 4, 90


@pytest.mark.parametrize("part", range(PARTS))
def test_no_order_of_events_breaks_a_promise(part: int) -> None:
    seed = random.SystemRandom().randrange(1 << 32)

    played = play(OF_A_PART, seed)

    again = f"python -m tests.soak simulation --size {OF_A_PART} --seed {seed}"
    assert not played.failure, f"{played.words}\nplay it again: {again}"
    assert played.tally.figures["sequences"] >= OF_A_PART


def test_one_seed_plays_one_history_in_any_process() -> None:
    script = (
        "import sys; from tests.simulation.play import play; sys.stdout.write('\\n'.join(play(3, 7).tally.digests))"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )

    here, other = play(3, 7).tally.digests, play(3, 8).tally.digests

    assert here == elsewhere.stdout.splitlines()
    assert here != other


Break = Callable[[pytest.MonkeyPatch], None]


def repeat_what_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(*outcome: Any, **situation: Any) -> Verdict:
        verdict = after_submit(*outcome, **situation)
        return replace(verdict, fact=Fact.NOT_SENT) if verdict.fact is Fact.UNCERTAIN else verdict

    monkeypatch.setattr(submit_lane, "after_submit", hasty)


def post_before_the_intent_is_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    commit = Ledger.commit

    async def lazy(ledger: Ledger) -> None:
        if not cut_off(ledger.state):
            await commit(ledger)

    monkeypatch.setattr(Ledger, "commit", lazy)


def take_a_crash_for_nothing_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(ledger: Ledger) -> None:
        for attempt in cut_off(ledger.state):
            ledger.record(Fact.NOT_SENT, attempt.job, attempt=attempt.attempt, reason="the run ended")
        ledger.commit_now()

    monkeypatch.setattr(Ledger, "settle_crash", careless)


def take_any_row_for_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "fit_of", lambda *_: Fit.SURE)


def take_another_echo_for_anothers(monkeypatch: pytest.MonkeyPatch) -> None:
    def trusting(case: Case, unclaimed: Iterable[Observation], **known: Any) -> Objection | None:
        rows = [row for row in unclaimed if case.fits.get(row.video_id) is not Fit.NO]
        return objection(case, rows, **known)

    monkeypatch.setattr(match, "objection", trusting)


def believe_a_missing_id_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOST_TRIES", 1)
    monkeypatch.setattr(watch, "LOST_GRACE_S", 0.0)


def believe_missing_content_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "NO_CONTENT_TRIES", 1)


def build_on_what_is_not_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(source: Source, **_: Any) -> Standing:
        return Ready(video_id=source.video_id, until=None) if source.video_id else WAITS

    monkeypatch.setattr(turns, "standing", hasty)


def build_on_whatever_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(source: Source, **situation: Any) -> Standing:
        found = standing(source, **situation)
        return replace(found, video_id="video_1") if isinstance(found, Ready) else found  # somebody else's

    monkeypatch.setattr(turns, "standing", careless)


BREAKS: Mapping[Break, tuple[int, str]] = {
    repeat_what_is_unknown: (1, "were paid for|allowed"),
    post_before_the_intent_is_durable: (7, "were paid for|allowed"),
    take_a_crash_for_nothing_sent: (1, "were paid for|allowed|can be settled so"),
    take_any_row_for_ours: (7, "which it never bought"),
    take_another_echo_for_anothers: (23, "were paid for|allowed"),
    believe_a_missing_id_at_once: (10, "the provider has it|its time is not up"),
    believe_missing_content_at_once: (3, "the provider still has it|still finished"),
    build_on_what_is_not_finished: (7, "was asked for, which was not finished"),
    build_on_whatever_is_there: (7, "was made from video_1|was asked for, which was not finished"),
}
"""What is done to the product; a seed with which it is found soon, and what is found then."""


@pytest.mark.parametrize("breaks", BREAKS, ids=lambda breaks: breaks.__name__)
def test_a_product_that_breaks_a_promise_is_found_out(breaks: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    breaks(monkeypatch)

    seed, words = BREAKS[breaks]
    played = play(200, seed, shrinks=False)

    assert re.search(words, str(played.failure)), played.words
