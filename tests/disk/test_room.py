"""Nothing is bought that the disk could not take."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from pipeline import api
from pipeline.disk import Disk
from pipeline.errors import NoRoom
from pipeline.ledger.replay import RunState
from pipeline.lifecycle import State
from pipeline.policy.room import ROOM_BYTES_MIN, VIDEO_BYTES_GUESS, room_needed_bytes
from pipeline.prepare import Choice
from pipeline.progress import Moved
from pipeline.runner.room import ASK_EVERY_S, Room
from tests.runner.gateway import Answer, Gateway, Seen, answer, serving
from tests.runner.night import Night, jobs, manifest

GB = 1_000_000_000


class Small(Disk):
    """A disk with as much room as it says."""

    def __init__(self, free: int | None = None, error: bool = False) -> None:
        self.free = free
        self.error = error
        self.asked = 0

    def free_bytes(self, path: Path) -> int | None:  # noqa: ARG002
        self.asked += 1
        if self.error:
            raise OSError(5, "Input/output error")
        return self.free


@pytest.mark.parametrize(
    ("coming", "largest", "needed"),
    [
        (1, 0, ROOM_BYTES_MIN),
        (3, 0, ROOM_BYTES_MIN),
        (4, 0, ROOM_BYTES_MIN),
        (10, 0, 30 * VIDEO_BYTES_GUESS),
        (3, 5_000_000, ROOM_BYTES_MIN),
        (3, 200_000_000, 1_800_000_000),
        (100, 5_000_000, 1_500_000_000),
    ],
)
def test_what_is_on_its_way_must_fit_three_times(coming: int, largest: int, needed: int) -> None:
    assert room_needed_bytes(coming, largest) == needed


def test_three_small_videos_may_be_bought_with_one_gigabyte_free() -> None:
    assert room_needed_bytes(3, 0) < GB


def test_the_largest_video_so_far_counts_and_the_disk_is_asked_once_a_second(tmp_path: Path) -> None:
    disk = Small(GB)
    room = Room(tmp_path, RunState(), disk)
    assert room.lack(0.0) == ""
    room.took(500_000_000)
    assert "1.5 GB must be" in room.lack(ASK_EVERY_S / 2)
    assert disk.asked == 1
    disk.free = 2 * GB
    assert room.lack(ASK_EVERY_S) == ""
    assert disk.asked == 2


@pytest.mark.parametrize("disk", [Small(None), Small(error=True)], ids=["does not say", "fails"])
def test_a_disk_that_does_not_say_stops_nothing(tmp_path: Path, disk: Disk) -> None:
    assert Room(tmp_path, RunState(), disk).lack(0.0) == ""


def test_the_real_disk_says_how_much_is_free_also_of_a_folder_to_come(tmp_path: Path) -> None:
    free = Disk().free_bytes(tmp_path / "not" / "yet" / "there")
    assert free is None or free > 0


@pytest.mark.anyio
async def test_too_little_room_at_the_start_is_a_refusal_and_the_plan_tells_of_it(
    small_film: bytes, tmp_path: Path
) -> None:
    gateway, wanted = Gateway(small_film), jobs(3)
    async with serving(gateway) as base_url:
        night = Night(gateway=gateway, base_url=base_url, outputs=tmp_path, disk=Small(10_000_000))
        with pytest.raises(NoRoom, match=r"10\.0 MB are free at .*harbour, and 268 MB must be") as refused:
            await night.run(wanted)
        world = api.World(environment={}, disk=night.disk)
        choice = Choice(outputs=tmp_path)
        assert api.obstacle(manifest(wanted, base_url, night.profile), choice, world=world) == str(refused.value)

    assert gateway.seen == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.anyio
async def test_a_disk_that_runs_low_buys_no_more_and_brings_home_what_is_bought(
    small_film: bytes, tmp_path: Path
) -> None:
    gateway, disk, count = Gateway(small_film), Small(GB), 12
    async with serving(gateway) as base_url:
        night = Night(gateway=gateway, base_url=base_url, outputs=tmp_path, disk=disk)

        stored = anyio.Event()

        def hold_back(seen: Seen) -> Answer | None:
            """No more are sold than a few before the first is here."""
            return replace(answer(gateway.sell(seen)), hold=stored) if len(gateway.book) >= 3 else None

        gateway.always("submit", hold_back)

        def use_up(event: object) -> None:
            if isinstance(event, Moved) and event.state is State.STORED:
                stored.set()
                night.boards[0].room.took(GB)  # the next may be as large: then what is free is too little

        outcome = await night.run(jobs(count), observer=use_up)
        sold = len(gateway.book)
        assert outcome.counts == {State.STORED: sold, State.PENDING: count - sold}
        assert 1 <= sold < count
        assert "the disk is nearly full" in outcome.stopped
        assert outcome.state.spent == sum(step.price or Decimal(0) for step in outcome.outlook.plan.steps[:sold])

        disk.free = 100 * GB
        assert (await night.run(jobs(count))).counts == {State.STORED: count}


@pytest.mark.anyio
async def test_too_little_room_keeps_nobody_from_fetching_what_is_bought(small_film: bytes, tmp_path: Path) -> None:
    gateway, wanted = Gateway(small_film), jobs(2)
    async with serving(gateway) as base_url:
        night = Night(gateway=gateway, base_url=base_url, outputs=tmp_path)

        def leave(event: object) -> None:
            if isinstance(event, Moved) and event.state is State.IN_FLIGHT:
                night.boards[0].interrupt()

        await night.run(wanted[:1], observer=leave)
        assert night.of(wanted[0]).state is not State.STORED
        night.disk = Small(10_000_000)
        assert (await night.run(wanted[:1])).counts == {State.STORED: 1}
