"""What a POST can come to, and that it is never paid for twice."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from pipeline.ledger.resolve import resolve, unknowns
from pipeline.lifecycle import Fact, State
from pipeline.policy import submit as policy
from pipeline.progress import Moved
from tests.runner.gateway import NOTHING, Answer, Seen, answer, refusal
from tests.runner.night import Night, job, jobs

pytestmark = pytest.mark.anyio


async def test_a_refused_key_stops_the_run_and_the_next_one_goes_on(night: Night) -> None:
    night.gateway.always("submit", refusal(401, "invalid_api_key", "Incorrect API key provided."))
    outcome = await night.run(jobs(5))
    assert len(night.gateway.seen) == 1
    assert outcome.counts == {State.PENDING: 5}
    assert "Incorrect API key" in outcome.stopped
    assert outcome.state.spent == 0

    night.gateway.behave()
    assert (await night.run(jobs(5))).counts == {State.STORED: 5}


async def test_a_key_refused_in_the_middle_sends_nothing_more_and_loses_nothing(night: Night) -> None:
    night.gateway.once("submit", *[lambda seen: None] * 3)  # noqa: ARG005
    night.gateway.always("submit", refusal(403, "", "forbidden"))
    night.limits = replace(night.limits, submit_slots=1)
    outcome = await night.run(jobs(6))
    assert len(night.gateway.of("submit")) == 4
    assert outcome.stopped

    night.gateway.behave()
    assert (await night.run(jobs(6))).counts == {State.STORED: 6}
    assert sorted(night.gateway.prompts_sold) == sorted(one.prompt for one in jobs(6))


@pytest.mark.parametrize("status", [402, 429, 403, 400])
async def test_a_used_up_balance_stops_submits_and_brings_home_what_was_bought(night: Night, status: int) -> None:
    night.gateway.once("submit", *[lambda seen: None] * 2)  # noqa: ARG005
    night.gateway.always("submit", refusal(status, "insufficient_quota", "You exceeded your quota."))
    night.limits = replace(night.limits, submit_slots=1)
    outcome = await night.run(jobs(6))
    assert outcome.counts == {State.STORED: 2, State.PENDING: 4}
    assert "quota" in outcome.stopped
    assert len(night.gateway.of("submit")) == 3


async def test_retry_after_pauses_the_lane_and_is_not_paid_for(night: Night) -> None:
    night.gateway.once("submit", refusal(429, "rate_limit_exceeded", "slow down", retry_after="0.3"))
    outcome = await night.run(jobs(3))
    posts = night.gateway.of("submit")
    assert outcome.counts == {State.STORED: 3}
    assert len(posts) == 4
    assert posts[1].at_s - posts[0].at_s >= 0.3
    assert outcome.state.jobs[job(0).key].submits == 1
    assert night.facts(job(0))[:3] == ["intent", "throttled", "intent"]
    assert outcome.state.spent == 3 * outcome.outlook.plan.steps[0].price  # type: ignore[operator]


@pytest.mark.parametrize(
    "bad",
    [
        NOTHING,
        Answer(status=200, body=b'{"id": "video_1", "object": "video"}', cut_at=60),
        answer({"object": "video", "status": "queued"}),
        Answer(status=200, body=b"<html>welcome</html>"),
        Answer(status=200, body=b"x" * (1 << 21)),
        refusal(500),
        refusal(502),
        refusal(504),
        refusal(503),
        refusal(408),
        refusal(409),
        refusal(524),
    ],
    ids=["no answer", "cut", "no id", "html", "endless", "500", "502", "504", "503", "408", "409", "524"],
)
async def test_an_answer_that_leaves_doubt_is_uncertain_and_never_sent_again(night: Night, bad: Answer) -> None:
    night.gateway.once("submit", bad)
    first = await night.run(jobs(3))
    again = await night.run(jobs(3))
    assert first.counts == again.counts == {State.UNCERTAIN: 1, State.STORED: 2}
    assert len(night.gateway.of("submit")) == 3
    [doubt] = unknowns(night.state)
    assert doubt.id == "job-0"
    assert doubt.price == first.outlook.plan.steps[0].price
    assert doubt.reason
    assert any("job-0" in words and "resolve" in words for words in night.urgent)


async def test_a_person_may_allow_an_uncertain_submit_again_and_then_it_is_sent_once(night: Night) -> None:
    night.gateway.once("submit", NOTHING)
    await night.run(jobs(2))
    resolve(night.folder, ["job-0"], Fact.RESUBMIT)
    outcome = await night.run(jobs(2))
    assert outcome.counts == {State.STORED: 2}
    assert len(night.gateway.of("submit")) == 3
    assert outcome.state.jobs[job(0).key].submits == 2


async def test_an_adopted_video_is_brought_home_without_another_post(night: Night) -> None:
    def sell_and_drop(seen: Seen) -> Answer:
        night.gateway.sell(seen)
        return NOTHING

    night.gateway.once("submit", sell_and_drop)
    await night.run(jobs(1))
    resolve(night.folder, ["job-0"], Fact.ADOPTED, video_id="video_1")
    outcome = await night.run(jobs(1))
    assert outcome.counts == {State.STORED: 1}
    assert len(night.gateway.of("submit")) == 1


async def test_many_unknown_outcomes_in_a_row_stop_submits(night: Night) -> None:
    night.gateway.always("submit", NOTHING)
    night.limits = replace(night.limits, submit_slots=1)
    outcome = await night.run(jobs(20))
    assert len(night.gateway.of("submit")) == policy.UNCERTAIN_IN_A_ROW
    assert outcome.counts == {State.UNCERTAIN: 5, State.PENDING: 15}
    assert outcome.stopped


async def test_rejections_from_the_start_stop_submits(night: Night) -> None:
    night.gateway.always("submit", refusal(400, "invalid_value", "seconds must be 4, 8 or 12"))
    outcome = await night.run(jobs(20))
    assert len(night.gateway.of("submit")) == policy.REJECTED_AT_START
    assert outcome.counts == {State.REJECTED: 5, State.PENDING: 15}
    assert "seconds must be" in outcome.stopped


async def test_a_rejected_prompt_costs_nothing_and_the_rest_goes_on(night: Night) -> None:
    night.gateway.once("submit", refusal(400, "moderation_blocked", "not this"))
    outcome = await night.run(jobs(7))
    assert outcome.counts == {State.REJECTED: 1, State.STORED: 6}
    assert outcome.state.jobs[job(0).key].reason == "400 moderation_blocked: not this"
    assert outcome.state.jobs[job(0).key].submits == 0


async def test_a_dead_port_is_tried_a_few_times_and_costs_nothing(night: Night) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    night.base_url = f"http://127.0.0.1:{port}/v1"
    outcome = await night.run(jobs(3))
    assert outcome.counts == {State.PENDING: 3}
    assert outcome.state.spent == 0
    assert night.facts(job(0)) == ["intent", "not_sent"] * policy.UNREACHABLE_AT_START
    assert "cannot connect" in outcome.stopped
    assert outcome.stopped.startswith(f"{night.base_url}: ")


async def test_a_wrong_address_is_noticed_at_the_first_submit(night: Night) -> None:
    night.gateway.always("submit", refusal(404, "", "no such route"))
    outcome = await night.run(jobs(3))
    assert len(night.gateway.of("submit")) == 1
    assert outcome.counts == {State.PENDING: 3}
    assert "wrong address or model" in outcome.stopped


async def test_submits_that_wait_for_their_turn_heed_a_pause_too(night: Night) -> None:
    night.limits = replace(night.limits, submits_per_minute=1200.0)  # one in 50 ms
    throttled: list[float] = []

    def throttle(seen: Seen) -> Answer | None:
        if len(night.gateway.of("submit")) == 3:
            throttled.append(seen.at_s)
            return refusal(429, retry_after="1")
        return None

    night.gateway.always("submit", throttle)
    outcome = await night.run(jobs(8))
    assert outcome.counts == {State.STORED: 8}
    since_s = sorted(seen.at_s - throttled[0] for seen in night.gateway.of("submit"))
    assert len([s for s in since_s if 0.0 < s < 0.9]) <= 3  # the other slots: these may have been on their way


async def test_an_id_that_no_server_would_give_is_no_receipt(night: Night) -> None:
    night.gateway.once("submit", answer({"id": "\u00e9" * 100_000, "object": "video", "status": "queued"}))
    outcome = await night.run(jobs(2))
    assert outcome.counts == {State.UNCERTAIN: 1, State.STORED: 1}


async def test_one_id_for_two_jobs_is_said_at_once(night: Night) -> None:
    night.gateway.once("submit", answer({"id": "video_x", "status": "failed"}), answer({"id": "video_x"}))
    night.gateway.always("look", answer({"id": "video_x", "status": "failed"}))
    await night.run(jobs(2))
    assert any("job-0" in said and "job-1" in said and "same id" in said for said in night.urgent)


async def test_an_observer_that_raises_never_comes_between_an_intent_and_its_post(night: Night) -> None:
    def broken(event: object) -> None:
        if isinstance(event, Moved) and event.state is State.SUBMITTING:
            raise RuntimeError("an observer's own trouble")

    outcome = await night.run(jobs(3), observer=broken)
    assert outcome.counts == {State.STORED: 3}
    assert len(night.gateway.book) == 3


async def test_a_redirect_is_not_followed_and_stops_the_run(night: Night) -> None:
    night.gateway.always("submit", Answer(status=307, headers={"location": f"{night.base_url}/videos"}))
    outcome = await night.run(jobs(3))
    assert len(night.gateway.seen) == 1
    assert outcome.counts == {State.PENDING: 3}
    assert outcome.stopped


async def test_the_key_is_never_in_the_ledger_even_when_the_provider_repeats_it(night: Night) -> None:
    night.profile = replace(night.profile, key_default="sk-secret-0123456789")
    night.gateway.once("submit", refusal(400, "", "your key sk-secret-0123456789 may not do this"))
    await night.run(jobs(2))
    assert night.gateway.of("submit")[0].headers["authorization"] == "Bearer sk-secret-0123456789"
    written = [path.read_bytes() for path in night.folder.rglob("*") if path.is_file()]
    assert not any(b"sk-secret" in content for content in written)
