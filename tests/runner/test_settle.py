"""Submits of unknown outcome: settled with the provider's list, a repeated key, or leave to pay twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import anyio
import pytest

from pipeline.errors import UsageError
from pipeline.ledger.ledger import utc_now
from pipeline.lifecycle import State
from pipeline.limits import LimitsWish
from pipeline.policy.breaker import TROUBLES_IN_A_ROW
from pipeline.policy.submit import UNCERTAIN_IN_A_ROW
from pipeline.policy.unknown import AGAIN_MAX
from pipeline.prepare import Choice
from pipeline.progress import Event, Moved, Notice
from pipeline.runner import settle as lane
from pipeline.runner.listing import PAGE_TRIES
from tests.runner.gateway import ECHOES, NOTHING, Answer, Gateway, Script, Seen, Video, answer, refusal
from tests.runner.night import Night, job, jobs

pytestmark = pytest.mark.anyio

LAG_S = 0.05
PRICE = Decimal("0.40")
LIST_REQUESTS_MAX = TROUBLES_IN_A_ROW + lane.FAILURES_MAX - TROUBLES_IN_A_ROW // PAGE_TRIES
"""Of a list that never comes: whole readings until the breaker opens, then one probe each, until it is given up."""


@pytest.fixture
def night(night: Night) -> Night:
    """A provider that lists its videos."""
    night.gateway.lists = True
    night.profile = replace(night.profile, lists=True, list_lag_s=LAG_S)
    return night


def lost(gateway: Gateway) -> Script:
    """The video is made, and the answer does not arrive."""

    def script(seen: Seen) -> Answer:
        gateway.sell(seen)
        return NOTHING

    return script


async def test_a_lost_answer_is_found_in_the_list_and_its_video_is_stored(night: Night) -> None:
    night.gateway.once("submit", lost(night.gateway))
    outcome = await night.run(jobs(1))
    assert outcome.counts == {State.STORED: 1}
    assert len(night.gateway.of("submit")) == len(night.gateway.book) == 1
    assert night.of(job(0)).video_id == "video_1"
    assert night.facts(job(0)) == ["intent", "uncertain", "adopted", "finished", "stored"]
    assert night.state.spent == PRICE
    assert night.urgent == []


async def test_a_post_that_made_nothing_is_sent_again_after_two_readings(night: Night) -> None:
    night.gateway.once("submit", NOTHING)
    outcome = await night.run(jobs(1))
    posts, readings = night.gateway.of("submit"), night.gateway.of("list")
    assert outcome.counts == {State.STORED: 1}
    assert len(posts) == 2
    assert night.facts(job(0))[:4] == ["intent", "uncertain", "not_created", "intent"]
    before = [seen.at_s for seen in readings if seen.at_s < posts[1].at_s]
    assert len(before) == 2
    assert before[0] >= posts[0].at_s + LAG_S
    assert before[1] >= before[0] + LAG_S
    assert night.state.spent == PRICE
    assert night.urgent == []


async def test_what_an_earlier_run_left_is_settled_though_there_is_nothing_else_to_do(night: Night) -> None:
    night.gateway.lists = False
    night.profile = replace(night.profile, lists=False)
    night.gateway.once("submit", lost(night.gateway), NOTHING)
    assert (await night.run(jobs(2))).counts == {State.UNCERTAIN: 2}
    night.gateway.lists = True
    night.profile = replace(night.profile, lists=True)
    assert (await night.run(jobs(2))).counts == {State.STORED: 2}
    assert sorted(night.gateway.prompts_sold) == [one.prompt for one in jobs(2)]


async def test_what_the_manifest_no_longer_asks_for_is_adopted_and_never_sent_again(night: Night) -> None:
    night.profile = replace(night.profile, lists=False)
    night.gateway.once("submit", lost(night.gateway), NOTHING)
    await night.run(jobs(2))
    night.profile = replace(night.profile, lists=True)
    await night.run((job(7),))
    by_prompt = {video.prompt: video.id for video in night.gateway.book.values()}
    made = [one for one in jobs(2) if one.prompt in by_prompt]
    assert [night.of(one).state for one in made] == [State.STORED]
    assert {night.of(one).state for one in jobs(2)} == {State.STORED, State.PENDING}
    assert len(night.gateway.of("submit")) == 3


@pytest.mark.parametrize("skew_s", [3600.0, -3600.0])
@pytest.mark.parametrize("made", [True, False])
async def test_clocks_an_hour_apart_change_nothing(night: Night, skew_s: float, made: bool) -> None:
    night.gateway.skew_s = skew_s
    night.gateway.once("submit", lost(night.gateway) if made else NOTHING)
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert len(night.gateway.book) == 1


async def test_a_video_that_the_list_shows_late_is_not_taken_for_absent(night: Night) -> None:
    night.gateway.list_lag_s = 1.0  # its rows carry whole seconds, so this may be nearly two
    night.profile = replace(night.profile, list_lag_s=2.0)
    night.gateway.once("submit", lost(night.gateway))
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert len(night.gateway.of("submit")) == 1


async def test_a_list_that_lags_behind_its_promise_proves_nothing(night: Night) -> None:
    """What is known to be in flight is not shown: then what is not shown is no proof."""
    night.gateway.list_lag_s = 3600.0
    night.gateway.render_gate = anyio.Event()
    night.gateway.once("submit", lambda seen: None, lost(night.gateway))  # noqa: ARG005
    night.limits = replace(night.limits, submit_slots=1)

    async def wait_for_readings() -> None:
        while len(night.gateway.of("list")) < lane.FAILURES_MAX + 1:
            await anyio.sleep(0.01)
        assert night.gateway.render_gate is not None
        night.gateway.render_gate.set()

    async with anyio.create_task_group() as beside:
        beside.start_soon(wait_for_readings)
        outcome = await night.run(jobs(2))
    assert outcome.counts == {State.STORED: 1, State.UNCERTAIN: 1}
    assert len(night.gateway.of("submit")) == 2
    assert any("which we know to be there" in said for said in night.urgent)


async def test_takes_of_one_wish_are_told_apart_by_number_alone(night: Night) -> None:
    twins = (job(0, "a tug"), job(1, "a tug"), job(2, "a tug"))
    night.gateway.once("submit", lost(night.gateway), lost(night.gateway), NOTHING)
    assert (await night.run(twins)).counts == {State.STORED: 3}
    assert {night.of(twin).video_id for twin in twins} == {"video_1", "video_2", "video_3"}
    assert len(night.gateway.book) == 3


async def test_somebody_elses_video_of_the_same_wish_is_left_alone(night: Night) -> None:
    def doubled(seen: Seen) -> Answer:
        night.gateway.sell(replace(seen, headers={}))
        night.gateway.sell(seen)
        return NOTHING

    night.gateway.once("submit", doubled)
    outcome = await night.run(jobs(1))
    assert outcome.counts == {State.UNCERTAIN: 1}
    assert len(night.gateway.of("submit")) == 1
    assert any("video_1, video_2" in said and "vidbatch resolve" in said for said in night.urgent)


@pytest.mark.parametrize("echoes", [ECHOES - {"prompt"}, frozenset[str](), ECHOES - {"created_at"}])
async def test_one_video_and_one_submit_belong_together_whatever_is_echoed(
    night: Night, echoes: frozenset[str]
) -> None:
    night.gateway.echoes = echoes
    night.gateway.once("submit", lost(night.gateway))
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert len(night.gateway.of("submit")) == 1


async def test_without_a_prompt_two_videos_and_two_submits_are_nobodys(night: Night) -> None:
    night.gateway.echoes = ECHOES - {"prompt"}
    night.gateway.once("submit", lost(night.gateway), lost(night.gateway))
    early = refusal(500)
    night.gateway.always("list", lambda _: None if len(night.gateway.of("submit")) == 2 else early)
    assert (await night.run(jobs(2))).counts == {State.UNCERTAIN: 2}
    assert len(night.gateway.of("submit")) == 2


def shown(**echo: object) -> Callable[[Gateway, Seen], Answer]:
    """The list's answer, with what it says of the last video changed."""

    def script(gateway: Gateway, seen: Seen) -> Answer:
        given = gateway._behaved(seen)
        page = json.loads(given.body)
        for row in page["data"]:
            if row["id"] == list(gateway.book)[-1]:
                row.update(echo)
        return answer(page)

    return script


