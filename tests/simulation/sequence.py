"""One sequence: a provider, a folder, a person, and runs of the whole product that live and die in virtual time."""

from __future__ import annotations

import hashlib
import json
import math
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any
from unittest.mock import patch

import anyio

from pipeline import api
from pipeline.launch import no_examiner
from pipeline.ledger.ledger import read_run
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState
from pipeline.lifecycle import State
from pipeline.limits import LimitsWish
from pipeline.model import Job, Link
from pipeline.prepare import Choice
from pipeline.profile import Pace, Profile
from pipeline.progress import Event, Moved
from pipeline.providers.registry import find_profile
from pipeline.runner import run as runner
from pipeline.runner.board import Board
from tests.runner.night import NAME, job, manifest
from tests.simulation.clock import Times
from tests.simulation.disk import MortalDisk
from tests.simulation.provider import House, Provider, Sale, prompt_of
from tests.simulation.weather import CLEAR, WEATHERS, Mishap
from tests.simulation.wire import Wire

BASE_URL = "http://127.0.0.1:9/v1"
SHM = Path("/dev/shm")
DEADLINE_S = 2400.0
"""So long a run watches a video that does not end."""
LAZY_S = 60.0
"""What the product may write late, it writes later still in here: a death takes more of it, and a night of hours is
played sooner.
"""


class End(Enum):
    """How a run ends."""

    ITSELF = "when it is done"
    KILLED = "killed"  # at a moment
    KILLED_AT_WORK = "killed at work"  # in the n-th operation on the disk
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What one run will meet with."""

    seed: int
    """Of the order of events, and of all that chance decides in this run."""
    weather: str = "clear"
    spell_s: float = 0.0
    """How long that weather lasts; then the sky clears."""
    end: End = End.ITSELF
    at_s: float = 0.0
    """When it is ended."""
    operation: int = 1
    loses: bool = False
    """Whether the power goes with the process."""
    jump_s: float = 0.0
    """What the wall clock jumps by, half-way to the end of the spell."""
    sleep_s: float = 0.0
    """How long the machine sleeps then."""
    retry: frozenset[State] = frozenset()
    limit: int | None = None
    """So many of the manifest's jobs are asked for."""


@dataclass(slots=True, kw_only=True)
class Lived:
    """What a run came to."""

    course: Course
    died: bool
    outcome: api.Outcome | None
    """`None` where it died or was cancelled."""
    began_s: float
    ended_s: float
    requests: list[tuple[float, str, str, str]]
    mishaps: Counter[Mishap]


class Sequence:
    """All that happens between one run folder and one provider."""

    def __init__(self, *, house: House, limits: LimitsWish, jobs: int, forbidden: int, seed: int) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="simulation-", dir=SHM if SHM.is_dir() else None))
        self.times = Times()
        self.chance = random.Random(seed)
        self.provider = Provider(house=house, chance=self.chance, clock=lambda: self.times.true_s)
        self.disk = MortalDisk(self.chance, lambda: self.times.true_s)
        alone = [job(n, prompt_of(n, is_forbidden=n < forbidden)) for n in range(jobs)]
        self.jobs = _chained(alone, random.Random(f"chains {seed}"))
        self.provider.lineage = random.Random(f"lineage {seed}").choice(["told", "null", "left out"])
        self.limits = limits
        self.profile = _profile(house)
        self.lived: list[Lived] = []
        self.fair: list[tuple[float, float]] = []
        """When a run was at work and nothing was in its way, by the true time."""
        self.known_s: dict[str, float] = {}
        """Since when our process has known an id."""
        self._read: tuple[bytes, list[dict[str, Any]]] = (b"", [])
        self._stood: tuple[bytes, RunState] = (b"", RunState())

    def close(self) -> None:
        shutil.rmtree(self.root)

    @property
    def ids(self) -> set[str]:
        """Every id that the ledger holds or held."""
        return {record["video_id"] for record in self.records if "video_id" in record}

    @property
    def folder(self) -> Path:
        return self.root / NAME

    @property
    def state(self) -> RunState:
        """What the ledger says, as it is on disk now; to be read, not changed."""
        content = self._content
        if content != self._stood[0]:
            self._stood = (content, read_run(self.folder))
        return self._stood[1]

    @property
    def digest(self) -> str:
        """What happened, without what is minted at random for every folder."""
        told = [{**record, "crc": "", "run": ""} for record in self.records]
        return hashlib.sha256(repr(([lived.requests for lived in self.lived], told)).encode()).hexdigest()

    def sales_of(self, job: JobState) -> list[Sale]:
        """What was sold for *job*, in order."""
        return [sale for sale in self.provider.book.values() if sale.key and sale.prompt == job.wish.prompt]

    def restart_the_provider(self, forgets: str) -> None:
        """The provider is started anew and has forgotten its `list` or its `work`."""
        after = len(self.records)
        if forgets == "list":
            self.provider.forget_its_list(after)
        else:
            self.provider.lose_what_it_renders(after)

    def facts(self, key: str = "") -> list[str]:
        """The types of the records on disk, in order; of one job, where it is named."""
        return [record["t"] for record in self.records if not key or record.get("job") == key]

    def ids_of(self, key: str) -> set[str]:
        """Every id that the ledger holds or held for a job."""
        return {record["video_id"] for record in self.records if record.get("job") == key and "video_id" in record}

    def fair_s(self, sale: Sale) -> float:
        """How long runs were at work under a clear sky while *sale* could be fetched and its id was known."""
        from_s = max(sale.finished_s + self.provider.house.content_lag_s, self.known_s.get(sale.video_id, math.inf))
        until_s = self.provider.gone_s(sale)
        return sum(max(min(end_s, until_s) - max(start_s, from_s), 0.0) for start_s, end_s in self.fair)

    @property
    def records(self) -> list[dict[str, Any]]:
        """What is on disk; a torn last line is none."""
        content = self._content
        if content != self._read[0]:
            lines = content[: content.rfind(b"\n") + 1].splitlines()
            self._read = (content, [json.loads(line) for line in lines])
        return self._read[1]

    @property
    def _content(self) -> bytes:
        ledger = self.folder / "ledger.jsonl"
        return ledger.read_bytes() if ledger.exists() else b""

    def run(self, course: Course) -> Lived:
        """One run of the product. Raises what it should not have raised."""
        self.disk.boot(dies_at=course.operation if course.end is End.KILLED_AT_WORK else None, loses=course.loses)
        began_s, life = self.times.true_s, _Life(self, course)
        with patch.object(runner, "LAZY_S", LAZY_S):
            self.times.live(life.play, seed=course.seed)
        if self.disk.dead:
            self.times.back_to(self.disk.died_s)
        elif life.error is not None:
            raise life.error
        lived = Lived(
            course=course,
            died=self.disk.dead,
            outcome=life.outcome,
            began_s=began_s,
            ended_s=self.times.true_s,
            requests=life.wire.log,
            mishaps=life.wire.mishaps,
        )
        self._remember(lived)
        return lived

    def _remember(self, lived: Lived) -> None:
        """What is known after a run."""
        self.lived.append(lived)
        self.fair = [(began_s, min(ended_s, lived.ended_s)) for began_s, ended_s in self.fair]
        ids = {job.video_id for job in self.state.jobs.values()}
        self.known_s = {video_id: at_s for video_id, at_s in self.known_s.items() if video_id in ids}


