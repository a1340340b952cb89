"""A whole night of accidents: so many hits, a last run, and the verdict."""

from __future__ import annotations

import random
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx

from pipeline.sandbox.embedded import Embedded, embedded
from tests.chaos.audit import Verdict, audit
from tests.chaos.driver import KILL, POLITE, SLOTS, Driver

ENDS: Mapping[bool, frozenset[int]] = {
    True: frozenset({0, 4, -signal.SIGKILL}),
    False: frozenset({0, 130, *(-number for number in POLITE)}),  # by the signal itself: before anybody minded it
}
"""The exit codes of runners that were hit or not in time, by whether hits kill. Any other is a fault of ours."""
SANDBOX: Mapping[str, Any] = {"render_s": [0.05, 0.4], "film": {"constant_bytes": 65_536}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the night came to."""

    seed: int
    lists: bool
    killed: bool
    hits: int
    live: int
    moments: tuple[int, ...]
    drains_s: tuple[float, ...]
    """From a hit to the end of the runner."""
    codes: tuple[int, ...]
    last_code: int
    ledger_bytes: int
    verdict: Verdict
    resolve_text: str
    status_text: str

    @property
    def uncertain_max(self) -> int:
        """The most that so many hits may leave uncertain: none where they were polite, or where the list settles it."""
        return self.live * SLOTS if self.killed and not self.lists else 0

    @property
    def faults(self) -> tuple[str, ...]:
        """What should not be."""
        faults = [f"{count} {name.replace('_', ' ')}" for name, count in self.verdict.faults.items()]
        if len(self.verdict.uncertain) > self.uncertain_max:
            faults.append(f"{len(self.verdict.uncertain)} uncertain, {self.uncertain_max} allowed")
        if strange := sorted({*self.codes, self.last_code} - ENDS[self.killed]):
            faults.append(f"a runner ended with {', '.join(map(str, strange))}")
        return tuple(f"seed {self.seed}: {fault}" for fault in faults)

    def __str__(self) -> str:
        spread = " ".join(f"{100 * moment // max(self.ledger_bytes, 1)}%" for moment in self.moments)
        verdict = self.verdict
        return "\n".join(
            [
                f"seed {self.seed}: {self.hits} hits, {self.live} of them on a runner at work",
                f"hit when the ledger had grown to {spread} of its final {self.ledger_bytes:,} bytes",
                f"stored {verdict.stored}, uncertain {len(verdict.uncertain)} "
                f"({verdict.paid_but_uncertain} of them billed; at most {self.uncertain_max} allowed), "
                f"last run ended with {self.last_code}",
                f"faults: {verdict.faults or 'none'}",
            ]
        )


def have(
    folder: Path, *, jobs: int, hits: int, numbers: Sequence[signal.Signals], seed: int, lists: bool = False
) -> Report:
    """Go through it in *folder*, each hit one of *numbers*. Blocks.

    Without the provider's list, nothing can be settled afterwards: what is uncertain stays so.
    """
    return anyio.run(partial(_have, folder, jobs=jobs, hits=hits, numbers=numbers, seed=seed, lists=lists))


async def _have(
    folder: Path, *, jobs: int, hits: int, numbers: Sequence[signal.Signals], seed: int, lists: bool
) -> Report:
    async with embedded(folder / "sandbox", {**SANDBOX, "lists": lists}) as server:
        driver = Driver(folder=folder, server=server, jobs=jobs, chance=random.Random(seed))
        driver.write_manifest()
        await anyio.to_thread.run_sync(_hit_all, driver, hits, numbers)
        last_code = await anyio.to_thread.run_sync(driver.finish)
        book = await _book(server)
        run = str(driver.run_folder)
        return Report(
            seed=seed,
            lists=lists,
            killed=numbers == KILL,
            hits=hits,
            live=driver.live,
            moments=tuple(driver.moments),
            drains_s=tuple(driver.drains_s),
            codes=tuple(driver.codes),
            last_code=last_code,
            ledger_bytes=(driver.run_folder / "ledger.jsonl").stat().st_size,
            verdict=audit(driver.run_folder, book),
            resolve_text=driver.vidbatch("resolve", run).stdout,
            status_text=driver.vidbatch("status", run).stdout,
        )


def _hit_all(driver: Driver, hits: int, numbers: Sequence[signal.Signals]) -> None:
    for done in range(hits):
        driver.hit(driver.chance.choice(numbers), hits - done)


async def _book(server: Embedded) -> list[Mapping[str, Any]]:
    url = server.base_url.removesuffix("/v1") + "/debug/book"
    async with httpx.AsyncClient(trust_env=False, headers={"authorization": f"Bearer {server.key}"}) as client:
        entries: list[Mapping[str, Any]] = (await client.get(url, timeout=60.0)).json()["entries"]
    return entries