@pytest.mark.parametrize(
    "echo",
    [
        {"prompt": "A tugboat in golden light, cinematic."},
        {"prompt": "a ferry at"},
        {"prompt": None, "model": "sora-2-2025-12-08"},
        {"prompt": None, "seconds": "4.04"},
    ],
    ids=["rewritten", "cut short", "another name of the model", "another length"],
)
async def test_a_row_of_its_time_is_no_strangers_because_it_looks_like_one(
    night: Night, echo: dict[str, object]
) -> None:
    """Beside a video of ours that the list repeats faithfully: the echo of one row proves nothing of another's."""
    night.limits = replace(night.limits, submit_slots=1)
    night.gateway.once("submit", lambda seen: None, lost(night.gateway))  # noqa: ARG005
    change = shown(**echo)
    night.gateway.always("list", lambda seen: change(night.gateway, seen))
    outcome = await night.run((job(0), job(1, "a ferry at noon")))
    assert outcome.counts == {State.STORED: 1, State.UNCERTAIN: 1}
    assert len(night.gateway.of("submit")) == len(night.gateway.book) == 2
    assert any("video_2" in said and "vidbatch resolve" in said for said in night.urgent)


@pytest.mark.parametrize("created_at", [0.0, -600.0])
async def test_a_strangers_row_is_no_obstacle_unless_it_is_of_the_submits_time(night: Night, created_at: float) -> None:
    await night.run(jobs(1))
    theirs = Video(id="theirs", prompt="a cat", created_s=night.gateway.clock_s() + created_at, finished=True)
    night.gateway.book = {"theirs": theirs, **night.gateway.book}
    night.gateway.once("submit", NOTHING)
    outcome = await night.run(jobs(2))
    settled = created_at != 0.0
    assert outcome.counts == ({State.STORED: 2} if settled else {State.STORED: 1, State.UNCERTAIN: 1})
    assert any("theirs" in said for said in night.urgent) is not settled


@pytest.fixture
async def aged(night: Night) -> Night:
    """A run folder whose only video was bought twenty minutes ago."""
    night.now = lambda: utc_now() - timedelta(minutes=20)
    night.gateway.skew_s = -1200.0
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    night.now, night.gateway.skew_s = utc_now, 0.0
    return night


def forgets(gateway: Gateway, *names: str) -> None:
    """From now on the list does not show these, and shows them to whoever asks for one."""

    def page(seen: Seen) -> Answer:
        rows = [gateway.show(video) for video in reversed(gateway.book.values()) if video.id not in names]
        return answer({"object": "list", "data": rows, "has_more": False})

    gateway.always("list", page)