def _chained(jobs: list[Job], chance: random.Random) -> tuple[Job, ...]:
    """In one sequence of three most jobs build on another one's video, in any order."""
    if chance.random() < 2 / 3:
        return tuple(jobs)
    linked = [jobs[0]]
    for one in jobs[1:]:
        source = chance.choice(linked)
        linked.append(replace(one, source=source.key, link=Link.REMIX) if chance.random() < 0.7 else one)
    chance.shuffle(linked)
    return tuple(linked)


class _Life:
    """One process of ours, from its start to its end."""

    def __init__(self, sequence: Sequence, course: Course) -> None:
        self._sequence = sequence
        self._course = course
        self._board: Board | None = None
        self._name = f"{len(sequence.lived)} {course.seed}"
        """What its chances are drawn from: two processes never draw the same keys."""
        self._weather = WEATHERS[course.weather] if course.spell_s else CLEAR
        chance = random.Random(f"wire {self._name}")
        self.wire = Wire(sequence.provider, sequence.disk, chance, lambda: self._weather)
        self.outcome: api.Outcome | None = None
        self.error: BaseException | None = None

    async def play(self) -> None:
        """Run; whatever ends it is in `outcome` or `error` then."""
        async with anyio.create_task_group() as beside:
            beside.start_soon(self._let_the_sky_clear)
            with anyio.CancelScope() as scope:
                beside.start_soon(self._end, scope)
                try:
                    self.outcome = await self._run()
                except anyio.get_cancelled_exc_class():
                    raise
                except BaseException as error:  # noqa: BLE001 - raised again by `Sequence.run`, where it is no death
                    self.error = error
            beside.cancel_scope.cancel()

    async def _run(self) -> api.Outcome:
        sequence, course = self._sequence, self._course
        return await api.run(
            manifest(sequence.jobs, BASE_URL, sequence.profile, sequence.limits),
            Choice(outputs=sequence.root, retry=course.retry, limit=course.limit),
            observer=self._note,
            world=api.World(
                environment={"TMPDIR": str(sequence.root)},
                now=sequence.times.now,
                chance=random.Random(f"run {self._name}"),
                disk=sequence.disk,
                connect=self._connect,
                examiner=no_examiner,
            ),
            on_board=self._take_board,
        )

    @asynccontextmanager
    async def _connect(self, *_: object, **__: object) -> AsyncIterator[Wire]:
        yield self.wire

    def _take_board(self, board: Board) -> None:
        self._board = board

    def _note(self, event: Event) -> None:
        if isinstance(event, Moved) and event.video_id:
            self._sequence.known_s.setdefault(event.video_id, self._sequence.times.true_s)

    async def _let_the_sky_clear(self) -> None:
        sequence, course = self._sequence, self._course
        await anyio.sleep(course.spell_s / 2)
        sequence.times.ahead_s += course.jump_s
        sequence.times.pass_by(course.sleep_s)
        await anyio.sleep(course.spell_s / 2)
        self._weather = CLEAR
        sequence.fair.append((sequence.times.true_s, float("inf")))

    async def _end(self, scope: anyio.CancelScope) -> None:
        end = self._course.end
        await anyio.sleep(self._course.at_s)
        if end is End.KILLED:
            self._sequence.disk.die()
            scope.cancel()
        elif end is End.CANCELLED or (end is End.INTERRUPTED and self._board is None):
            scope.cancel()
        elif end is End.INTERRUPTED and self._board is not None:
            self._board.interrupt()


def _profile(house: House) -> Profile:
    """What we have been told of the provider; it is true."""
    profile = find_profile("sandbox")
    assert profile is not None
    pace = Pace(first_s=40.0, interval_s=40.0, interval_s_max=200.0, typical_s=120.0, deadline_s=DEADLINE_S)
    return replace(
        profile,
        pace=pace,
        lists=house.lists,
        list_lag_s=60.0,
        honours_keys=house.honours_keys,
        keys_s=house.keys_s,
        retention_s=house.keeps_s,
    )
