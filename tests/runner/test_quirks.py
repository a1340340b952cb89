"""What servers are known to say besides the shape, each with its outcome: the table of docs/reliability.md, played."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from pipeline.lifecycle import State
from pipeline.policy.verdict import Backoff
from pipeline.wire import Rule
from tests.runner.gateway import NOTHING, Answer, Script, Seen, answer, refusal
from tests.runner.night import Night, job, jobs

pytestmark = pytest.mark.anyio

Video: TypeAlias = dict[str, Any]
Dress: TypeAlias = Callable[[Video], Video]

LONG_ID = "video_" + ("bGl0ZWxsbTpjdXN0b21fbGxtX3Byb3ZpZGVyOmF6dXJl+/" * 3)[:130] + "=="
"""As LiteLLM makes them: 138 characters of base64."""
LAGGING = answer({"code": "task_not_exist", "message": "task_not_exist", "data": None}, 400)


@pytest.fixture
def anyio_backend() -> str:
    """One will do: what is read does not depend on who waits for it."""
    return "asyncio"


def dressed(night: Night, dress: Dress, *, status: int = 200, looks: int = 2) -> None:
    """Every video object that the gateway shows, receipts too, goes out as *dress* has it."""
    gateway = night.gateway
    gateway.looks = looks
    gateway.always("submit", lambda seen: answer(dress(gateway.sell(seen))))
    gateway.always("look", lambda seen: answer(dress(gateway.show(gateway.book[seen.video_id])), status))


def said(words: str) -> Dress:
    """The status in other words: *words* has those for queued, in_progress and completed."""
    theirs = dict(zip(("queued", "in_progress", "completed"), words.split(), strict=True))
    return lambda video: {**video, "status": theirs[video["status"]]}


def with_field(name: str, value: object) -> Dress:
    return lambda video: {**video, name: value}


@pytest.mark.parametrize(
    "dress",
    [
        pytest.param(with_field("error", ""), id="an empty error on success"),
        pytest.param(with_field("expires_at", 0), id="it expires at zero"),
        pytest.param(with_field("seconds", "5.0"), id="seconds as a decimal, and not those that were asked for"),
        pytest.param(with_field("progress", "soon"), id="progress in a word"),
        pytest.param(with_field("progress", None), id="no progress"),
        pytest.param(said("QUEUED IN_PROGRESS SUCCESS"), id="words in upper case"),
        pytest.param(said("NOT_START Processing Succeeded"), id="words of other servers"),
        pytest.param(lambda v: {"id": v["id"], "task_id": v["id"], "status": v["status"]}, id="three fields"),
    ],
)
async def test_what_is_said_besides_changes_nothing(night: Night, dress: Dress) -> None:
    dressed(night, dress)

    outcome = await night.run(jobs(2))

    assert (outcome.counts, outcome.stopped, night.urgent) == ({State.STORED: 2}, "", [])
    assert [night.of(one).expires_at for one in jobs(2)] == [None, None]


async def test_progress_is_a_share_of_a_hundred_however_it_is_told(night: Night) -> None:
    told = {"video_1": 120, "video_2": "30%", "video_3": "45.5 %", "video_4": -1, "video_5": None}
    dressed(night, lambda video: {**video, "progress": told[video["id"]]})

    await night.run(jobs(5))

    lines = (night.folder / "ledger.jsonl").read_text("ascii").splitlines()
    seen = [one for one in map(json.loads, lines) if one["t"] == "status"]
    ids = {one.key: one.video_id for one in night.state.jobs.values()}
    assert {ids[one["job"]]: one.get("progress") for one in seen} == {
        "video_1": 100.0,
        "video_2": 30.0,
        "video_3": 45.5,
        "video_4": 0.0,
        "video_5": None,
    }


async def test_an_id_of_base64_is_one_segment_of_every_path_and_kept_as_it_is(night: Night) -> None:
    gateway = night.gateway
    assert (len(LONG_ID), {"=", "/", "+"} - {*LONG_ID}) == (138, set())
    gateway.always("submit", lambda seen: answer({**gateway.sell(seen), "id": LONG_ID}))
    gateway.always(
        "look", lambda seen: answer(gateway.show(gateway.book["video_1"])) if seen.video_id == LONG_ID else None
    )
    gateway.always("content", lambda seen: gateway.content(seen) if seen.video_id == LONG_ID else None)

    outcome = await night.run(jobs(1))

    assert outcome.counts == {State.STORED: 1}
    assert night.of(job(0)).video_id == LONG_ID


async def test_an_answer_to_a_look_with_another_id_never_takes_the_place_of_ours(night: Night) -> None:
    gateway = night.gateway
    gateway.looks = 3
    gateway.always("look", lambda seen: answer({**gateway.show(gateway.book[seen.video_id]), "id": "sora-1:task_99"}))

    outcome = await night.run(jobs(1))

    assert outcome.counts == {State.STORED: 1}
    assert (
        {seen.video_id for seen in gateway.seen if seen.kind != "submit"} == {"video_1"} == {night.of(job(0)).video_id}
    )


async def test_a_receipt_of_three_fields_with_202_is_an_acceptance(night: Night) -> None:
    def receipt(seen: Seen) -> Answer:
        return answer({"id": night.gateway.sell(seen)["id"], "object": "video", "status": "queued"}, 202)

    night.gateway.always("submit", receipt)

    outcome = await night.run(jobs(2))

    assert (outcome.counts, len(night.gateway.book)) == ({State.STORED: 2}, 2)


async def test_a_length_that_is_told_as_a_decimal_settles_what_was_asked_for_as_a_whole_number(night: Night) -> None:
    five = (replace(job(0), seconds=5),)
    gateway = night.gateway
    gateway.lists, night.profile = True, replace(night.profile, lists=True, list_lag_s=0.01)

    def lost(seen: Seen) -> Answer:
        sold = gateway.book[str(gateway.sell(seen)["id"])]
        sold.asked["seconds"] = "5.0"
        return NOTHING

    gateway.once("submit", lost)

    outcome = await night.run(five)

    assert outcome.counts == {State.STORED: 1}
    assert len(gateway.book) == 1


@pytest.mark.parametrize(
    ("status", "fields", "reason"),
    [
        (400, {"status": "failed", "error": {"code": "400", "message": "out of memory"}}, "400: out of memory"),
        (400, {"status": "failed", "error": ""}, "the provider gave no reason"),
        (200, {"status": "FAILURE", "fail_reason": "refused upstream"}, "refused upstream"),
        (200, {"status": "failed", "error": "refused"}, "refused"),
        (200, {"status": "failed", "code": "moderated", "message": "not this"}, "moderated: not this"),
    ],
)
async def test_a_failed_video_is_a_failure_in_its_own_words_also_where_a_400_carries_it(
    night: Night, status: int, fields: Video, reason: str
) -> None:
    dressed(night, lambda video: {**video, **fields} if video["status"] != "queued" else video, status=status)

    outcome = await night.run(jobs(1))

    assert outcome.counts == {State.FAILED: 1}
    assert (night.of(job(0)).reason, len(night.gateway.of("look"))) == (reason, 1)


async def test_a_400_that_carries_a_running_video_is_a_status_like_any_other(night: Night) -> None:
    dressed(night, lambda video: video, status=400, looks=3)

    outcome = await night.run(jobs(1))

    assert (outcome.counts, len(night.gateway.of("look"))) == ({State.STORED: 1}, 3)


@pytest.mark.parametrize(("means", "state"), [("failed", State.FAILED), ("not_ready", State.STORED)])
async def test_what_a_rule_of_the_profile_reads_into_a_refused_look_is_what_it_means(
    night: Night, means: str, state: State
) -> None:
    rule = Rule(means=means, to=("look",), http=(422,), code=("task_state",))
    night.profile = replace(night.profile, wire=replace(night.profile.wire, problems=(rule,)))
    night.patience = replace(night.patience, look=Backoff(base_s=60.0, cap_s=60.0))  # nobody waits so long
    night.gateway.once("look", *[refusal(422, "task_state", "as it is")] * 3)

    outcome = await night.run(jobs(1))

    assert outcome.counts == {state: 1}
    assert (night.of(job(0)).code, night.urgent) == ("task_state" if state is State.FAILED else "", [])


async def test_a_status_that_nobody_knows_is_still_running_and_said(night: Night) -> None:
    dressed(night, said("queued marinating completed"), looks=3)

    outcome = await night.run(jobs(2))

    assert outcome.counts == {State.STORED: 2}
    assert len(night.urgent) == 1
    assert "unknown status 'marinating'" in night.urgent[0]
    assert 'status_words: {"marinating": done}' in night.urgent[0]


async def test_a_flat_error_tells_why_a_submit_was_refused(night: Night) -> None:
    words = {"code": "invalid_size", "message": "size 1x1 is not supported", "data": None}
    night.gateway.always("submit", answer(words, 400))

    outcome = await night.run(jobs(1))

    assert outcome.counts == {State.REJECTED: 1}
    assert night.of(job(0)).reason == "400 invalid_size: size 1x1 is not supported"


@pytest.mark.parametrize("lagging", [LAGGING, refusal(404)], ids=["task_not_exist", "404"])
async def test_an_id_that_is_not_known_for_a_while_is_looked_at_again(night: Night, lagging: Answer) -> None:
    night.gateway.once("look", *[lagging] * 4)

    outcome = await night.run(jobs(1))

    assert outcome.counts == {State.STORED: 1}
    assert (len(night.gateway.of("look")), len(night.gateway.book)) == (5, 1)


@pytest.mark.parametrize(
    "none",
    [
        pytest.param(refusal(404), id="404"),
        pytest.param(Answer(headers={"content-type": "video/mp4"}), id="empty"),
        pytest.param(answer({"id": "video_1", "status": "completed"}), id="JSON"),
    ],
)
async def test_a_completed_video_without_content_is_tried_for_and_left_to_a_later_run_never_bought_again(
    night: Night, none: Script
) -> None:
    night.gateway.always("content", none)

    first = await night.run(jobs(1))

    assert (first.counts, first.stopped) == ({State.FINISHED: 1}, "")
    assert "download_failed" in night.facts(job(0))
    night.gateway.behave()
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert len(night.gateway.of("submit")) == 1
