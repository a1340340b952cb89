"""A whole night of accidents: so many hits, a last run, and the verdict."""

from __future__ import annotations

import random
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx

from pipeline.sandbox.embedded import Embedded, embedded
from tests.chaos.audit import Verdict, audit
from tests.chaos.driver import SLOTS, Driver

SANDBOX: Mapping[str, Any] = {"render_s": [0.05, 0.4], "film": {"constant_bytes": 65_536}, "lists": False}
"""No list, so nothing can be settled with the provider afterwards: what is uncertain stays so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the night came to."""

    seed: int
    hits: int
    live: int
    moments: tuple[int, ...]
    codes: tuple[int, ...]
    last_code: int
    ledger_bytes: int
    verdict: Verdict
    resolve_text: str
    status_text: str

    @property
    def uncertain_max(self) -> int:
        """The most that so many hits may leave uncertain."""
        return self.live * SLOTS

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


def have(folder: Path, *, jobs: int, hits: int, number: signal.Signals, seed: int) -> Report:
    """Go through it in *folder*. Blocks."""
    return anyio.run(_have, folder, jobs, hits, number, seed)


async def _have(folder: Path, jobs: int, hits: int, number: signal.Signals, seed: int) -> Report:
    async with embedded(folder / "sandbox", SANDBOX) as server:
        driver = Driver(folder=folder, server=server, jobs=jobs, chance=random.Random(seed))
        driver.write_manifest()
        await anyio.to_thread.run_sync(_hit_all, driver, hits, number)
        last_code = await anyio.to_thread.run_sync(driver.finish)
        book = await _book(server)
        run = str(driver.run_folder)
        return Report(
            seed=seed,
            hits=hits,
            live=driver.live,
            moments=tuple(driver.moments),
            codes=tuple(driver.codes),
            last_code=last_code,
            ledger_bytes=(driver.run_folder / "ledger.jsonl").stat().st_size,
            verdict=audit(driver.run_folder, book),
            resolve_text=driver.vidbatch("resolve", run).stdout,
            status_text=driver.vidbatch("status", run).stdout,
        )


def _hit_all(driver: Driver, hits: int, number: signal.Signals) -> None:
    for done in range(hits):
        driver.hit(number, hits - done)


async def _book(server: Embedded) -> list[Mapping[str, Any]]:
    url = server.base_url.removesuffix("/v1") + "/debug/book"
    async with httpx.AsyncClient(trust_env=False, headers={"authorization": f"Bearer {server.key}"}) as client:
        entries: list[Mapping[str, Any]] = (await client.get(url, timeout=60.0)).json()["entries"]
    return entries
