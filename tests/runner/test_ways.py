"""What is given up for a run: a way to make one video from another, a model, and a source that is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import anyio
import pytest

from pipeline.lifecycle import State
from pipeline.model import Link
from pipeline.policy.submit import NO_CHANNEL_AT_START, REJECTED_AT_START
from pipeline.prepare import Choice
from pipeline.progress import Event, Moved, Notice
from tests.runner.gateway import NOTHING, Answer, Seen, refusal
from tests.runner.night import Night, built_on, job

pytestmark = pytest.mark.anyio

GONE = refusal(400, "task_not_exist", "task_not_exist")
NO_WAY = refusal(404, message="Invalid URL (POST /v1/videos/video_1/remix)")


def refusing_remixes(night: Night, given: Answer) -> None:
    night.limits = replace(night.limits, submit_slots=1)
    night.gateway.always("submit", lambda seen: given if seen.video_id and b'"video"' not in seen.body else None)


@pytest.mark.parametrize("given", [GONE, NO_WAY])
async def test_where_no_remix_is_ever_accepted_the_others_stay_pending_and_what_stands_alone_goes_on(
    night: Night, given: Answer
) -> None:
    root, alone, extension = job(0), job(20), built_on(job(0), 21, link=Link.EXTEND)
    remixes = tuple(built_on(root, n) for n in range(REJECTED_AT_START + 1))
    last = built_on(remixes[-1], 22)
    await night.run((root,))
    refusing_remixes(night, given)
    outcome = await night.run((root, *remixes, extension, last, alone))
    assert outcome.counts == {State.STORED: 3, State.REJECTED: REJECTED_AT_START - 1, State.PENDING: 3}
    assert "no more remixes" in outcome.stopped
    assert f"{REJECTED_AT_START} in a row" in outcome.stopped
    assert len(night.gateway.of("submit")) == 3 + REJECTED_AT_START
    night.gateway.behave()
    outcome = await night.run((root, *remixes, extension, last, alone))
    assert outcome.counts == {State.STORED: 6, State.REJECTED: REJECTED_AT_START - 1}
    assert not outcome.stopped


async def test_what_a_gateway_cannot_make_at_all_is_asked_for_once(night: Night) -> None:
    root = job(0)
    refusing_remixes(night, refusal(405))
    outcome = await night.run((root, built_on(root, 1), built_on(root, 2), job(3)))
    assert outcome.counts == {State.STORED: 2, State.PENDING: 2}
    assert "no more remixes" in outcome.stopped
    assert len([seen for seen in night.gateway.of("submit") if seen.video_id]) == 1


OTHER = "sora-9"
NO_MODEL = refusal(404, "model_not_found", "The model `sora-9` does not exist.")
NO_CHANNEL = refusal(503, "model_not_found", "No available channel for model sora-9")


def of_other(night: Night) -> list[Seen]:
    """The submits of the other model."""
    return [seen for seen in night.gateway.of("submit") if OTHER.encode() in seen.body]


@pytest.mark.parametrize(("given", "posts"), [(NO_MODEL, 1), (NO_CHANNEL, NO_CHANNEL_AT_START)])
async def test_a_model_that_is_not_to_be_had_is_given_up_and_the_others_go_on(
    night: Night, given: Answer, posts: int
) -> None:
    night.limits = replace(night.limits, submit_slots=1)
    others = tuple(replace(job(n), model=OTHER) for n in range(3))
    wanted = (*others, built_on(others[0], 7), job(8), job(9))
    night.gateway.always("submit", lambda seen: given if OTHER.encode() in seen.body else None)

    outcome = await night.run(wanted)

    assert outcome.counts == {State.STORED: 2, State.PENDING: 4}
    assert len(of_other(night)) == posts
    assert night.boards[-1].gate.window == night.boards[-1].limits.in_flight  # it was not said of how many there are
    [said] = [words for words in night.urgent if words.startswith(f"no more of {OTHER}: {night.base_url}: ")]
    assert "is its name right, and may this key use it?" in said
    assert "3 jobs not submitted, job-" in outcome.stopped
    assert said in outcome.stopped
    night.gateway.behave()
    assert (await night.run(wanted)).counts == {State.STORED: 6}


async def test_what_waits_for_its_place_in_the_rate_is_not_sent_once_its_model_is_given_up(night: Night) -> None:
    night.limits = replace(night.limits, submits_per_minute=600.0)  # one in 100 ms, and four wait for theirs
    night.gateway.always("submit", lambda seen: NO_MODEL if OTHER.encode() in seen.body else None)

    outcome = await night.run((job(0), job(1), *(replace(job(n), model=OTHER) for n in range(2, 6))))

    assert outcome.counts == {State.STORED: 2, State.PENDING: 4}
    assert len(of_other(night)) == 1


async def test_a_model_whose_channel_is_gone_for_a_while_is_waited_for_while_the_others_go_on(night: Night) -> None:
    night.limits = replace(night.limits, submit_slots=1)
    others, rest = tuple(replace(job(n), model=OTHER) for n in range(3)), tuple(job(n) for n in range(3, 7))
    night.gateway.once("submit", lambda seen: None)  # noqa: ARG005
    night.gateway.always(
        "submit", lambda seen: NO_CHANNEL if OTHER.encode() in seen.body and len(night.gateway.book) < 5 else None
    )

    outcome = await night.run((*others, *rest))

    assert (outcome.counts, outcome.stopped) == ({State.STORED: 7}, "")
    assert night.gateway.prompts_sold[1:5] == [one.prompt for one in rest]


async def test_leave_to_pay_twice_is_taken_back_where_the_model_is_not_to_be_had(night: Night) -> None:
    night.gateway.once("submit", lambda seen: NOTHING if night.gateway.sell(seen) else None)
    doubtful, other = job(0), job(1)
    await night.run((doubtful,))
    night.choice, night.limits = TWICE, replace(night.limits, submit_slots=1)
    night.gateway.always("submit", NO_MODEL)

    outcome = await night.run((other, doubtful))

    assert outcome.counts == {State.UNCERTAIN: 1, State.PENDING: 1}
    assert "resubmit" not in night.facts(doubtful)
    assert len(night.gateway.of("submit")) == 2
    assert any(words.startswith(f"{doubtful.id}: ") and "no more of sora-2" in words for words in night.urgent)


async def test_sources_that_are_gone_hold_up_no_chain_of_others(night: Night) -> None:
    """Six were rendered while nobody looked, and are found finished long after: their remixes are asked for in vain."""
    roots = tuple(job(n) for n in range(6))
    night.gateway.render_gate = anyio.Event()

    def leave(event: Event) -> None:
        if isinstance(event, Moved) and night.boards and len(night.gateway.book) == 6:
            night.boards[-1].interrupt()

    await night.run(roots, observer=leave)
    night.gateway.render_gate.set()
    later = timedelta(seconds=night.profile.retention_s + 1)
    night.now = lambda: datetime.now(UTC) + later
    night.limits = replace(night.limits, submit_slots=1)
    night.gateway.behave()
    aged = {*night.gateway.book}
    night.gateway.always("submit", lambda seen: refusal(404) if seen.video_id in aged else None)
    fresh, stale = job(20), tuple(built_on(root, 10 + n) for n, root in enumerate(roots))
    sequel = built_on(fresh, 21)

    outcome = await night.run((*roots, fresh, *stale, sequel))

    assert outcome.counts == {State.STORED: 8, State.BLOCKED: 6}
    assert not outcome.stopped
    assert "the provider has no video of its source job-0 any more: 404" in night.of(stale[0]).reason
    assert len(night.gateway.of("submit")) == 6 + 1 + 6 + 1
    night.gateway.behave()
    again = await night.run((*roots, fresh, *stale, sequel))
    assert again.counts == {State.STORED: 14}  # it was not so, and they are asked for again by themselves


TWICE = Choice(uncertain="resubmit", max_duplicate_cost=Decimal(9))


def lose_the_remix(night: Night) -> None:
    night.gateway.always("submit", lambda seen: NOTHING if seen.video_id and night.gateway.sell(seen) else None)


@pytest.mark.parametrize("how", ["gone", "no way"])
async def test_leave_to_pay_twice_is_not_used_for_what_cannot_be_made_any_more(night: Night, how: str) -> None:
    root, remix, other = job(0), built_on(job(0), 1), built_on(job(0), 2)
    lose_the_remix(night)
    await night.run((root, remix))
    night.events.clear()
    night.choice = TWICE
    if how == "gone":
        later = timedelta(seconds=night.profile.retention_s + 1)
        night.now = lambda: datetime.now(UTC) + later
    else:
        refusing_remixes(night, refusal(405))
    outcome = await night.run((root, remix) if how == "gone" else (root, other, remix))
    assert outcome.state.counts[State.UNCERTAIN] == 1
    assert "resubmit" not in night.facts(remix)
    why = "the provider kept the video" if how == "gone" else "no more remixes"
    [said] = [words for words in night.urgent if remix.id in words and "still not settled" in words]
    assert f"it is not submitted again: {why}" in said
    assert outcome.outlook.doubts.again == (how != "gone")


async def test_leave_that_is_taken_back_leaves_the_job_to_be_settled(night: Night) -> None:
    """The list does not come, so the remix is due again; while it waits for its turn, its way is closed."""
    root, remix, other, slow = job(0), built_on(job(0), 1), built_on(job(0), 2), job(3)
    night.gateway.lists, night.profile = True, replace(night.profile, lists=True, lists_linked=True, list_lag_s=0.01)
    night.gateway.always("list", refusal(500))
    lose_the_remix(night)
    await night.run((root, remix))
    granted, rendered = anyio.Event(), anyio.Event()
    night.choice, night.gateway.render_gate = TWICE, rendered
    refusing_remixes(night, replace(refusal(405), hold=granted))

    def note(event: Event) -> None:
        if isinstance(event, Notice) and "will be submitted again" in event.message:
            night.gateway.behave("list")
            granted.set()
        if isinstance(event, Moved) and (event.id, event.state) == (remix.id, State.IN_FLIGHT):
            rendered.set()

    outcome = await night.run((root, slow, other, remix), observer=note)
    assert outcome.counts == {State.STORED: 3, State.PENDING: 1}
    assert "adopted" in night.facts(remix)
    assert len(night.gateway.book) == 3
