"""Looking at videos that are being rendered: looks may fail, and no look ever loses a video."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import anyio
import pytest

from pipeline.lifecycle import State
from pipeline.policy import watch as policy
from pipeline.policy.breaker import TROUBLES_IN_A_ROW
from pipeline.policy.verdict import Backoff
from pipeline.progress import Notice
from pipeline.runner import watch as lane
from pipeline.runner.watch import LIST_FROM, LOOKERS, PAGE_FAILURES_MAX
from tests.runner.gateway import NOTHING, Answer, Script, Seen, answer, refusal
from tests.runner.night import Night, job, jobs

pytestmark = pytest.mark.anyio


def _listing(night: Night) -> None:
    """A list is promised; thirty videos may be in flight, and none is finished before it was asked for."""
    night.profile = replace(night.profile, lists=True)
    night.limits = replace(night.limits, in_flight=30)
    night.gateway.lists = True
    night.gateway.render_gate = anyio.Event()


def _open_gate(night: Night, when: Callable[[], bool] = lambda: True) -> Script:
    def script(seen: Seen) -> None:
        assert night.gateway.render_gate is not None
        if when():
            night.gateway.render_gate.set()

    return script


async def test_the_list_is_asked_when_several_are_due(night: Night) -> None:
    _listing(night)
    night.gateway.always("list", _open_gate(night))
    outcome = await night.run(jobs(16))
    assert outcome.counts == {State.STORED: 16}
    assert night.gateway.of("list")


async def test_a_list_of_many_pages_is_followed(night: Night) -> None:
    _listing(night)
    night.gateway.page_rows = 12
    night.gateway.always("list", _open_gate(night, lambda: len(night.gateway.book) == 20))
    outcome = await night.run(jobs(20))
    assert outcome.counts == {State.STORED: 20}
    assert any(seen.query.get("after") for seen in night.gateway.of("list"))


async def test_where_there_is_no_list_after_all_each_video_is_asked_for(night: Night) -> None:
    _listing(night)
    night.gateway.lists = False
    night.gateway.always("list", _open_gate(night))
    outcome = await night.run(jobs(16))
    assert outcome.counts == {State.STORED: 16}
    assert 1 <= len(night.gateway.of("list")) <= LOOKERS  # one for each that was on its way already


async def test_a_video_that_the_list_leaves_out_is_asked_for_by_itself(night: Night) -> None:
    _listing(night)

    def empty(seen: Seen) -> Answer:
        assert night.gateway.render_gate is not None
        night.gateway.render_gate.set()
        return answer({"object": "list", "data": [], "has_more": False})

    night.gateway.always("list", empty)
    outcome = await night.run(jobs(16))
    assert outcome.counts == {State.STORED: 16}
    assert night.gateway.of("list")


@pytest.mark.parametrize("trouble", [NOTHING, refusal(500), refusal(502), refusal(429), Answer(body=b"<html>")])
async def test_looks_that_fail_are_repeated_and_fail_no_job(night: Night, trouble: Answer) -> None:
    night.gateway.once("look", *[trouble] * 12)
    outcome = await night.run(jobs(3))
    assert outcome.counts == {State.STORED: 3}
    assert len(night.gateway.book) == 3


async def test_an_unknown_status_word_keeps_the_video_in_flight(night: Night) -> None:
    odd = answer({"id": "video_1", "object": "video", "status": "marinating"})
    night.gateway.once("look", odd, odd, odd)
    outcome = await night.run(jobs(1))
    assert outcome.counts == {State.STORED: 1}
    assert night.facts(job(0)) == ["intent", "accepted", "status", "finished", "stored"]
    assert any("marinating" in str(event) for event in night.events)


async def test_a_video_past_its_deadline_is_stalled_and_the_next_run_looks_again(night: Night) -> None:
    quick = night.profile
    night.profile = replace(quick, pace=replace(quick.pace, deadline_s=0.05))
    night.gateway.looks = 1_000_000
    stalled = await night.run(jobs(2))
    assert stalled.counts == {State.STALLED: 2}
    assert stalled.state.spent == 2 * stalled.outlook.plan.steps[0].price  # type: ignore[operator]

    night.profile, night.gateway.looks = quick, 1
    outcome = await night.run(jobs(2))
    assert outcome.counts == {State.STORED: 2}
    assert len(night.gateway.book) == 2


@pytest.mark.parametrize("trouble", [refusal(429, retry_after="1"), refusal(500)])
async def test_time_in_which_nothing_could_be_learned_is_not_the_videos(night: Night, trouble: Answer) -> None:
    night.profile = replace(night.profile, pace=replace(night.profile.pace, deadline_s=0.5))
    short = Backoff(base_s=0.2, cap_s=0.2)
    night.patience = replace(night.patience, look=short, rest=Backoff(base_s=0.6, cap_s=0.6), outage_s=60.0)
    night.gateway.looks = 2  # so that one is still rendered when it is looked at afterwards
    count = 1 if trouble.status == 429 else TROUBLES_IN_A_ROW + 1
    night.gateway.once("look", *[trouble] * count)
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}


async def test_a_video_of_which_a_400_says_nothing_to_go_by_is_stalled_at_its_deadline(night: Night) -> None:
    night.profile = replace(night.profile, pace=replace(night.profile.pace, deadline_s=0.3))
    night.patience = replace(night.patience, look=Backoff(base_s=60.0, cap_s=60.0))  # nobody waits so long
    night.gateway.always("look", refusal(400, message="as it is"))
    outcome = await night.run(jobs(2))
    assert (outcome.counts, outcome.stopped) == ({State.STALLED: 2}, "")
    assert (night.of(job(0)).reason, night.urgent) == ("400 as it is", [])
    assert len(night.gateway.of("look")) > 2 * TROUBLES_IN_A_ROW


@pytest.mark.parametrize(
    "seen",
    [refusal(422, message="as it is"), refusal(404), refusal(410), answer({"id": "v", "hello": "world"})],
    ids=["unclear", "unknown id", "gone", "no word"],
)
async def test_nothing_more_is_bought_while_nothing_that_is_bought_can_be_seen(night: Night, seen: Answer) -> None:
    night.profile = replace(night.profile, pace=replace(night.profile.pace, deadline_s=0.2))
    night.limits = replace(night.limits, in_flight=2)
    night.gateway.always("look", seen)
    outcome = await night.run(jobs(12))
    assert "2 videos in a row given up, and no look told of any" in outcome.stopped
    assert len(night.gateway.book) <= 4
    assert sum(outcome.counts.get(state, 0) for state in (State.STALLED, State.LOST)) == len(night.gateway.book)


async def test_two_broken_videos_among_others_end_no_night(night: Night) -> None:
    """Their deadlines fall together, so that no look at another lies between."""
    night.profile = replace(night.profile, pace=replace(night.profile.pace, deadline_s=0.6))
    night.limits = replace(night.limits, in_flight=4)
    night.gateway.looks = 3

    def broken(seen: Seen) -> Answer | None:
        return refusal(422, message="as it is") if seen.video_id in ("video_2", "video_3") else None

    night.gateway.always("look", broken)

    outcome = await night.run(jobs(16))

    assert (outcome.counts, outcome.stopped) == ({State.STALLED: 2, State.STORED: 14}, "")


async def test_who_is_told_to_wait_again_and_again_does_not_watch_for_ever(night: Night) -> None:
    night.profile = replace(night.profile, pace=replace(night.profile.pace, deadline_s=0.2))
    night.patience = replace(night.patience, outage_s=0.5)
    night.gateway.looks = 1_000_000
    waits: list[Script] = [refusal(429, retry_after="1"), lambda seen: None]  # noqa: ARG005
    night.gateway.once("look", *waits * 50)
    assert (await night.run(jobs(1))).counts == {State.STALLED: 1}
    assert len(night.gateway.of("look")) < 10


@pytest.mark.parametrize(
    "page",
    [*map(refusal, (400, 500, 429, 404, 403, 410)), NOTHING, Answer(body=b"<html>")],
    ids=["400", "500", "429", "404", "403", "410", "reset", "html"],
)
async def test_a_list_that_never_comes_keeps_no_video_from_being_looked_at(night: Night, page: Answer) -> None:
    _listing(night)
    night.gateway.always("list", page)
    night.gateway.always("look", _open_gate(night, lambda: bool(night.gateway.of("list"))))
    outcome = await night.run(jobs(12))
    assert outcome.counts == {State.STORED: 12}
    assert 1 <= len(night.gateway.of("list")) <= LOOKERS + PAGE_FAILURES_MAX
    assert any("asking for each video by itself" in str(event) for event in night.events)


async def test_a_list_that_comes_back_is_asked_again(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "LIST_REST_S", 0.05)
    _listing(night)
    night.gateway.once("list", *[refusal(500)] * (PAGE_FAILURES_MAX + LOOKERS))
    answered = PAGE_FAILURES_MAX + LOOKERS + 2
    night.gateway.always("list", _open_gate(night, lambda: len(night.gateway.of("list")) >= answered))
    assert (await night.run(jobs(12))).counts == {State.STORED: 12}
    assert len(night.gateway.of("list")) >= answered


async def test_a_list_of_which_the_second_page_never_comes_keeps_no_video_from_being_looked_at(night: Night) -> None:
    _listing(night)
    night.gateway.page_rows = 12
    night.gateway.always("list", lambda seen: refusal(500) if seen.query.get("after") else None)
    night.gateway.always("look", _open_gate(night, lambda: len(night.gateway.book) == 20))
    assert (await night.run(jobs(20))).counts == {State.STORED: 20}
    assert any(seen.query.get("after") for seen in night.gateway.of("list"))


@pytest.mark.parametrize("word", ["failed", "cancelled"])
async def test_a_video_that_failed_says_why_and_is_not_bought_again(night: Night, word: str) -> None:
    failed = {"id": "video_1", "object": "video", "status": word, "error": {"code": "moderation", "message": "a face"}}
    night.gateway.once("look", answer(failed))
    for _ in range(2):
        outcome = await night.run(jobs(2))
        assert outcome.counts == {State.FAILED: 1, State.STORED: 1}
    assert len(night.gateway.book) == 2
    assert outcome.state.jobs[job(0).key].reason == "moderation: a face"


async def test_an_id_that_stays_unknown_is_lost_but_not_at_once(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "LOST_GRACE_S", 0.02)
    night.profile = replace(night.profile, retention_s=0.02)
    night.gateway.always("look", _forgets("video_1"))
    outcome = await night.run(jobs(2))
    assert outcome.counts == {State.LOST: 1, State.STORED: 1}
    assert len([seen for seen in night.gateway.of("look") if seen.video_id == "video_1"]) >= policy.LOST_TRIES


async def test_what_should_still_be_kept_is_not_lost_because_an_account_does_not_know_it(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key of another account, a database that was restored: a later run with the right key finds it."""
    monkeypatch.setattr(policy, "LOST_GRACE_S", 0.02)
    night.gateway.always("look", _forgets("video_1"))
    assert (await night.run(jobs(2))).counts == {State.STALLED: 1, State.STORED: 1}
    assert "does not know its id" in (night.state.jobs[job(0).key].reason or "")
    night.gateway.behave()
    assert (await night.run(jobs(2))).counts == {State.STORED: 2}
    assert len(night.gateway.book) == 2


