"""The bounds: measured at the provider, not at the runner."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import anyio
import pytest

from pipeline.errors import UsageError
from pipeline.lifecycle import State
from pipeline.limits import LimitsWish
from pipeline.progress import Notice
from pipeline.runner import lanes
from tests.runner.gateway import Answer, Seen, answer, refusal
from tests.runner.night import Night, job, jobs

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("in_flight", [1, 3, 7])
async def test_no_more_videos_are_rendered_at_once_than_allowed(night: Night, in_flight: int) -> None:
    night.limits = replace(night.limits, in_flight=in_flight)
    night.gateway.render_gate = gate = anyio.Event()

    def open_when_full(seen: Seen) -> None:
        if len(night.gateway.book) == in_flight:
            gate.set()

    night.gateway.always("look", open_when_full)
    outcome = await night.run(jobs(20))
    assert outcome.counts == {State.STORED: 20}
    assert night.gateway.rendering_max == in_flight


async def test_no_more_posts_are_open_at_once_than_there_are_slots(night: Night) -> None:
    night.limits = replace(night.limits, in_flight=30, submit_slots=3)
    crowd = anyio.Event()
    night.gateway.always("submit", lambda seen: _held(night, seen, crowd))
    await night.run(jobs(30))
    assert night.gateway.open_posts_max == 3


def _held(night: Night, seen: Seen, crowd: anyio.Event) -> Answer | None:
    """The first three are answered at once, till all slots are open; then nobody is until three more wait."""
    posts = len(night.gateway.of("submit"))
    if posts >= 6:
        crowd.set()
    return None if posts <= 3 or crowd.is_set() else replace(answer(night.gateway.sell(seen)), hold=crowd)


async def test_one_canary_goes_alone_until_something_was_accepted(night: Night) -> None:
    night.limits = replace(night.limits, in_flight=30, submit_slots=4)
    first = anyio.Event()
    night.gateway.once("submit", lambda seen: replace(answer(night.gateway.sell(seen)), hold=first))

    async def let_go() -> None:
        while not night.gateway.of("submit"):
            await anyio.sleep(0.001)
        await anyio.wait_all_tasks_blocked()  # whoever wanted to send has
        assert len(night.gateway.of("submit")) == 1
        first.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(let_go)
        outcome = await night.run(jobs(6))
    assert outcome.counts == {State.STORED: 6}


async def test_not_now_to_several_submits_at_once_makes_room_smaller_once(night: Night) -> None:
    together = anyio.Event()

    def crowd(seen: Seen) -> Answer | None:
        posts = len(night.gateway.of("submit"))
        if posts == 7:
            together.set()
        return replace(refusal(429, retry_after="1"), hold=together) if 4 <= posts <= 7 else None

    night.gateway.always("submit", crowd)
    outcome = await night.run(jobs(8))
    assert outcome.counts == {State.STORED: 8}
    assert night.boards[-1].gate.window == pytest.approx(0.7 * 8 + 5 / 20)  # five were accepted after it


async def test_a_provider_that_renders_two_at_once_is_soon_asked_for_no_more(night: Night) -> None:
    night.gateway.looks = 3
    full = refusal(429, "429", "Too many running tasks")

    def busy(_: Seen) -> Answer | None:
        return full if sum(not sold.finished for sold in night.gateway.book.values()) == 2 else None

    night.gateway.always("submit", busy)
    outcome = await night.run(jobs(16))
    assert outcome.counts == {State.STORED: 16}
    assert night.gateway.rendering_max == 2
    assert len(night.gateway.of("submit")) - 16 < 12  # from 8 down to 2 in three pauses, of up to four submits each
    assert 2.0 <= night.boards[-1].gate.window < 3.5
    assert outcome.narrowed_to == int(night.boards[-1].gate.window)
    [narrow] = [event for event in night.events if isinstance(event, Notice) and " places" in event.message]
    words = "3 of 8 places in flight, because of: 429 429: Too many running tasks"
    assert (narrow.message, narrow.urgent) == (words, False)


async def test_submits_keep_the_rate(night: Night) -> None:
    night.limits = replace(night.limits, submits_per_minute=1200.0, in_flight=30)  # one in 50 ms
    await night.run(jobs(9))
    times = [seen.at_s for seen in night.gateway.of("submit")]
    assert times[-1] - times[0] >= 7 * 0.050  # eight spaces, one of them forgiven for a late first arrival


async def test_a_budget_is_never_passed_and_what_it_bought_comes_home(night: Night) -> None:
    night.limits = LimitsWish(in_flight=8, submits_per_minute=60_000.0, submit_slots=4, budget=Decimal("1.25"))
    outcome = await night.run(jobs(10))  # 0.40 each
    assert len(night.gateway.book) == 3
    assert outcome.state.spent == Decimal("1.20")
    assert outcome.counts == {State.STORED: 3, State.PENDING: 7}
    assert "1.25" in outcome.stopped


async def test_a_budget_counts_what_earlier_runs_spent(night: Night) -> None:
    night.limits = replace(night.limits, budget=Decimal("1.25"))
    await night.run(jobs(10))
    again = await night.run(jobs(10))
    assert len(night.gateway.book) == 3
    assert again.stopped
    night.limits = replace(night.limits, budget=Decimal("4.00"))
    assert (await night.run(jobs(10))).counts == {State.STORED: 10}


async def test_what_was_spent_keeps_the_price_it_was_spent_at(night: Night) -> None:
    await night.run(jobs(1))
    offer = replace(night.profile.models["sora-2"], price_per_second={"*": Decimal("0.20")})
    night.profile = replace(night.profile, models={"*": offer})
    assert (await night.run(jobs(2))).state.spent == Decimal("1.20")
    records = [json.loads(line) for line in (night.folder / "ledger.jsonl").read_text("ascii").splitlines()]
    prices = {(record["t"], record["job"], record["price"]) for record in records if record["t"] in ("plan", "intent")}
    assert prices >= {(kind, job(n).key, price) for kind in ("plan", "intent") for n, price in ((0, 0.4), (1, 0.8))}


async def test_a_submit_of_unknown_outcome_counts_as_spent(night: Night) -> None:
    night.limits = replace(night.limits, budget=Decimal("0.80"))
    night.gateway.once("submit", Answer(cut_at=0))
    outcome = await night.run(jobs(4))
    assert outcome.counts == {State.UNCERTAIN: 1, State.STORED: 1, State.PENDING: 2}


async def test_a_budget_without_a_price_is_refused_before_anything_is_sent(night: Night) -> None:
    night.profile = replace(night.profile, models={})
    night.limits = replace(night.limits, budget=Decimal(1))
    with pytest.raises(UsageError, match="price"):
        await night.run(jobs(1))
    assert night.gateway.seen == []
    assert not night.folder.exists()


async def test_a_full_download_backlog_pauses_submits(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "BACKLOG_MAX", 8)
    night.limits = replace(night.limits, downloads=1, in_flight=100)
    night.gateway.done_at_once = True
    stuck = anyio.Event()
    night.gateway.always("content", lambda seen: replace(night.gateway.content(seen), hold=stuck))

    async def unstick() -> None:
        while len(night.gateway.book) < 8:
            await anyio.sleep(0.001)
        await anyio.wait_all_tasks_blocked()
        assert len(night.gateway.book) < 16
        stuck.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(unstick)
        outcome = await night.run(jobs(40))
    assert outcome.counts == {State.STORED: 40}
