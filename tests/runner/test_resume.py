"""Coming back to a run folder: after edits, accidents, deletions, and while somebody else is in it."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from pipeline.errors import LedgerBusy, UsageError
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.repair import repair
from pipeline.lifecycle import State
from pipeline.naming import beside
from pipeline.runner.part import Part
from pipeline.storage import RunFolder
from tests.runner.gateway import ETAG, Answer, Gateway, Seen, answer, refusal, serving
from tests.runner.night import Night, job, jobs

pytestmark = pytest.mark.anyio


async def test_a_stored_file_that_was_deleted_is_fetched_again(night: Night, a_film: bytes) -> None:
    await night.run(jobs(2))
    night.video(job(0)).unlink()
    outcome = await night.run(jobs(2))
    assert outcome.counts == {State.STORED: 2}
    assert night.video(job(0)).read_bytes() == a_film
    assert len(night.gateway.book) == 2
    assert len(night.gateway.of("content")) == 3


async def test_a_stored_file_of_another_length_is_fetched_again(night: Night, a_film: bytes) -> None:
    await night.run(jobs(2))
    night.video(job(0)).write_bytes(a_film[:1000])
    assert (await night.run(jobs(2))).counts == {State.STORED: 2}
    assert night.video(job(0)).read_bytes() == a_film
    assert len(night.gateway.of("content")) == 3


@pytest.mark.parametrize("left", ["its name", "a part"])
async def test_a_whole_video_whose_stored_did_not_reach_the_ledger_is_adopted(
    night: Night, a_film: bytes, left: str
) -> None:
    await night.run(jobs(1))
    ledger, video = night.folder / "ledger.jsonl", night.video(job(0))
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[: next(n for n, line in enumerate(lines) if b'"t":"stored"' in line)]))
    if left == "a part":  # killed between the two names
        video.rename(video.with_name(video.name + ".part"))
    night.gateway.always("content", refusal(410))

    assert (await night.run(jobs(1))).counts == {State.STORED: 1}

    assert len(night.gateway.of("content")) == 1
    assert video.read_bytes() == a_film
    assert not list(night.folder.rglob("*.part*"))


async def test_a_ledger_that_lost_its_header_is_repaired_and_brings_home_what_was_bought(night: Night) -> None:
    await _left_in_flight(night, 3)
    ledger = night.folder / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b'"t":"header"', b'"t":"hXader"', 1))
    repair(ledger, now=night.now)

    assert (await night.run(jobs(3))).counts == {State.STORED: 3}

    assert len(night.gateway.book) == 3


async def test_the_bytes_of_a_lost_video_are_no_part_of_the_next_ones(night: Night, a_film: bytes) -> None:
    await _left_in_flight(night, 1)
    other = Part(RunFolder(night.folder), job(0).path, "video_0")
    other.begin(ETAG, len(a_film))
    other.write(a_film[:8] + bytes(1000))
    other.close()

    assert (await night.run(jobs(1))).counts == {State.STORED: 1}

    assert "range" not in night.gateway.of("content")[0].headers
    assert night.video(job(0)).read_bytes() == a_film


async def test_a_deleted_file_is_not_asked_for_at_another_address(night: Night) -> None:
    await night.run(jobs(1))
    night.video(job(0)).unlink()
    other = Gateway(night.gateway.film)
    async with serving(other) as elsewhere:
        night.base_url = elsewhere
        with pytest.raises(UsageError, match="bring them home"):
            await night.run(jobs(2))
    assert other.seen == []


async def test_a_bought_video_that_the_manifest_no_longer_asks_for_comes_home(night: Night, a_film: bytes) -> None:
    await _left_in_flight(night, 2)
    outcome = await night.run((job(1),))
    assert outcome.counts == {State.STORED: 2}
    assert night.video(job(0)).read_bytes() == a_film
    assert len(night.gateway.book) == 2


async def _left_in_flight(night: Night, count: int) -> None:
    """Buy *count* videos and leave while they are being rendered."""
    looks, night.gateway.looks = night.gateway.looks, 1_000_000

    def leave(seen: Seen) -> None:
        if len(night.gateway.of("look")) > count:
            night.boards[-1].interrupt()

    night.gateway.always("look", leave)
    outcome = await night.run(jobs(count))
    assert outcome.interrupted
    assert outcome.counts == {State.IN_FLIGHT: count}
    night.gateway.behave()
    night.gateway.looks = looks


async def test_an_edited_prompt_is_a_new_video_and_the_old_file_stays(night: Night) -> None:
    await night.run(jobs(1))
    old = night.video(job(0)).read_bytes()
    edited = job(0, prompt="tug 0 at dusk")
    outcome = await night.run((edited,))
    assert outcome.counts == {State.STORED: 1}
    assert night.of(edited).path == beside(job(0).path, edited.key[:8])
    assert night.video(job(0)).read_bytes() == old
    assert night.gateway.prompts_sold == ["tug 0 at dawn", "tug 0 at dusk"]


async def test_without_its_ledger_a_run_overwrites_nothing(night: Night) -> None:
    await night.run(jobs(3))
    before = {path: path.read_bytes() for path in night.folder.rglob("videos/**/*.mp4")}
    (night.folder / "ledger.jsonl").unlink()
    outcome = await night.run(jobs(3))
    assert outcome.counts == {State.STORED: 3}
    assert {night.of(one).path for one in jobs(3)} == {beside(one.path, one.key[:8]) for one in jobs(3)}
    assert {path: path.read_bytes() for path in before} == before


async def test_a_second_runner_is_turned_away_and_sends_nothing(night: Night) -> None:
    night.folder.mkdir()
    with Ledger.open(night.folder / "ledger.jsonl"), pytest.raises(LedgerBusy) as busy:
        await night.run(jobs(2))
    assert busy.value.exit_code == 5
    assert night.gateway.seen == []


async def test_two_runs_at_once_in_one_process_buy_everything_once(night: Night) -> None:
    busy: list[LedgerBusy] = []

    async def one() -> None:
        try:
            await night.run(jobs(4))
        except LedgerBusy as error:
            busy.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)
        tasks.start_soon(one)
    assert len(busy) == 1
    assert len(night.gateway.book) == 4
    assert night.state.counts[State.STORED] == 4


async def test_videos_at_another_address_are_not_taken_for_lost(night: Night) -> None:
    await _left_in_flight(night, 2)
    here = night.base_url
    other = Gateway(night.gateway.film)
    async with serving(other) as elsewhere:
        night.base_url = elsewhere
        with pytest.raises(UsageError, match="bring them home"):
            await night.run(jobs(3))
        assert other.seen == []
    night.base_url = here
    assert (await night.run(jobs(2))).counts == {State.STORED: 2}
    assert len(night.gateway.book) == 2


async def test_another_address_may_be_used_once_everything_is_home(night: Night) -> None:
    await night.run(jobs(1))
    other = Gateway(night.gateway.film)
    async with serving(other) as elsewhere:
        night.base_url = elsewhere
        assert (await night.run(jobs(2))).counts == {State.STORED: 2}
    assert len(other.book) == 1


async def test_a_cancelled_run_waits_for_the_answer_to_an_open_post_and_writes_it_down(night: Night) -> None:
    cancelled, scope = anyio.Event(), anyio.CancelScope()

    def slow(seen: Seen) -> Answer:
        return replace(answer(night.gateway.sell(seen)), hold=cancelled)

    night.gateway.once("submit", slow)

    async def cancel() -> None:
        while not night.gateway.book:
            await anyio.sleep(0.001)
        scope.cancel()
        await anyio.wait_all_tasks_blocked()
        cancelled.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cancel)
        with scope:
            await night.run(jobs(5))
    assert scope.cancelled_caught
    assert night.of(job(0)).state is State.IN_FLIGHT
    assert night.of(job(0)).video_id == "video_1"
    assert len(night.gateway.of("submit")) == 1
    assert (await night.run(jobs(5))).counts == {State.STORED: 5}
    assert len(night.gateway.book) == 5


async def test_an_interrupted_run_drains_and_the_next_one_finishes(night: Night) -> None:
    night.gateway.looks = 3

    def interrupt(seen: Seen) -> None:
        if len(night.gateway.of("look")) == 5:
            night.boards[0].interrupt()

    night.gateway.always("look", interrupt)
    outcome = await night.run(jobs(12))
    assert outcome.interrupted
    assert State.UNCERTAIN not in outcome.counts
    assert State.SUBMITTING not in outcome.counts
    night.gateway.behave()
    assert (await night.run(jobs(12))).counts == {State.STORED: 12}
    assert len(night.gateway.book) == 12
