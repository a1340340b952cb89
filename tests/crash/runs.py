"""Whole runs of twenty jobs in this process, on a disk that the caller gives, against one shop at one address."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline import api
from pipeline.disk import Disk
from pipeline.limits import LimitsWish
from tests.crash.recording import Event, RecordingDisk, Renamed, Told
from tests.crash.shop import Shop
from tests.crash.volume import Volume
from tests.runner.gateway import NOTHING, Answer, Seen, serving
from tests.runner.night import Night, jobs

JOBS = 20
SLOTS = 4
LOST_ANSWERS = 1
"""Of each recorded run: what was sold in them stays uncertain, for this provider has no list."""
LIMITS = LimitsWish(in_flight=8, submits_per_minute=60_000.0, submit_slots=SLOTS, downloads=4)


class QuickDisk(Disk):
    """Does not wait for the hardware: nobody turns this machine off."""

    def sync(self, descriptor: int) -> None:
        """Nothing."""

    def sync_folder(self, path: Path) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """Where runs are made: ids belong to an address, so one shop serves them all, one after the other."""

    shop: Shop
    base_url: str

    async def run(self, outputs: Path, disk: Disk) -> api.Outcome:
        """One run of the twenty jobs, to its end."""
        night = Night(gateway=self.shop, base_url=self.base_url, outputs=outputs, limits=LIMITS, disk=disk)
        return await night.run(jobs(JOBS))

    async def record(self, outputs: Path) -> list[Event]:
        """What a run does to the disk, with an answer that is lost and downloads that break off."""
        disk, shop = RecordingDisk(outputs), self.shop
        shop.open_anew({}, disk.told)

        def unanswered(seen: Seen) -> Answer:
            shop.sell(seen)
            return NOTHING

        shop.once("submit", *[_well] * 7, *[unanswered] * LOST_ANSWERS)
        shop.once("content", *[_well, shop.cut_short] * 3)
        await self.run(outputs, disk)
        disk.told("done")
        return disk.events

    async def record_after_kill(self, outputs: Path, earlier: Sequence[Event]) -> list[Event]:
        """*earlier*, where the process was killed, and what the next run does to what it finds."""
        lay_out(outputs, volume_after(earlier).now())
        disk = RecordingDisk(outputs, earlier)
        self.shop.open_anew(sold(earlier), disk.told)
        await self.run(outputs, disk)
        disk.told("done")
        return disk.events


@asynccontextmanager
async def a_town() -> AsyncIterator[Town]:
    """One for as long as it is needed."""
    shop = Shop()
    async with serving(shop) as base_url:
        yield Town(shop=shop, base_url=base_url)


def _well(seen: Seen) -> None:
    """A script: behave."""


def volume_after(events: Sequence[Event]) -> Volume:
    """What the disk knows after all of them."""
    volume = Volume()
    for event in events:
        event.to(volume)
    return volume


def before_the_last_folder_sync(events: Sequence[Event]) -> int:
    """So many events until the last video has its name and nobody made that durable: where a kill hurts most."""
    named = (at for at, event in enumerate(events) if isinstance(event, Renamed) and event.target.endswith(".mp4"))
    return max(named) + 1


def sold(events: Sequence[Event]) -> dict[str, str]:
    """The prompts that were sold, by id."""
    return {event.video_id: event.prompt for event in events if isinstance(event, Told) and event.kind == "sold"}


def lay_out(outputs: Path, tree: Mapping[str, bytes | None]) -> None:
    """Put a tree on a real disk."""
    outputs.mkdir(mode=0o700)
    for path, content in tree.items():
        if content is None:
            (outputs / path).mkdir(mode=0o700)
        else:
            (outputs / path).write_bytes(content)