async def test_a_list_that_has_forgotten_an_older_video_of_ours_proves_no_absence(aged: Night) -> None:
    forgets(aged.gateway, "video_1", "video_2")
    aged.gateway.once("submit", lost(aged.gateway))
    assert (await aged.run(jobs(2))).counts == {State.STORED: 1, State.UNCERTAIN: 1}
    assert len(aged.gateway.book) == 2
    assert any("does not show video_1 either" in said for said in aged.urgent)


async def test_what_a_forgetful_list_shows_is_adopted_all_the_same(aged: Night) -> None:
    forgets(aged.gateway, "video_1")
    aged.gateway.once("submit", lost(aged.gateway))
    assert (await aged.run(jobs(2))).counts == {State.STORED: 2}
    assert len(aged.gateway.book) == 2


async def test_a_list_that_shows_an_older_video_of_ours_is_believed_however_deep_that_is(aged: Night) -> None:
    between_s = aged.gateway.clock_s() - 600.0
    aged.gateway.book |= {
        (name := f"theirs_{n}"): Video(id=name, prompt="a cat", created_s=between_s, finished=True) for n in range(150)
    }
    aged.gateway.once("submit", NOTHING)
    assert (await aged.run(jobs(2))).counts == {State.STORED: 2}
    assert {seen.query.get("after") for seen in aged.gateway.of("list")} == {None, "theirs_50"}


async def test_a_video_that_the_provider_need_not_keep_any_more_is_no_witness(aged: Night) -> None:
    aged.profile = replace(aged.profile, retention_s=1200.0)
    forgets(aged.gateway, "video_1")
    aged.gateway.once("submit", NOTHING)
    assert (await aged.run(jobs(2))).counts == {State.STORED: 2}


async def test_a_video_that_another_run_holds_is_not_adopted(night: Night) -> None:
    await night.run(jobs(1))
    shutil.move(night.folder, night.outputs / "earlier")
    night.gateway.once("submit", NOTHING)
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert night.of(job(0)).video_id == "video_2"
    assert len(night.gateway.book) == 2


async def test_a_video_that_another_run_may_have_made_is_left_alone(night: Night) -> None:
    night.profile = replace(night.profile, lists=False)
    night.gateway.once("submit", NOTHING)
    await night.run(jobs(1))
    shutil.move(night.folder, night.outputs / "earlier")
    night.profile = replace(night.profile, lists=True)
    night.gateway.once("submit", lost(night.gateway))
    assert (await night.run(jobs(1))).counts == {State.UNCERTAIN: 1}
    assert any("the run earlier" in said for said in night.urgent)


async def test_a_run_beside_that_cannot_be_read_blocks_adoption_and_nothing_else(night: Night) -> None:
    (night.outputs / "broken").mkdir()
    (night.outputs / "broken" / "ledger.jsonl").write_text("no\nledger\n", encoding="utf-8")
    night.gateway.once("submit", lost(night.gateway), NOTHING)
    night.limits = replace(night.limits, submit_slots=1)
    outcome = await night.run(jobs(2))
    assert outcome.counts == {State.UNCERTAIN: 1, State.STORED: 1}
    assert any("broken" in said for said in night.urgent)


@pytest.mark.parametrize("status", [404, 405, 501, 403])
async def test_a_provider_without_its_list_leaves_the_decision_to_a_person(night: Night, status: int) -> None:
    night.gateway.once("submit", lost(night.gateway))
    night.gateway.always("list", refusal(status))
    outcome = await night.run(jobs(1))
    assert outcome.counts == {State.UNCERTAIN: 1}
    assert len(night.gateway.of("list")) == 1
    assert [said for said in night.urgent if "vidbatch resolve" in said]


async def test_a_list_that_is_always_empty_proves_nothing_once_something_was_bought(night: Night) -> None:
    night.limits = replace(night.limits, submit_slots=1)
    night.gateway.once("submit", lambda seen: None, lost(night.gateway))  # noqa: ARG005
    night.gateway.always("list", answer({"object": "list", "data": [], "has_more": False}))
    assert (await night.run(jobs(2))).counts == {State.STORED: 1, State.UNCERTAIN: 1}
    assert len(night.gateway.of("submit")) == 2


@pytest.mark.parametrize(
    "page",
    [
        refusal(500),
        Answer(body=b"<html>", headers={"content-type": "text/html"}),
        NOTHING,
        answer({"object": "list", "data": []}),
        answer({"object": "list", "data": [{"id": "v", "status": "queued"}], "has_more": True}),
        answer({"object": "list", "data": [{"status": "queued"}], "has_more": False}),
    ],
    ids=["500", "html", "reset", "no word on its end", "a circle", "no id"],
)
async def test_a_list_that_cannot_be_read_whole_settles_nothing_and_holds_no_run_up(night: Night, page: Answer) -> None:
    night.gateway.once("submit", lost(night.gateway))
    night.gateway.always("list", page)
    outcome = await night.run(jobs(1))
    assert outcome.counts == {State.UNCERTAIN: 1}
    assert len(night.gateway.of("submit")) == 1
    assert len(night.gateway.of("list")) <= LIST_REQUESTS_MAX
    assert [said for said in night.urgent if "vidbatch resolve" in said]


