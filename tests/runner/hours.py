"""Whole nights of one run in virtual time: the product's own runner, a provider in memory, and the weather by the hour.

What cannot be had for real in a test: eight hours without an answer, and a wall clock that jumps.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import anyio

from pipeline import api
from pipeline.launch import no_examiner
from pipeline.limits import LimitsWish
from pipeline.model import Job
from pipeline.policy.verdict import PATIENCE, Patience
from pipeline.prepare import Choice
from pipeline.profile import Pace
from pipeline.progress import Event, Notice
from pipeline.runner import foresight, run
from pipeline.runner.board import Board
from tests.runner.night import jobs, manifest, quick_profile
from tests.simulation.clock import Times
from tests.simulation.disk import MortalDisk
from tests.simulation.provider import House, Provider
from tests.simulation.weather import CLEAR, Weather
from tests.simulation.wire import Wire

HOUR_S = 3600.0
LAZY_S = 20.0
"""What may be written late is written later still: a night of hours is played sooner."""
LANES = ("submit", "watch", "collect")


@dataclass(slots=True, kw_only=True)
class Hours:
    """One run of the product, from its start to its end."""

    folder: Path
    count: int = 20
    """How many videos are wanted."""
    linked: Callable[[tuple[Job, ...]], tuple[Job, ...]] = lambda wanted: wanted
    """How they build on each other."""
    house: House = field(default_factory=House)
    weather: Callable[[float], Weather] = lambda now_s: CLEAR  # noqa: ARG005
    """By the time since the start, in seconds."""
    ahead_s: Callable[[float], float] = lambda now_s: 0.0  # noqa: ARG005
    """How far the wall clock is ahead of the truth, likewise."""
    limits: LimitsWish = field(
        default_factory=lambda: LimitsWish(in_flight=8, submits_per_minute=20.0, submit_slots=2, downloads=4)
    )
    patience: Patience = PATIENCE
    interrupted_s: float = float("inf")
    """When it is interrupted, since its start."""
    sleep: tuple[float, float] = (0.0, 0.0)
    """When the machine is sent to sleep, since its start, and for how long; its monotonic clock stands still then."""
    seed: int = 1
    times: Times = field(default_factory=Times)
    provider: Provider | None = None
    """`None`: one that has sold nothing yet."""
    wire: Wire = field(init=False)
    notices: list[tuple[float, Notice]] = field(default_factory=list)
    outcome: api.Outcome = field(init=False)
    board: Board = field(init=False)
    began_s: float = 0.0

    def live(self) -> Hours:
        """Play it."""
        with patch.object(run, "LAZY_S", LAZY_S), patch.object(foresight, "LOOK_EVERY_S", LAZY_S):
            self.times.live(self._run, seed=self.seed)
        return self

    def another(self, *, ahead_s: Callable[[float], float]) -> Hours:
        """The next run, of the same folder at the same provider."""
        return Hours(
            folder=self.folder,
            count=self.count,
            linked=self.linked,
            house=self.house,
            times=self.times,
            provider=self.provider,
            seed=self.seed + 1,
            ahead_s=ahead_s,
        )

    async def _run(self) -> None:
        self.began_s = self.times.true_s
        chance = random.Random(self.seed)
        disk = MortalDisk(chance, lambda: self.times.true_s)
        disk.boot()
        times = self.times
        self.provider = self.provider or Provider(house=self.house, chance=chance, clock=lambda: times.true_s)
        self.wire = Wire(self.provider, disk, chance, lambda: self.weather(self.now_s))
        async with anyio.create_task_group() as beside:
            beside.start_soon(self._interrupt)
            beside.start_soon(self._sleep)
            await self._go(chance, disk)
            beside.cancel_scope.cancel()

    async def _interrupt(self) -> None:
        await anyio.sleep(self.interrupted_s)
        self.board.interrupt()

    async def _sleep(self) -> None:
        at_s, for_s = self.sleep
        await anyio.sleep(at_s)
        self.times.pass_by(for_s)

    async def _go(self, chance: random.Random, disk: MortalDisk) -> None:
        pace = Pace(first_s=20.0, interval_s=10.0, interval_s_max=30.0, typical_s=120.0)
        profile = replace(
            quick_profile(), pace=pace, lists=self.house.lists, retention_s=self.house.keeps_s, honours_keys=False
        )
        self.outcome = await api.run(
            manifest(self.linked(jobs(self.count)), "http://127.0.0.1:9/v1", profile, self.limits),
            Choice(outputs=self.folder),
            observer=self._note,
            world=api.World(
                environment={},
                now=self.now,
                chance=chance,
                disk=disk,
                patience=self.patience,
                connect=self._connect,
                examiner=no_examiner,
            ),
            on_board=self._take_board,
        )

    def _take_board(self, board: Board) -> None:
        self.board = board

    @asynccontextmanager
    async def _connect(self, *_: object, **__: object) -> AsyncIterator[Wire]:
        yield self.wire

    def _note(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.notices.append((anyio.current_time(), event))

    def now(self) -> datetime:
        """Our wall clock."""
        return self.times.now() + timedelta(seconds=self.ahead_s(self.now_s))

    @property
    def now_s(self) -> float:
        """The true time since the start."""
        return self.times.true_s - self.began_s

    @property
    def sold(self) -> int:
        """How many videos the provider's money book holds."""
        return 0 if self.provider is None else len(self.provider.book)

    def requests(self, lane: str, *, from_s: float = 0.0, until_s: float = float("inf")) -> list[float]:
        """When the requests of a lane went out, in that time."""
        return [at_s for at_s, line, *_ in self.wire.log if _lane_of(line) == lane and from_s <= at_s < until_s]

    def said(self, lane: str) -> list[str]:
        """What a lane said in red."""
        return [notice.message for _, notice in self.notices if notice.lane == lane and notice.urgent]


def _lane_of(line: str) -> str:
    if line.startswith("POST"):
        return "submit"
    return "collect" if line.endswith("/content") else "watch"