def _forgets(video_id: str) -> Script:
    def script(seen: Seen) -> Answer | None:
        return refusal(404, message="not found") if seen.video_id == video_id else None

    return script


async def test_patience_asked_by_the_list_is_shown_to_every_video(night: Night) -> None:
    _listing(night)
    asked: list[float] = []

    def throttle(seen: Seen) -> Answer | None:
        if asked:
            return None
        asked.append(seen.at_s)
        assert night.gateway.render_gate is not None
        night.gateway.render_gate.set()
        return refusal(429, retry_after="1")

    night.gateway.always("list", throttle)
    outcome = await night.run(jobs(6))
    assert outcome.counts == {State.STORED: 6}
    assert asked
    impatient = [s for s in night.gateway.seen if s.kind in ("look", "list") and asked[0] < s.at_s < asked[0] + 0.9]
    assert len(impatient) <= 6 - LIST_FROM  # as many looks may have been on their way


async def test_what_an_earlier_run_bought_teaches_nothing_about_render_times(night: Night) -> None:
    night.gateway.render_gate = anyio.Event()
    async with anyio.create_task_group() as first_run:
        first_run.start_soon(night.run, jobs(8))
        while len(night.gateway.book) < 8 or not night.gateway.of("look"):
            await anyio.sleep(0.005)
        first_run.cancel_scope.cancel()
    night.gateway.render_gate.set()
    await night.run((*jobs(8), job(8)))
    assert night.boards[-1].renders.typical_s(otherwise=-1.0) == -1.0
    assert night.of(job(8)).state is State.STORED