async def test_a_submit_that_is_lost_while_the_list_fails_once_more_is_told_of_like_the_others(night: Night) -> None:
    lost_now, page_may_come = anyio.Event(), anyio.Event()
    pages = TROUBLES_IN_A_ROW + lane.FAILURES_MAX - TROUBLES_IN_A_ROW // PAGE_TRIES

    def page(seen: Seen) -> Answer:
        if len(night.gateway.of("list")) < pages:
            return refusal(500)
        lost_now.set()  # the reading after which the run no longer waits is under way
        return replace(refusal(500), hold=page_may_come)

    async def let_it_come() -> None:
        await lost_now.wait()
        while len(night.boards[-1].unsettled) < 2:
            await anyio.sleep(0.01)
        page_may_come.set()

    night.limits = replace(night.limits, submit_slots=1)
    night.gateway.always("list", page)
    night.gateway.once("submit", NOTHING, Answer(cut_at=0, hold=lost_now))
    async with anyio.create_task_group() as beside:
        beside.start_soon(let_it_come)
        outcome = await night.run(jobs(2))
    assert outcome.counts == {State.UNCERTAIN: 2}


async def test_a_list_that_comes_back_settles_after_all(night: Night) -> None:
    night.gateway.once("submit", lost(night.gateway))
    night.gateway.once("list", *[refusal(502)] * (lane.FAILURES_MAX - 1))
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert night.urgent == []


async def test_what_is_settled_late_is_sent_again_though_no_submit_was_left_to_wait_for(night: Night) -> None:
    """Found by the simulation: the readings had failed too often to wait for, and only a video was still rendered."""
    rendered = night.gateway.render_gate = anyio.Event()

    def sold_at_last(seen: Seen) -> None:
        rendered.set()

    night.limits = replace(night.limits, submit_slots=1)
    night.gateway.once("submit", NOTHING, lambda seen: None, sold_at_last)  # noqa: ARG005
    night.gateway.once("list", *[refusal(502)] * (lane.FAILURES_MAX * PAGE_TRIES))
    assert (await night.run(jobs(2))).counts == {State.STORED: 2}
    assert len(night.gateway.book) == 2


async def test_the_failed_video_of_an_earlier_attempt_is_not_taken_for_the_next_ones(night: Night) -> None:
    night.gateway.once("look", answer({"id": "video_1", "status": "failed", "error": {"message": "no"}}))
    assert (await night.run(jobs(1))).counts == {State.FAILED: 1}
    night.choice = Choice(retry=frozenset({State.FAILED}))
    night.gateway.once("submit", NOTHING)
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert night.of(job(0)).video_id == "video_2"


async def test_an_interrupt_ends_settling_at_once(night: Night) -> None:
    night.profile = replace(night.profile, list_lag_s=3600.0)
    night.gateway.once("submit", lost(night.gateway))
    with anyio.fail_after(10.0):
        async with anyio.create_task_group() as beside:
            beside.start_soon(_interrupt_when_uncertain, night)
            outcome = await night.run(jobs(1))
    assert outcome.interrupted
    assert outcome.counts == {State.UNCERTAIN: 1}


async def _interrupt_when_uncertain(night: Night) -> None:
    while not (night.boards and night.boards[-1].unsettled):
        await anyio.sleep(0.005)
    night.boards[-1].interrupt()


async def test_a_submit_that_cost_nothing_leaves_its_money_to_another(night: Night) -> None:
    """The budget has room for two: the lost one is settled before it is said to be used up."""
    night.limits = replace(night.limits, budget=2 * PRICE, submit_slots=1)
    night.gateway.once("submit", NOTHING)
    outcome = await night.run(jobs(2))
    assert outcome.counts == {State.STORED: 2}
    assert outcome.stopped == ""


async def test_another_wish_in_the_list_is_no_proof_before_it_has_shown_how_it_repeats_one(night: Night) -> None:
    """The first submit of all is lost, and the provider rewrites prompts: its own row would look like another's."""

    def rewritten(seen: Seen) -> Answer:
        night.gateway.sell(seen)
        night.gateway.book["video_1"].prompt = "A tugboat in golden light, cinematic."
        return NOTHING

    night.gateway.once("submit", rewritten)
    assert (await night.run(jobs(1))).counts == {State.UNCERTAIN: 1}
    assert len(night.gateway.book) == 1
    assert [said for said in night.urgent if "video_1" in said]


async def test_a_clock_that_was_put_right_since_the_submit_makes_no_video_absent(night: Night) -> None:
    night.profile, night.now = replace(night.profile, lists=False), lambda: utc_now() - timedelta(minutes=20)
    night.gateway.once("submit", NOTHING)
    assert (await night.run(jobs(1))).counts == {State.UNCERTAIN: 1}
    first = night.gateway.of("submit")[0]
    night.gateway.sell(first)  # twenty minutes later than the ledger says
    night.profile, night.now = replace(night.profile, lists=True), utc_now
    outcome = await night.run(jobs(2))
    assert outcome.counts == {State.STORED: 1, State.UNCERTAIN: 1}
    assert len(night.gateway.of("submit")) == 2


async def test_a_submit_of_days_ago_makes_no_reading_go_deeper_than_the_list_remembers(night: Night) -> None:
    night.profile, night.now = replace(night.profile, lists=False), lambda: utc_now() - timedelta(days=3)
    night.gateway.once("submit", NOTHING)
    assert (await night.run(jobs(1))).counts == {State.UNCERTAIN: 1}
    yesterday_s = utc_now().timestamp() - 86_400.0
    night.gateway.book |= {
        (name := f"theirs_{n}"): Video(id=name, prompt="theirs", created_s=yesterday_s, finished=True)
        for n in range(250)
    }
    night.profile, night.now = replace(night.profile, lists=True), utc_now
    night.gateway.once("submit", lost(night.gateway))
    assert (await night.run(jobs(2))).counts == {State.STORED: 1, State.UNCERTAIN: 1}
    assert {seen.query.get("after") for seen in night.gateway.of("list")} == {None, "theirs_151"}


