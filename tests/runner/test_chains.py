"""Jobs that build on another's video: in the right order, from the right source, and never in vain."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.doubts import doubts
from pipeline.ledger.ledger import utc_now
from pipeline.ledger.resolve import resolve
from pipeline.lifecycle import Fact, State
from pipeline.limits import LimitsWish
from pipeline.model import Job, Link, Reference
from pipeline.plan import Action, Plan
from pipeline.profile import Profile
from pipeline.progress import Moved
from pipeline.storage import RunFolder
from tests.runner.gateway import NOTHING, Answer, Seen, answer, refusal
from tests.runner.night import Night, built_on, job

pytestmark = pytest.mark.anyio

FAILED = answer({"id": "", "object": "video", "status": "failed", "error": {"code": "moderated", "message": "no"}})


def storyboard(chains: int = 1, first: int = 0) -> tuple[Job, ...]:
    """Chains of three videos, written from the last to the first."""
    written: list[Job] = []
    for n in range(first, first + chains * 3, 3):
        root = job(n)
        middle = built_on(root, n + 1)
        written += [built_on(middle, n + 2), middle, root]
    return tuple(written)


def failing(night: Night, *prompts: str) -> None:
    def look(seen: Seen) -> Answer | None:
        video = night.gateway.book[seen.video_id]
        return answer({**json.loads(FAILED.body), "id": video.id}) if video.prompt in prompts else None

    night.gateway.always("look", look)


def lineage(night: Night) -> dict[str, str]:
    """By prompt: the prompt that each video was made from."""
    book = night.gateway.book
    return {video.prompt: book[video.made_from].prompt if video.made_from else "" for video in book.values()}


async def test_each_is_made_from_the_finished_video_of_its_own_source_wherever_that_stands(night: Night) -> None:
    night.gateway.looks = 2
    wanted = storyboard(4)
    outcome = await night.run(wanted)
    assert outcome.counts == {State.STORED: 12}
    by_key = {one.key: one for one in wanted}
    assert lineage(night) == {one.prompt: by_key[one.source].prompt if one.source else "" for one in wanted}
    assert len(night.gateway.of("submit")) == 12


async def test_what_is_sent_and_what_is_kept_name_the_source(night: Night) -> None:
    last, middle, root = storyboard()
    extension = replace(built_on(root, 7, link=Link.EXTEND), seconds=8, params={"seed": 7})
    await night.run((last, middle, root, extension))
    sent = {json.loads(seen.body)["prompt"]: seen for seen in night.gateway.of("submit") if seen.video_id}
    root_id = night.of(root).video_id
    assert json.loads(sent[middle.prompt].body) == {"prompt": middle.prompt}
    assert json.loads(sent[extension.prompt].body) == {
        "prompt": extension.prompt,
        "seconds": "8",
        "video": {"id": root_id},
        "seed": 7,
    }
    sidecar = json.loads(night.video(middle).with_suffix(".json").read_text())
    assert sidecar["source"] == {"key": root.key, "id": root.id, "link": "remix", "video_id": root_id}
    rows = [json.loads(line) for line in (night.folder / "videos/metadata.jsonl").read_text().splitlines()]
    assert {row["id"]: (row["source"], row["link"]) for row in rows} == {
        root.id: (None, None),
        middle.id: (root.key, "remix"),
        last.id: (middle.key, "remix"),
        extension.id: (root.key, "extend"),
    }


async def test_what_builds_on_a_video_goes_before_what_stands_alone_and_holds_up_nobody(night: Night) -> None:
    root = job(0)
    others = tuple(job(n) for n in range(10, 18))
    night.limits = replace(night.limits, submit_slots=1, in_flight=2)
    outcome = await night.run((built_on(root, 1), root, *others))
    assert outcome.counts == {State.STORED: 10}
    prompts = night.gateway.prompts_sold
    assert prompts[0] == root.prompt
    assert others[0].prompt in prompts[: prompts.index("scene 1 at night")]  # it waited beside the line
    assert others[-1].prompt in prompts[prompts.index("scene 1 at night") :]


@pytest.mark.parametrize("how", ["failed", "rejected"])
async def test_a_source_without_a_video_blocks_all_that_builds_on_it_and_nothing_else(night: Night, how: str) -> None:
    last, middle, root = storyboard()
    good = storyboard(1, first=10)
    if how == "failed":
        failing(night, root.prompt)
    else:
        night.gateway.always(
            "submit", lambda seen: refusal(400, "moderated", "no") if root.prompt.encode() in seen.body else None
        )
    outcome = await night.run((last, middle, root, *good))
    assert outcome.counts == {State(how): 1, State.BLOCKED: 2, State.STORED: 3}
    assert root.id in night.of(middle).reason
    assert how in night.of(middle).reason
    assert "moderated" in night.of(middle).reason
    assert f"its source {middle.id} is blocked" in night.of(last).reason
    assert night.facts(last) == ["blocked"]
    assert {event.id for event in night.events if isinstance(event, Moved) and event.state is State.BLOCKED} == {
        middle.id,
        last.id,
    }
    before = len(night.gateway.seen)
    again = await night.run((last, middle, root, *good))
    assert again.counts == outcome.counts
    assert len(night.gateway.seen) == before
    assert {step.job.id for step in again.outlook.plan.of(Action.BLOCKED)} == {middle.id, last.id}
    assert again.outlook.plan.cost == 0


async def test_a_source_that_is_tried_again_frees_what_builds_on_it(night: Night) -> None:
    last, middle, root = storyboard()
    failing(night, root.prompt)
    await night.run((last, middle, root))
    night.gateway.behave()
    night.choice = replace(night.choice, retry=frozenset({State.FAILED}))
    outcome = await night.run((last, middle, root))
    assert outcome.counts == {State.STORED: 3}
    assert len(outcome.outlook.plan.submits) == 3
    assert night.facts(middle)[:3] == ["blocked", "unblocked", "intent"]
    assert len(night.gateway.book) == 4  # the first try of the source, and three
    assert lineage(night)[middle.prompt] == root.prompt
    assert night.gateway.book[night.of(middle).video_id].made_from == night.of(root).video_id


async def test_a_source_that_fails_again_blocks_again(night: Night) -> None:
    last, middle, root = storyboard()
    failing(night, root.prompt)
    await night.run((last, middle, root))
    night.choice = replace(night.choice, retry=frozenset({State.FAILED}))
    outcome = await night.run((last, middle, root))
    assert outcome.counts == {State.FAILED: 1, State.BLOCKED: 2}
    assert night.facts(last) == ["blocked", "unblocked", "blocked"]


async def test_what_is_free_again_and_was_not_submitted_does_not_say_why_it_was_blocked(night: Night) -> None:
    last, middle, root = storyboard()
    failing(night, root.prompt)
    await night.run((last, middle, root))
    night.choice = replace(night.choice, retry=frozenset({State.FAILED}), limits=LimitsWish(budget=Decimal("0.40")))
    outcome = await night.run((last, middle, root))
    assert "budget" in outcome.stopped
    assert (night.of(middle).state, night.of(middle).reason) == (State.PENDING, "")


async def test_an_uncertain_source_is_waited_for_until_a_person_says_what_became_of_it(night: Night) -> None:
    last, middle, root = storyboard()
    night.gateway.once("submit", NOTHING)
    outcome = await night.run((last, middle, root))
    assert outcome.counts == {State.UNCERTAIN: 1, State.PENDING: 2}
    assert not outcome.stopped
    assert any(middle.id in words and root.id in words for words in night.urgent)
    resolve(night.folder, [root.id], Fact.NOT_CREATED)
    assert (await night.run((last, middle, root))).counts == {State.STORED: 3}


async def test_a_source_that_is_given_up_blocks_what_builds_on_it_at_the_next_run(night: Night) -> None:
    last, middle, root = storyboard()
    night.gateway.once("submit", NOTHING)
    await night.run((last, middle, root))
    resolve(night.folder, [root.id], Fact.DROPPED)
    outcome = await night.run((last, middle, root))
    assert outcome.counts == {State.DROPPED: 1, State.BLOCKED: 2}
    assert len(night.gateway.of("submit")) == 1


async def test_a_source_without_an_end_is_waited_for_as_long_as_it_is_watched(night: Night) -> None:
    last, middle, root = storyboard()
    night.gateway.looks = 1_000_000
    night.profile = replace(night.profile, pace=replace(night.profile.pace, deadline_s=0.05))
    outcome = await night.run((last, middle, root))
    assert outcome.counts == {State.STALLED: 1, State.PENDING: 2}
    night.gateway.looks = 1
    assert (await night.run((last, middle, root))).counts == {State.STORED: 3}


async def test_a_video_that_the_provider_dropped_is_built_on_no_more(night: Night) -> None:
    last, middle, root = storyboard()
    assert (await night.run((root,))).counts == {State.STORED: 1}
    later = timedelta(seconds=night.profile.retention_s + 1)
    night.now = lambda: datetime.now(UTC) + later
    outcome = await night.run((last, middle, root))
    assert outcome.counts == {State.STORED: 1, State.BLOCKED: 2}
    assert "kept the video" in night.of(middle).reason
    assert root.id in night.of(middle).reason
    assert len(night.gateway.of("submit")) == 1


async def test_a_video_that_the_provider_says_it_will_keep_is_built_on(night: Night) -> None:
    last, middle, root = storyboard()
    until = int((datetime.now(UTC) + timedelta(days=2)).timestamp())
    night.gateway.once("look", answer({"id": "video_1", "status": "completed", "expires_at": until}))
    await night.run((root,))
    night.gateway.book["video_1"].finished = True
    night.now = lambda: datetime.now(UTC) + timedelta(days=1)
    assert (await night.run((last, middle, root))).counts == {State.STORED: 3}


async def test_a_provider_that_does_not_know_the_source_refuses_one_job_and_not_the_run(night: Night) -> None:
    last, middle, root = storyboard()
    other = job(9)
    await night.run((root,))
    night.gateway.book.clear()
    outcome = await night.run((last, middle, root, other))
    assert outcome.counts == {State.STORED: 2, State.REJECTED: 1, State.BLOCKED: 1}
    assert not outcome.stopped


async def test_a_clock_that_is_set_in_the_middle_of_a_run_blocks_nothing(night: Night) -> None:
    """Nor what builds on a video that an earlier run has seen finish."""
    root = job(0)
    remixes = tuple(built_on(root, n) for n in (1, 2, 3))
    await night.run((root,))
    night.events.clear()
    night.limits = replace(night.limits, submit_slots=1)
    night.now = lambda: datetime.now(UTC) + timedelta(days=sum(isinstance(event, Moved) for event in night.events))
    assert (await night.run((root, *remixes))).counts == {State.STORED: 4}


async def test_sources_are_taken_along_where_few_jobs_are_chosen(night: Night) -> None:
    wanted = storyboard(2)
    night.choice = replace(night.choice, only=wanted[0].id)
    outcome = await night.run(wanted)
    assert outcome.counts == {State.STORED: 3}
    assert outcome.outlook.plan.left_out == 3


async def test_a_remix_that_was_accepted_unseen_is_found_in_the_list_and_is_not_its_source(night: Night) -> None:
    root = job(0, "a tug")
    remix = built_on(root, 1, "a tug")
    twin = job(2, "a tug at last")
    night.gateway.lists, night.profile = True, replace(night.profile, lists=True, list_lag_s=0.05)

    lost: list[Seen] = []

    def lose(seen: Seen) -> Answer | None:
        if not seen.video_id or lost:
            return None
        lost.append(seen)
        night.gateway.sell(seen)
        return NOTHING

    night.gateway.always("submit", lose)
    outcome = await night.run((remix, root, twin))
    assert outcome.counts == {State.STORED: 3}
    assert "adopted" in night.facts(remix)
    assert night.gateway.book[night.of(remix).video_id].made_from == night.of(root).video_id
    assert len(night.gateway.book) == 3


@pytest.mark.parametrize("gone", [False, True])
async def test_a_key_is_repeated_with_the_source_that_was_sent(night: Night, gone: bool) -> None:
    root, remix = job(0), built_on(job(0), 1)
    night.gateway.honours_keys, night.profile = True, replace(night.profile, honours_keys=True)
    lost: list[Seen] = []

    def lose(seen: Seen) -> Answer | None:
        if not seen.video_id or lost:
            return refusal(400, message="it is gone") if lost and gone else None
        lost.append(seen)
        if not gone:
            night.gateway.sell(seen)
        return NOTHING

    night.gateway.always("submit", lose)
    outcome = await night.run((remix, root))
    assert outcome.counts == ({State.STORED: 1, State.UNCERTAIN: 1} if gone else {State.STORED: 2})
    repeated = night.gateway.of("submit")[-1]
    assert (repeated.video_id, repeated.body) == (lost[0].video_id, lost[0].body)
    assert repeated.headers["idempotency-key"] == lost[0].headers["idempotency-key"]


async def test_no_key_is_repeated_for_a_remix_where_only_those_of_new_videos_are_known_to_be_honoured(
    night: Night,
) -> None:
    root, remix = job(0), built_on(job(0), 1)
    night.gateway.honours_keys = True
    night.profile = replace(night.profile, honours_keys=True, honours_keys_linked=False)
    night.gateway.always("submit", lambda seen: NOTHING if seen.video_id and night.gateway.sell(seen) else None)
    assert (await night.run((remix, root))).counts == {State.STORED: 1, State.UNCERTAIN: 1}
    assert [bool(seen.video_id) for seen in night.gateway.of("submit")] == [False, True]

    def asked(profile: Profile) -> int:
        return doubts(Plan(steps=(), orphans=(), left_out=0), night.state, profile, None, "", now=utc_now()).asked

    assert (asked(night.profile), asked(replace(night.profile, honours_keys_linked=True))) == (0, 1)


PICTURE = b"\x89PNG\r\n\x1a\n: nobody looks into it here"
FOX = Reference(name="images/fox.png", sha256=hashlib.sha256(PICTURE).hexdigest(), media_type="image/png")


def keep(night: Night, content: bytes = PICTURE) -> Path:
    """Put the image where the run folder keeps it."""
    image = RunFolder(night.folder).image(FOX.name, FOX.sha256)
    image.parent.mkdir(parents=True, exist_ok=True)
    image.write_bytes(content)
    return image


async def test_an_image_goes_along_as_a_file_and_its_digest_is_kept(night: Night) -> None:
    keep(night)
    fox = replace(job(0), reference=FOX)
    assert (await night.run((fox, job(1)))).counts == {State.STORED: 2}
    with_image, without = sorted(night.gateway.of("submit"), key=lambda seen: PICTURE not in seen.body)
    assert b'name="input_reference"; filename="reference.png"\r\nContent-Type: image/png\r\n\r\n' in with_image.body
    assert b"input_reference" not in without.body
    sidecar = json.loads(night.video(fox).with_suffix(".json").read_text())
    assert sidecar["reference"] == {"name": FOX.name, "sha256": FOX.sha256, "media_type": "image/png", "fit": ""}
    assert night.of(fox).wish.reference["sha256"] == FOX.sha256


@pytest.mark.parametrize("there", [None, b"another picture"])
async def test_without_its_image_a_job_is_not_begun_and_nothing_more_is_bought(
    night: Night, there: bytes | None
) -> None:
    image = keep(night, there or b"")
    if there is None:
        image.unlink()
    fox = replace(job(0), reference=FOX)
    outcome = await night.run((fox,))
    assert outcome.counts == {State.PENDING: 1}
    assert "image" in outcome.stopped
    assert night.facts(fox) == []
    keep(night)
    assert (await night.run((fox,))).counts == {State.STORED: 1}


@pytest.mark.parametrize("there", [True, False])
async def test_a_key_is_repeated_with_its_image_or_not_at_all(night: Night, there: bool) -> None:
    image = keep(night)
    fox = replace(job(0), reference=FOX)
    night.gateway.honours_keys = True
    night.gateway.once("submit", lambda seen: NOTHING if night.gateway.sell(seen) else None)
    assert (await night.run((fox,))).counts == {State.UNCERTAIN: 1}
    if not there:
        image.unlink()
    night.profile = replace(night.profile, honours_keys=True)
    outcome = await night.run((fox,))
    posts = night.gateway.of("submit")
    assert outcome.counts == {State.STORED if there else State.UNCERTAIN: 1}
    assert {seen.body for seen in posts} == {posts[0].body}
    assert len(posts) == 1 + there
    assert len(night.gateway.book) == 1