async def test_an_unknown_id_is_said_at_the_first_look(night: Night) -> None:
    night.gateway.once("look", refusal(404, message="unknown id"))
    await night.run(jobs(1))
    said = [event.message for event in night.events if isinstance(event, Notice)]
    assert any("does not know its id" in message for message in said)


async def test_a_key_refused_while_looking_stops_the_run_and_keeps_the_ids(night: Night) -> None:
    night.gateway.always("look", refusal(401, "invalid_api_key"))
    outcome = await night.run(jobs(3))
    assert outcome.stopped
    assert State.STORED not in outcome.counts
    night.gateway.behave()
    assert (await night.run(jobs(3))).counts == {State.STORED: 3}
    assert len(night.gateway.book) == 3


async def test_a_video_is_never_asked_for_by_an_id_of_a_later_answer(night: Night) -> None:
    night.gateway.looks = 3
    night.gateway.once("look", answer({"id": "other", "object": "video", "status": "in_progress"}))
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert {seen.video_id for seen in night.gateway.seen} == {"", "video_1"}


async def test_a_provider_that_stays_silent_is_said_in_red(night: Night) -> None:
    night.gateway.once("look", *[NOTHING] * TROUBLES_IN_A_ROW)
    outcome = await night.run(jobs(1))
    assert outcome.counts == {State.STORED: 1}
    [opened, closed] = night.urgent
    assert opened.startswith("nobody answers at ")
    assert closed.startswith("somebody answers again")