async def test_what_is_submitted_again_without_a_price_is_held_to_the_budget(night: Night) -> None:
    priced = night.profile
    night.profile = replace(priced, lists=False, models={"*": replace(priced.models["sora-2"], price_per_second={})})
    night.gateway.once("submit", NOTHING)
    assert (await night.run(jobs(1))).counts == {State.UNCERTAIN: 1}
    night.profile = replace(night.profile, lists=True)
    night.limits = replace(night.limits, budget=PRICE)
    outcome = await night.run(jobs(1))
    assert outcome.counts == {State.PENDING: 1}
    assert "could not be kept" in outcome.stopped
    assert len(night.gateway.of("submit")) == 1


async def test_what_is_due_again_waits_where_the_spent_sum_is_not_known(night: Night) -> None:
    """The price is stated only later, and one video was bought before: what the budget has left, nobody knows."""
    priced, free = night.profile, {"*": replace(night.profile.models["sora-2"], price_per_second={})}
    night.profile = replace(priced, lists=False, models=free)
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    night.gateway.once("submit", NOTHING)
    assert (await night.run(jobs(2))).counts == {State.STORED: 1, State.UNCERTAIN: 1}
    night.profile, night.limits = priced, replace(night.limits, budget=2 * PRICE)
    outcome = await night.run(jobs(2))
    assert outcome.counts == {State.STORED: 1, State.PENDING: 1}
    assert "the price of 1 earlier submit of this run is not known" in outcome.stopped
    assert len(night.gateway.of("submit")) == 2


@pytest.mark.parametrize("lists", [True, False])
async def test_a_run_begins_by_saying_what_earlier_ones_left_unknown(night: Night, lists: bool) -> None:
    night.profile = replace(night.profile, lists=False)
    night.gateway.once("submit", NOTHING)
    await night.run(jobs(1))
    night.events.clear()
    night.profile = replace(night.profile, lists=lists)
    await night.run(jobs(2))
    said = next(event for event in night.events if isinstance(event, Notice))
    assert said.message.startswith("1 earlier submit of unknown outcome, job-0: perhaps accepted, for up to $0.40")
    assert f"{utc_now():%Y-%m-}" in said.message
    assert said.urgent is not lists


# --- by key


@pytest.fixture
def keyed(night: Night) -> Night:
    """A provider that honours keys, and lists nothing."""
    night.gateway.lists, night.gateway.honours_keys = False, True
    night.profile = replace(night.profile, lists=False, honours_keys=True)
    return night


async def test_an_honoured_key_is_repeated_to_the_byte_and_answered_with_its_video(keyed: Night) -> None:
    keyed.gateway.once("submit", lost(keyed.gateway), NOTHING)
    outcome = await keyed.run(jobs(1))
    posts = keyed.gateway.of("submit")
    assert outcome.counts == {State.STORED: 1}
    assert len(keyed.gateway.book) == 1
    assert len(posts) == 3
    assert len({(post.body, post.headers["idempotency-key"]) for post in posts}) == 1
    assert keyed.facts(job(0)) == ["intent", "uncertain", "adopted", "finished", "stored"]
    assert keyed.state.spent == PRICE


async def test_a_key_of_an_earlier_run_is_repeated_by_the_next(keyed: Night) -> None:
    keyed.profile = replace(keyed.profile, honours_keys=False)
    keyed.gateway.once("submit", lost(keyed.gateway))
    assert (await keyed.run(jobs(1))).counts == {State.UNCERTAIN: 1}
    keyed.profile = replace(keyed.profile, honours_keys=True)
    assert (await keyed.run(jobs(1))).counts == {State.STORED: 1}
    assert len(keyed.gateway.book) == 1


async def test_a_key_that_is_no_longer_remembered_is_not_repeated(keyed: Night) -> None:
    keyed.profile = replace(keyed.profile, keys_s=1e-6)
    keyed.gateway.once("submit", lost(keyed.gateway))
    assert (await keyed.run(jobs(1))).counts == {State.UNCERTAIN: 1}
    assert len(keyed.gateway.of("submit")) == 1


async def test_a_key_whose_turn_comes_too_late_is_not_repeated(keyed: Night) -> None:
    """It is young enough when it is due, and would be forgotten before an answer: the rate makes it wait a second."""
    keyed.profile = replace(keyed.profile, keys_s=1.5)
    keyed.limits = replace(keyed.limits, submits_per_minute=60.0)
    keyed.gateway.once("submit", lost(keyed.gateway))
    assert (await keyed.run(jobs(1))).counts == {State.UNCERTAIN: 1}
    assert len(keyed.gateway.of("submit")) == 1


@pytest.mark.parametrize("busy", [refusal(409, "", "in use"), refusal(429, "", "slow down"), refusal(500), NOTHING])
async def test_a_key_is_repeated_until_there_is_an_answer(keyed: Night, busy: Answer) -> None:
    keyed.gateway.once("submit", lost(keyed.gateway), busy, busy)
    assert (await keyed.run(jobs(1))).counts == {State.STORED: 1}
    assert len(keyed.gateway.of("submit")) == 4
    assert len(keyed.gateway.book) == 1


async def test_a_key_that_is_never_answered_is_given_up_after_six(keyed: Night) -> None:
    keyed.gateway.always("submit", NOTHING)
    outcome = await keyed.run(jobs(1))
    assert outcome.counts == {State.UNCERTAIN: 1}
    assert len(keyed.gateway.of("submit")) == 7


