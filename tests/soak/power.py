"""T5: the power goes at every moment of a run of twenty jobs, in every way; and no fsync of ours can be missed."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from tests.crash.cuts import CUTS
from tests.crash.power import Found, Outage, suffer
from tests.crash.recording import Event
from tests.crash.runs import Town, a_town, before_the_last_folder_sync
from tests.crash.syncs import noticed, sites
from tests.soak.proof import Proof

WHAT = "losses of power at random moments, besides every moment in every way; each fsync taken away"
SIZE = 2000
KILLS = 6
"""Runs that were killed once before, at random moments."""
FAULTS_MAX = 20
MOMENTS = 400
"""Of a recording, where an fsync is taken away: all, at full size."""


@dataclass(slots=True, kw_only=True)
class _Tally:
    """What was found so far."""

    outages: int = 0
    repaired: int = 0
    doubted_max: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, outage: Outage, found: Found) -> None:
        self.outages += 1
        self.repaired += found.repaired
        if not found.repaired:
            self.doubted_max = max(self.doubted_max, found.doubted)
        self.faults += [f"{fault} ({outage})" for fault in found.faults]


def prove(*, size: int, seed: int) -> Proof:
    """*size* random outages, each followed by a run; and the sweeps, coarser where *size* is small."""
    with tempfile.TemporaryDirectory() as folder:
        return anyio.run(_prove, Path(folder), size, random.Random(seed))


async def _prove(folder: Path, size: int, chance: random.Random) -> Proof:
    step = max(SIZE // size, 1)
    async with a_town() as town:
        recordings = await record_all(town, folder, chance, kills=max(KILLS // step, 1))
        plain = recordings["a run"]
        swept = await _sweep(plain, folder, step, chance)
        drawn = await _draw(list(recordings.values()), folder, size, chance, town)
    rows, unnoticed = await _take_away(recordings, folder, moments=max(MOMENTS // step, 8))
    figures = {
        "events recorded in a run": len(plain),
        "outages at every moment in every way": f"{swept.outages:,} ({len(CUTS)} ways, every {step}. moment)",
        "random outages, each followed by a run": f"{drawn.outages:,}",
        "ledgers to be repaired after blocks were lost out of order": swept.repaired + drawn.repaired,
        "jobs uncertain after one, at most": max(swept.doubted_max, drawn.doubted_max),
        "fsyncs taken away, and noticed": f"{len(rows) - len(unnoticed)} of {len(rows)}",
        **rows,
    }
    faults = [*swept.faults, *drawn.faults][:FAULTS_MAX] + unnoticed
    return Proof(figures=figures, faults=tuple(faults))


async def record_all(
    town: Town, folder: Path, chance: random.Random, *, kills: int = 0
) -> Mapping[str, Sequence[Event]]:
    """A run; one after it was killed where a name is not yet durable; and some that were killed anywhere."""
    (folder / "plain").mkdir()
    plain = await town.record(folder / "plain")
    moments = [before_the_last_folder_sync(plain), *(chance.randrange(len(plain)) for _ in range(kills))]
    killed = [await town.record_after_kill(folder / f"killed-{n}", plain[:moment]) for n, moment in enumerate(moments)]
    return {"a run": plain, "a run after a kill": killed[0]} | {
        f"a run after a kill at {moment}": events for moment, events in zip(moments[1:], killed[1:], strict=True)
    }


async def _sweep(events: Sequence[Event], folder: Path, step: int, chance: random.Random) -> _Tally:
    tally = _Tally()
    for cut in CUTS:
        for at in range(chance.randrange(step), len(events) + 1, step):
            outage = Outage(events=events, at=at, cut=cut, seed=chance.randrange(1 << 32))
            tally.add(outage, await suffer(outage, folder / "outputs"))
    return tally


async def _draw(
    recordings: Sequence[Sequence[Event]], folder: Path, size: int, chance: random.Random, town: Town
) -> _Tally:
    tally = _Tally()
    for _ in range(size):
        events = chance.choice(recordings)
        outage = Outage(
            events=events,
            at=chance.randint(0, len(events)),
            cut=chance.choice(CUTS),
            seed=chance.randrange(1 << 32),
            kills=int(events is not recordings[0]),
        )
        tally.add(outage, await suffer(outage, folder / "outputs", town))
    return tally


async def _take_away(
    recordings: Mapping[str, Sequence[Event]], folder: Path, *, moments: int
) -> tuple[dict[str, object], list[str]]:
    """By site, which check notices; and those that none does."""
    rows: dict[str, object] = {}
    unnoticed = []
    for site in sites():
        name, words = await noticed(site, recordings, folder, moments=moments)
        rows[f"  without {site}"] = f"{name}: {words}" if name else "nobody notices"
        if not name:
            unnoticed.append(f"{site}: nobody notices when it does nothing")
    return rows, unnoticed
