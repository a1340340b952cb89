"""One kill: a runner dies at a point, what it left is looked at, and another runner goes on with it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import anyio
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

import pipeline
from pipeline.errors import PipelineError
from pipeline.ledger.ledger import read_run
from pipeline.ledger.replay import RunState
from tests.crash.child import COUNTS, PID, TRACE
from tests.crash.deadly import AFTER_POST_SENT, NAMED, PHASES, Point
from tests.crash.runs import SLOTS, Town, a_town
from tests.crash.verdict import Outside, after_crash, after_resume, uncertain
from tests.runner.night import NAME

HOME = str(Path(pipeline.__file__).parents[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """What a kill came to."""

    point: str
    fired: bool
    """The runner came to the point; else it ended by itself before."""
    faults: tuple[str, ...] = ()
    uncertain: int = 0


@dataclass(slots=True, kw_only=True)
class Killer:
    """Runners in processes of their own, against a shop in this one."""

    town: Town
    folder: Path
    children: Process
    _answers: TextReceiveStream = field(init=False)

    def __post_init__(self) -> None:
        assert self.children.stdout is not None
        self._answers = TextReceiveStream(self.children.stdout)

    async def count(self) -> dict[str, int]:
        """How many operations of each kind there are in a run that nobody kills."""
        outputs = self._outputs()
        self.town.shop.open_anew({})
        assert await self._start(outputs, None) == 0, _trace(outputs)
        counts: dict[str, int] = json.loads((outputs / COUNTS).read_text("ascii"))
        shutil.rmtree(outputs)
        return counts

    async def kill(self, point: Point | None, *, sale: int = 0) -> Killed:
        """Let a runner die at *point*, or by the hand of the shop at its n-th *sale*; and another go on."""
        outputs, shop = self._outputs(), self.town.shop
        asked: set[str] = set()

        def told(kind: str, video_id: str, prompt: str) -> None:
            if kind == "asked":
                asked.add(video_id)
            elif len(shop.book) == sale:
                os.kill(int((outputs / PID).read_text("ascii")), signal.SIGKILL)

        shop.open_anew({}, told)
        code = await self._start(outputs, point)
        known = Outside(sold=shop.sold, asked=frozenset(asked), done=code == 0)
        name = str(point) if point else f"{AFTER_POST_SENT} {sale}"
        faults, doubted = await self._look(outputs, known, code)
        shutil.rmtree(outputs)
        return Killed(point=name, fired=code != 0, faults=tuple(faults), uncertain=doubted)

    async def _look(self, outputs: Path, known: Outside, code: int) -> tuple[list[str], int]:
        """What is wrong with what a killed runner left, or with what the next one made of it."""
        run, shop = outputs / NAME, self.town.shop
        if code not in (0, -signal.SIGKILL):
            return [f"the runner ended with {code}: {_trace(outputs)}"], 0
        try:
            state = read_run(run) if (run / "ledger.jsonl").exists() else RunState()
        except PipelineError as error:
            return [f"{type(error).__name__}: {error}"], 0
        faults, doubted = after_crash(run, state, known), {job.key for job in uncertain(state)}
        if len(doubted) > SLOTS:
            faults.append(f"{len(doubted)} jobs are uncertain, and there are {SLOTS} slots")
        shop.open_anew(known.sold)
        if (again := await self._start(outputs, None)) != 0:
            return [*faults, f"the next runner ended with {again}: {_trace(outputs)}"], len(doubted)
        state = read_run(run)
        if {job.key for job in uncertain(state)} != doubted:
            faults.append("the next run doubts other jobs than those that were open")
        return [*faults, *after_resume(run, state, Outside(sold=shop.sold, done=True))], len(doubted)

    async def _start(self, outputs: Path, point: Point | None) -> int:
        order = {"outputs": str(outputs), "base_url": self.town.base_url, "point": point and asdict(point)}
        assert self.children.stdin is not None
        await self.children.stdin.send(f"{json.dumps(order)}\n".encode())
        return int(await self._answers.receive())

    def _outputs(self) -> Path:
        outputs = self.folder / "outputs"
        outputs.mkdir(mode=0o700)
        return outputs


@asynccontextmanager
async def a_killer(folder: Path) -> AsyncIterator[Killer]:
    """One that leaves nothing in *folder*."""
    command = [sys.executable, "-m", "tests.crash.child"]
    environment = {**os.environ, "PYTHONPATH": HOME}
    async with (
        a_town() as town,
        await anyio.open_process(command, env=environment, cwd=HOME, stdin=subprocess.PIPE, stderr=None) as children,
    ):
        killer = Killer(town=town, folder=folder, children=children)
        yield killer
        assert children.stdin is not None
        await children.stdin.aclose()
        await children.wait()


def every_operation(counts: dict[str, int]) -> list[Point]:
    """Every operation of a run of so many, at every phase."""
    return [
        Point(kind=kind, phase=phase, nth=nth)
        for kind, phases in PHASES.items()
        for phase in phases
        for nth in range(1, counts.get(kind, 0) + 1)
    ]


def named_points(times: Sequence[int]) -> list[Point]:
    """Every named point, at each of these times."""
    return [make(nth) for make in NAMED.values() for nth in times]


def _trace(outputs: Path) -> str:
    path = outputs / TRACE
    return path.read_text("utf-8")[-2000:] if path.exists() else "no trace"