async def test_where_the_key_fails_the_list_settles(keyed: Night) -> None:
    keyed.gateway.lists, keyed.profile = True, replace(keyed.profile, lists=True)
    keyed.gateway.once("submit", lost(keyed.gateway))
    keyed.gateway.always("submit", refusal(500))
    assert (await keyed.run(jobs(1))).counts == {State.STORED: 1}
    assert len(keyed.gateway.of("submit")) == 7


async def test_a_replay_that_is_rejected_proves_that_nothing_was_made(keyed: Night) -> None:
    keyed.gateway.once("submit", NOTHING)
    keyed.gateway.always("submit", refusal(400, "moderation", "not this prompt"))
    outcome = await keyed.run(jobs(1))
    assert outcome.counts == {State.REJECTED: 1}
    assert keyed.facts(job(0)) == ["intent", "uncertain", "not_created", "intent", "rejected"]
    assert keyed.state.spent == 0


async def test_a_replay_with_a_refused_key_stops_the_run(keyed: Night) -> None:
    keyed.gateway.once("submit", lost(keyed.gateway))
    keyed.gateway.always("submit", refusal(401, "invalid_api_key", "Incorrect API key provided."))
    outcome = await keyed.run(jobs(1))
    assert "Incorrect API key" in outcome.stopped
    assert outcome.counts == {State.UNCERTAIN: 1}


async def test_a_replay_that_is_cut_off_leaves_the_job_uncertain_and_the_next_run_adopts(keyed: Night) -> None:
    keyed.gateway.once("submit", lost(keyed.gateway), Answer(hold=anyio.Event()))

    async def interrupt_the_replay() -> None:
        while len(keyed.gateway.of("submit")) < 2:
            await anyio.sleep(0.005)
        keyed.boards[-1].interrupt()

    with anyio.fail_after(10.0):
        async with anyio.create_task_group() as beside:
            beside.start_soon(interrupt_the_replay)
            outcome = await keyed.run(jobs(1))
    assert outcome.counts == {State.UNCERTAIN: 1}
    assert (await keyed.run(jobs(1))).counts == {State.STORED: 1}
    assert len(keyed.gateway.book) == 1


async def test_two_keys_answered_with_one_video_adopt_it_once(keyed: Night) -> None:
    known: set[str] = set()

    def forgetful(seen: Seen) -> Answer:
        if (key := seen.headers["idempotency-key"]) in known:
            return answer({"id": "video_1", "object": "video", "status": "queued"})
        known.add(key)
        keyed.gateway.sell(seen)
        return NOTHING

    keyed.gateway.always("submit", forgetful)
    outcome = await keyed.run(jobs(2))
    assert outcome.counts == {State.STORED: 1, State.UNCERTAIN: 1}


async def test_what_a_repeated_key_made_long_after_the_submit_is_found_in_the_list(keyed: Night) -> None:
    """Were only rows of the submit's own time its, this would be proof that nothing was made, and paid twice."""
    keyed.gateway.echoes = frozenset({"created_at"})
    keyed.profile, keyed.now = replace(keyed.profile, honours_keys=False), lambda: utc_now() - timedelta(minutes=20)
    keyed.gateway.once("submit", NOTHING)
    assert (await keyed.run(jobs(1))).counts == {State.UNCERTAIN: 1}
    keyed.gateway.lists, keyed.now = True, utc_now
    keyed.profile = replace(keyed.profile, honours_keys=True, lists=True)
    keyed.gateway.once("submit", lost(keyed.gateway), *[refusal(500)] * 5)
    assert (await keyed.run(jobs(1))).counts == {State.STORED: 1}
    assert len(keyed.gateway.book) == 1


async def test_a_budget_that_is_passed_already_holds_up_no_repeated_key(keyed: Night) -> None:
    keyed.profile = replace(keyed.profile, honours_keys=False)
    keyed.gateway.once("submit", lost(keyed.gateway))
    assert (await keyed.run(jobs(1))).counts == {State.UNCERTAIN: 1}
    keyed.profile = replace(keyed.profile, honours_keys=True)
    keyed.limits = replace(keyed.limits, budget=PRICE / 2)
    outcome = await keyed.run(jobs(2))
    assert outcome.counts == {State.STORED: 1, State.PENDING: 1}
    assert "budget" in outcome.stopped
    assert len(keyed.gateway.book) == 1


async def test_a_key_is_not_repeated_at_an_unknown_price_where_there_is_a_budget(keyed: Night) -> None:
    """A repeated submit is a submit: it may be the one that is billed."""
    priced, keys = keyed.profile, keyed.profile.models["sora-2"]
    keyed.profile = replace(priced, honours_keys=False, models={"*": replace(keys, price_per_second={})})
    keyed.gateway.once("submit", NOTHING)
    assert (await keyed.run(jobs(1))).counts == {State.UNCERTAIN: 1}
    keyed.profile, keyed.limits = priced, replace(keyed.limits, budget=PRICE)
    assert (await keyed.run(jobs(1))).counts == {State.UNCERTAIN: 1}
    assert len(keyed.gateway.of("submit")) == 1
    assert [said for said in keyed.urgent if "a budget is set and its price is not known" in said]
    keyed.limits = replace(keyed.limits, budget=None)
    assert (await keyed.run(jobs(1))).counts == {State.STORED: 1}


