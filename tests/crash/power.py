"""The power goes at some moment of a recorded run: what is on the disk then, and what becomes of it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import LedgerDamaged, PipelineError
from pipeline.ledger.ledger import Ledger, read_run
from pipeline.ledger.repair import repair
from pipeline.ledger.replay import RunState
from tests.crash.cuts import Cut
from tests.crash.recording import Event, Told
from tests.crash.runs import LOST_ANSWERS, SLOTS, QuickDisk, Town, lay_out, sold, volume_after
from tests.crash.verdict import Outside, after_crash, after_resume, uncertain
from tests.runner.night import NAME

QUICK = QuickDisk()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One loss of power: after the events so far, in one way."""

    events: Sequence[Event]
    at: int
    """So many of them had happened."""
    cut: Cut
    seed: int
    kills: int = 0
    """How often the process was killed before."""

    def __str__(self) -> str:
        return f"after {self.at} of {len(self.events)} events, {self.cut.name}, seed {self.seed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an outage came to."""

    faults: tuple[str, ...] = ()
    repaired: bool = False
    """The ledger had to be repaired first."""
    doubted: int = 0
    """Jobs that are uncertain after it."""


async def suffer(outage: Outage, outputs: Path, town: Town | None = None) -> Found:
    """Lay out in *outputs* what an outage leaves, look at it, and in a *town* let the next run go on with it.

    *outputs* is gone afterwards.
    """
    past = outage.events[: outage.at]
    chance = random.Random(outage.seed)
    lay_out(outputs, outage.cut.left(volume_after(past), chance))
    try:
        return await _suffer(outage, outputs / NAME, outside(past), town)
    finally:
        shutil.rmtree(outputs)


async def _suffer(outage: Outage, run: Path, known: Outside, town: Town | None) -> Found:
    repaired = False
    try:
        state = _opened(run)
    except LedgerDamaged as damage:
        if outage.cut.in_order:
            return Found(faults=(str(damage),))
        repair(run, disk=QUICK)
        state, repaired = _opened(run), True
    except PipelineError as error:
        return Found(faults=(f"{type(error).__name__}: {error}",))
    faults = after_crash(run, state, known)
    if not faults and town is not None:
        faults, state = await _go_on(run, known, town)
    doubted = len(uncertain(state))
    if doubted > LOST_ANSWERS + SLOTS * (1 + outage.kills) and not repaired:
        faults.append(f"{doubted} jobs are uncertain, and there are {SLOTS} slots")
    return Found(faults=tuple(faults), repaired=repaired, doubted=doubted)


def _opened(run: Path) -> RunState:
    """What the ledger says once it is opened; a run folder that is not there holds nothing."""
    if not run.is_dir():
        return RunState()
    with Ledger.open(run / "ledger.jsonl", disk=QUICK) as ledger:
        return ledger.state


async def _go_on(run: Path, known: Outside, town: Town) -> tuple[list[str], RunState]:
    town.shop.open_anew(known.sold)
    await town.run(run.parent, QUICK)
    state = read_run(run)
    return after_resume(run, state, Outside(sold=town.shop.sold, done=True)), state


def outside(events: Sequence[Event]) -> Outside:
    """What others had learned by then."""
    told = [event for event in events if isinstance(event, Told)]
    return Outside(
        sold=sold(events),
        asked=frozenset(event.video_id for event in told if event.kind == "asked"),
        done=bool(told) and told[-1].kind == "done",
    )
