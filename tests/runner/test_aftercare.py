"""What follows after `stored`: pictures beside the video, and the video deleted where it was; neither costs one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from pipeline import api
from pipeline.lifecycle import Fact, State
from pipeline.limits import LimitsWish
from pipeline.model import Aftercare
from pipeline.outlook import Choice
from pipeline.plan import Action
from pipeline.policy.aftercare import TRIES
from pipeline.progress import Deleted, Event, Moved, Notice
from pipeline.views.status import status_document
from tests.runner.gateway import NOTHING, Answer, Seen, answer, refusal
from tests.runner.night import Night, built_on, job, jobs, manifest

pytestmark = pytest.mark.anyio

WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 a small picture"
THUMBNAIL = Aftercare(variants=("thumbnail",))
DELETED = Aftercare(delete_remote=True)
BOTH = Aftercare(variants=("thumbnail",), delete_remote=True)


@pytest.fixture
def anyio_backend() -> str:
    """One of the two: the lanes beside it run under both."""
    return "trio"


@pytest.fixture
def kept(night: Night) -> Night:
    night.gateway.pictures["thumbnail"] = WEBP
    return night


def told(night: Night) -> list[str]:
    """What the lane said."""
    return [event.message for event in night.events if isinstance(event, Notice) and event.lane == "aftercare"]


def picture(night: Night, n: int = 0, name: str = "thumbnail") -> Path:
    return night.folder / "videos" / "coast" / f"job-{n}-{name}.webp"


async def test_a_picture_stands_beside_its_video_and_in_every_document_about_it(kept: Night) -> None:
    kept.aftercare = THUMBNAIL
    assert (await kept.run(jobs(1))).counts == {State.STORED: 1}

    assert picture(kept).read_bytes() == WEBP
    sidecar = json.loads(kept.video(job(0)).with_suffix(".json").read_bytes())
    assert sidecar["variants"]["thumbnail"]["file"] == picture(kept).name
    row = json.loads((kept.folder / "videos" / "metadata.jsonl").read_text())
    assert row["variants"] == {"thumbnail": "coast/job-0-thumbnail.webp"}
    assert not [name for name in row if name.endswith("file_name") and name != "file_name"]  # VideoFolder's videos
    shown: Any = status_document(kept.state)["jobs"]
    assert shown[0]["variants"] == {"thumbnail": "videos/coast/job-0-thumbnail.webp"}


async def test_a_picture_that_is_missing_is_fetched_by_a_later_run_and_nothing_else_is(kept: Night) -> None:
    await kept.run(jobs(2))
    kept.aftercare = THUMBNAIL
    await kept.run(jobs(2))
    picture(kept, 1).unlink()
    before = len(kept.gateway.seen)
    await kept.run(jobs(2))
    await kept.run(jobs(2))

    assert [(seen.kind, seen.video_id) for seen in kept.gateway.seen[before:]] == [
        ("variant", kept.of(job(1)).video_id)
    ]
    assert picture(kept, 0).read_bytes() == picture(kept, 1).read_bytes() == WEBP


@pytest.mark.parametrize(
    ("wrong", "videos", "asked", "words"),
    [
        (refusal(404), 2, 2, "the provider does not have it"),
        (refusal(400, message="not ready"), 2, 2, "the provider does not have it"),
        (refusal(422), 2, 2, "the provider does not have it"),
        (Answer(body=b"<html>"), 2, 2, "as no picture does"),
        (refusal(500), 1, TRIES, "a later run asks again"),
        (NOTHING, 1, TRIES, "a later run asks again"),
    ],
    ids=["404", "400", "422", "a page", "500", "nothing"],
)
async def test_a_picture_that_does_not_come_is_said_once_and_costs_no_video(
    kept: Night, wrong: Answer, videos: int, asked: int, words: str
) -> None:
    kept.aftercare = THUMBNAIL
    kept.gateway.always("variant", wrong)
    outcome = await kept.run(jobs(videos))

    assert (outcome.counts, outcome.stopped) == ({State.STORED: videos}, "")
    assert len(kept.gateway.of("variant")) == asked
    [message] = told(kept)
    assert words in message
    assert f"job-{videos - 1}" in message
    assert not picture(kept).exists()


async def test_no_video_waits_for_a_picture(kept: Night) -> None:
    kept.aftercare = THUMBNAIL
    kept.limits = LimitsWish(in_flight=1, submits_per_minute=60_000.0, submit_slots=1, downloads=1)
    all_here = anyio.Event()
    kept.gateway.once("variant", Answer(body=WEBP, hold=all_here))

    def note(event: Event) -> None:
        if isinstance(event, Moved) and kept.boards[0].ledger.state.counts[State.STORED] == 3:
            all_here.set()

    assert (await kept.run(jobs(3), observer=note)).counts == {State.STORED: 3}
    assert all(picture(kept, n).exists() for n in range(3))


async def test_a_file_of_anothers_in_a_pictures_place_is_left_alone(kept: Night) -> None:
    kept.aftercare = BOTH
    picture(kept).parent.mkdir(parents=True)
    picture(kept).write_bytes(b"mine")
    assert (await kept.run(jobs(1))).counts == {State.STORED: 1}
    assert picture(kept).read_bytes() == b"mine"
    assert "is another file already" in told(kept)[0]
    assert kept.gateway.deleted == []


async def test_a_video_is_deleted_once_and_only_when_stored_is_on_disk(kept: Night) -> None:
    kept.aftercare = BOTH

    ready: list[bool] = []

    def note_what_is_on_disk(seen: Seen) -> None:
        lines = (kept.folder / "ledger.jsonl").read_text("ascii").splitlines()
        stored = {record["job"] for record in map(json.loads, lines) if record["t"] == Fact.STORED}
        [one] = [one for one in kept.boards[0].ledger.state.jobs.values() if one.video_id == seen.video_id]
        ready.append(one.key in stored and picture(kept, int(one.id[-1])).exists())

    kept.gateway.always("delete", note_what_is_on_disk)
    outcome = await kept.run(jobs(2))
    again = await kept.run(jobs(2))

    assert again.deleted == 0
    assert ready == [True, True]
    assert (outcome.counts, outcome.deleted) == ({State.STORED: 2}, 2)
    gone = [event for event in kept.events if isinstance(event, Deleted)]
    assert {(event.key, event.video_id) for event in gone} == {
        (one.key, one.video_id) for one in kept.state.jobs.values()
    }
    assert len(gone) == 2
    assert len(kept.gateway.of("delete")) == 2
    assert set(kept.gateway.deleted) == set(kept.gateway.book)
    assert all(one.is_deleted for one in kept.state.jobs.values())


async def test_a_picture_that_may_yet_come_keeps_the_video_there(kept: Night) -> None:
    kept.aftercare = BOTH
    kept.gateway.always("variant", refusal(500))
    await kept.run(jobs(1))
    assert kept.gateway.of("delete") == []

    kept.gateway.behave()
    await kept.run(jobs(1))
    assert picture(kept).exists()
    assert kept.gateway.deleted == list(kept.gateway.book)


async def test_a_source_is_deleted_only_after_what_is_made_from_it_is_here(kept: Night) -> None:
    kept.aftercare = DELETED
    source = job(0)
    assert (await kept.run((source, built_on(source, 1)))).counts == {State.STORED: 2}
    order = [(seen.kind, seen.video_id) for seen in kept.gateway.seen if seen.kind in ("content", "delete")]
    assert order.index(("delete", "video_1")) > order.index(("content", "video_2"))
    assert set(kept.gateway.deleted) == {"video_1", "video_2"}


@pytest.mark.parametrize("only", ["", "job-0"], ids=["its heir is uncertain", "its heir is left out of this run"])
async def test_a_source_stays_while_what_builds_on_it_is_not_settled(kept: Night, only: str) -> None:
    kept.aftercare, source = DELETED, job(0)
    kept.choice = replace(kept.choice, only=only)
    kept.gateway.once("submit", kept.gateway.behaves, NOTHING)
    await kept.run((source, built_on(source, 1)))

    assert kept.of(source).state is State.STORED
    assert kept.gateway.of("delete") == []
    assert "something builds on it" in told(kept)[0]


async def test_a_refused_deletion_is_said_and_ends_nothing(kept: Night) -> None:
    kept.aftercare = DELETED
    kept.gateway.always("delete", refusal(405, message="no such method"))
    outcome = await kept.run(jobs(2))
    assert (outcome.counts, outcome.stopped) == ({State.STORED: 2}, "")
    [message] = told(kept)
    assert "2 videos" in message
    assert "no such method" in message


@pytest.mark.parametrize(
    ("look", "asked", "words"),
    [
        (refusal(404), 1, ""),
        (refusal(410), 1, ""),
        (answer({"id": "video_1", "status": "expired"}), 1, ""),
        (answer({"id": "video_1", "status": "completed"}), 1, "404 Invalid URL; and yet the video is there"),
        (refusal(503, message="busy"), TRIES, "busy"),
        (NOTHING, TRIES, "the answer broke off"),
    ],
    ids=["unknown", "gone", "expired", "there", "busy", "no answer"],
)
async def test_a_404_to_a_deletion_is_believed_only_where_a_look_says_the_same(
    kept: Night, look: Answer, asked: int, words: str
) -> None:
    """A server without that method says 404 too, and keeps the video."""
    kept.aftercare = DELETED

    def unknown(_: Seen) -> Answer:
        kept.gateway.always("look", look)
        return refusal(404, message="Invalid URL")

    kept.gateway.always("delete", unknown)
    await kept.run(jobs(1))

    assert kept.of(job(0)).is_deleted is not bool(words)
    assert len(kept.gateway.of("delete")) == asked
    assert len(told(kept)) == bool(words)
    assert words in "".join(told(kept))


@pytest.mark.parametrize("spoilt", [lambda film: film[:5], lambda film: bytes(len(film))], ids=["short", "other bytes"])
async def test_nothing_is_deleted_whose_file_here_is_not_as_it_was_stored(
    kept: Night, spoilt: Callable[[bytes], bytes]
) -> None:
    kept.aftercare = DELETED

    def spoil(event: Event) -> None:
        if isinstance(event, Moved) and event.state is State.STORED:
            (kept.folder / "videos" / event.path).write_bytes(spoilt(kept.gateway.film))

    await kept.run(jobs(1), observer=spoil)
    assert kept.gateway.of("delete") == []
    assert "not as it was stored" in kept.urgent[0]


async def test_what_was_deleted_and_then_lost_here_has_expired_and_can_be_bought_again(kept: Night) -> None:
    kept.aftercare = DELETED
    await kept.run(jobs(1))
    kept.video(job(0)).unlink()
    asked = len(kept.gateway.seen)

    plan = api.plan_run(manifest(jobs(1), kept.base_url, kept.profile), Choice(outputs=kept.outputs)).plan
    assert [step.action for step in plan.steps] == [Action.ENDED]
    assert (await kept.run(jobs(1))).counts == {State.EXPIRED: 1}
    assert len(kept.gateway.seen) == asked

    kept.choice = replace(kept.choice, retry=frozenset({State.EXPIRED}))
    assert (await kept.run(jobs(1))).counts == {State.STORED: 1}
    assert len(kept.gateway.book) == 2


async def test_an_outage_at_the_end_leaves_the_rest_to_a_later_run(kept: Night) -> None:
    await kept.run(jobs(8))
    kept.aftercare = DELETED
    kept.gateway.always("delete", NOTHING)
    await kept.run(jobs(8))
    assert len(kept.gateway.of("delete")) == 5
    kept.gateway.behave()
    await kept.run(jobs(8))
    assert len(kept.gateway.deleted) == 8


async def test_an_interrupt_leaves_at_once_and_a_later_run_goes_on(kept: Night) -> None:
    kept.aftercare = DELETED

    def interrupted(seen: Seen) -> Answer:
        kept.boards[0].interrupt()
        return Answer(hold=anyio.Event())

    kept.gateway.once("delete", interrupted)
    assert (await kept.run(jobs(1))).interrupted
    await kept.run(jobs(1))
    assert kept.gateway.deleted == ["video_1"]