async def test_a_job_whose_key_may_still_be_repeated_is_not_sent_again_because_the_list_fails(keyed: Night) -> None:
    keyed.profile = replace(keyed.profile, honours_keys=False)
    keyed.gateway.once("submit", NOTHING, lost(keyed.gateway))
    assert (await keyed.run(jobs(2))).counts == {State.UNCERTAIN: 2}
    useless, useful = (seen.headers["idempotency-key"] for seen in keyed.gateway.of("submit"))
    asked: list[str] = []

    def script(seen: Seen) -> Answer | None:
        key = seen.headers["idempotency-key"]
        asked.append(key)
        if key == useless:
            return refusal(404, "", "no such key")  # proves nothing, and never will
        if key == useful and asked.count(useful) <= 2:
            return refusal(429, "", "slow down", retry_after="1") if useless in asked else refusal(500)
        return None

    keyed.gateway.always("submit", script)
    keyed.gateway.always("list", refusal(500))
    keyed.profile = replace(keyed.profile, honours_keys=True, lists=True)
    keyed.choice = Choice(uncertain="resubmit", max_duplicate_cost=10 * PRICE)
    assert (await keyed.run(jobs(2))).counts == {State.STORED: 2}
    assert len(keyed.gateway.book) == 2
    assert "resubmit" in keyed.facts(job(0))
    assert keyed.facts(job(1))[:3] == ["intent", "uncertain", "adopted"]


# --- leave to pay twice


@pytest.fixture
def mute(night: Night) -> Night:
    """A provider with which nothing can be settled, and a person who would rather pay twice for two videos."""
    night.gateway.lists, night.profile = False, replace(night.profile, lists=False)
    night.choice = Choice(uncertain="resubmit", max_duplicate_cost=2 * PRICE)
    return night


async def test_leave_to_pay_twice_ends_at_its_ceiling(mute: Night) -> None:
    mute.gateway.once("submit", *[lost(mute.gateway)] * 3)
    outcome = await mute.run(jobs(3))
    assert outcome.counts == {State.STORED: 2, State.UNCERTAIN: 1}
    assert len(mute.gateway.of("submit")) == 5
    assert mute.state.spent == 5 * PRICE
    assert [said for said in mute.urgent if "--max-duplicate-cost" in said]


async def test_the_ceiling_counts_what_earlier_runs_sent_again(mute: Night) -> None:
    mute.gateway.once("submit", *[NOTHING] * 2)
    assert (await mute.run(jobs(2))).counts == {State.STORED: 2}
    mute.gateway.once("submit", NOTHING)
    assert (await mute.run(jobs(3))).counts == {State.STORED: 2, State.UNCERTAIN: 1}
    mute.choice = replace(mute.choice, max_duplicate_cost=3 * PRICE)
    assert (await mute.run(jobs(3))).counts == {State.STORED: 3}


async def test_leave_is_not_used_where_the_list_settles(night: Night) -> None:
    night.choice = Choice(uncertain="resubmit", max_duplicate_cost=10 * PRICE)
    night.gateway.once("submit", lost(night.gateway), NOTHING)
    assert (await night.run(jobs(2))).counts == {State.STORED: 2}
    assert len(night.gateway.book) == 2
    assert not {"resubmit"} & {fact for one in jobs(2) for fact in night.facts(one)}


async def test_leave_is_used_where_the_list_cannot_be_read(night: Night) -> None:
    night.choice = Choice(uncertain="resubmit", max_duplicate_cost=PRICE)
    night.gateway.once("submit", lost(night.gateway))
    night.gateway.always("list", refusal(500))
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert len(night.gateway.of("submit")) == 2


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (Choice(uncertain="resubmit"), "--max-duplicate-cost AMOUNT"),
        (Choice(max_duplicate_cost=PRICE), "give both, or neither"),
        (Choice(uncertain="ask"), "held or resubmitted"),
    ],
)
async def test_leave_is_given_in_full_or_not_at_all(night: Night, choice: Choice, said: str) -> None:
    night.choice = choice
    with pytest.raises(UsageError, match=said):
        await night.run(jobs(1))
    assert night.gateway.seen == []


async def test_leave_without_prices_is_refused(mute: Night) -> None:
    mute.profile = replace(mute.profile, models={"*": replace(mute.profile.models["sora-2"], price_per_second={})})
    with pytest.raises(UsageError, match="needs the price"):
        await mute.run(jobs(1))
    assert mute.gateway.seen == []


async def test_where_nothing_is_billed_and_nothing_costs_a_job_is_sent_again_three_times(mute: Night) -> None:
    free = replace(mute.profile.models["sora-2"], price_per_second={"*": Decimal(0)})
    mute.profile = replace(mute.profile, models={"*": free})
    assert not mute.profile.bills
    mute.gateway.always("submit", NOTHING)
    assert (await mute.run(jobs(1))).counts == {State.UNCERTAIN: 1}
    assert len(mute.gateway.of("submit")) == 1 + AGAIN_MAX
    assert [said for said in mute.urgent if f"it was {AGAIN_MAX} times" in said]


async def test_one_job_does_not_use_up_the_leave_of_all(mute: Night) -> None:
    mute.choice = Choice(uncertain="resubmit", max_duplicate_cost=100 * PRICE)
    mute.gateway.always("submit", NOTHING)
    assert (await mute.run(jobs(1))).counts == {State.UNCERTAIN: 1}
    assert len(mute.gateway.of("submit")) == 1 + AGAIN_MAX


async def test_leave_that_was_not_used_ends_with_its_run(mute: Night) -> None:
    """The budget stops the run before it sends them again: then they are as uncertain as before."""
    hold = replace(mute.choice, uncertain="hold", max_duplicate_cost=None)
    leave, mute.choice = mute.choice, hold
    mute.gateway.once("submit", *[lost(mute.gateway)] * 2)
    assert (await mute.run(jobs(2))).counts == {State.UNCERTAIN: 2}
    mute.choice = replace(leave, limits=LimitsWish(budget=2 * PRICE))
    outcome = await mute.run(jobs(2))
    assert outcome.counts == {State.UNCERTAIN: 2}
    assert "budget" in outcome.stopped
    mute.choice = hold
    assert (await mute.run(jobs(2))).counts == {State.UNCERTAIN: 2}
    assert len(mute.gateway.of("submit")) == 2


@pytest.mark.parametrize("ceiling", [None, Decimal("0.10")], ids=["held", "over the ceiling"])
async def test_what_earlier_runs_left_is_said_once_and_counted(night: Night, ceiling: Decimal | None) -> None:
    night.gateway.always("list", refusal(404))
    night.limits = replace(night.limits, submit_slots=1)
    if ceiling is not None:
        night.choice = Choice(uncertain="resubmit", max_duplicate_cost=ceiling)
    night.gateway.once("submit", *[NOTHING] * 3)
    assert (await night.run(jobs(3))).counts == {State.UNCERTAIN: 3}
    assert len([said for said in night.urgent if "not known whether this submit was accepted" in said]) == 3
    night.events.clear()
    night.gateway.once("submit", NOTHING)
    assert (await night.run(jobs(4))).counts == {State.UNCERTAIN: 4}
    earlier, new = sorted(night.urgent)
    assert earlier.startswith("3 earlier submits of unknown outcome still not settled, job-0, job-1, job-2 (")
    assert f"vidbatch resolve {night.folder}" in earlier
    assert new.startswith("job-3: it is not known whether this submit was accepted")


async def test_many_unknown_outcomes_in_a_row_are_settled_before_another_is_sent(night: Night) -> None:
    night.limits = replace(night.limits, submit_slots=1)
    night.gateway.once("submit", *[lost(night.gateway)] * UNCERTAIN_IN_A_ROW)
    outcome = await night.run(jobs(UNCERTAIN_IN_A_ROW + 3))
    readings = [seen.at_s for seen in night.gateway.of("list")]
    following = night.gateway.of("submit")[UNCERTAIN_IN_A_ROW].at_s
    assert outcome.counts == {State.STORED: UNCERTAIN_IN_A_ROW + 3}
    assert not outcome.stopped
    assert readings[0] < following
    assert len(night.gateway.of("submit")) == len(night.gateway.book) == UNCERTAIN_IN_A_ROW + 3


async def test_many_unknown_outcomes_in_a_row_that_nothing_settles_stop_the_submits(night: Night) -> None:
    night.limits = replace(night.limits, submit_slots=1)
    night.gateway.always("submit", NOTHING)
    night.gateway.always("list", refusal(500, "down", "try later"))
    outcome = await night.run(jobs(20))
    assert outcome.counts == {State.UNCERTAIN: UNCERTAIN_IN_A_ROW, State.PENDING: 20 - UNCERTAIN_IN_A_ROW}
    assert "nothing settles them" in outcome.stopped
    assert len(night.gateway.of("submit")) == UNCERTAIN_IN_A_ROW


async def test_a_page_that_fails_in_passing_does_not_cost_the_reading(night: Night) -> None:
    night.gateway.once("submit", lost(night.gateway))
    night.gateway.once("list", *[refusal(502, "", "bad gateway")] * (PAGE_TRIES - 1))
    outcome = await night.run(jobs(1))
    assert outcome.counts == {State.STORED: 1}
    assert len(night.gateway.of("submit")) == 1


async def test_a_second_attempt_is_not_judged_by_what_was_seen_of_the_first(night: Night) -> None:
    """A reading that began before its lost answer: the page does not show the video yet, and comes after."""
    pages: list[Answer] = []
    first_reading, third_reading, lost_again = anyio.Event(), anyio.Event(), anyio.Event()
    wanted = jobs(2)

    def page(seen: Seen) -> Answer:
        pages.append(night.gateway._behaved(seen))
        first_reading.set()
        if len(pages) != 3:
            return pages[-1]
        third_reading.set()
        return replace(pages[1], hold=lost_again)

    def sold_and_lost(seen: Seen) -> Answer:
        night.gateway.sell(seen)
        return replace(NOTHING, hold=third_reading)

    def note(event: Event) -> None:
        if isinstance(event, Moved) and event.state is State.UNCERTAIN and third_reading.is_set():
            lost_again.set()

    night.limits = replace(night.limits, submit_slots=1)
    night.gateway.once("submit", NOTHING, replace(NOTHING, hold=first_reading), sold_and_lost)
    night.gateway.always("list", page)
    outcome = await night.run(wanted, observer=note)
    assert lost_again.is_set()
    assert outcome.counts == {State.STORED: 2}
    assert sorted(night.gateway.prompts_sold) == [one.prompt for one in wanted]


async def test_a_page_that_asks_for_patience_is_not_asked_for_before(night: Night) -> None:
    night.gateway.once("submit", lost(night.gateway))
    night.gateway.once("list", refusal(429, "rate_limit_exceeded", "slow down", retry_after="1"))
    outcome = await night.run(jobs(1))
    first, second, *_ = [seen.at_s for seen in night.gateway.of("list")]
    assert outcome.counts == {State.STORED: 1}
    assert second - first >= 1.0
