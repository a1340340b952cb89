"""T7: a night in which 30 % of all requests fail in mixed ways, on the real sandbox over real HTTP."""

from __future__ import annotations

import json
import random
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx

from pipeline import api
from pipeline.launch import no_examiner
from pipeline.ledger.ledger import read_run
from pipeline.lifecycle import State
from pipeline.limits import LimitsWish
from pipeline.policy.verdict import Backoff, Patience
from pipeline.prepare import Choice
from pipeline.profile import Pace, Profile
from pipeline.providers.registry import find_profile
from pipeline.sandbox.embedded import Embedded, embedded
from pipeline.sandbox.settings import KEY_ENV
from tests.chaos.audit import Verdict, audit
from tests.runner.night import NAME, jobs, manifest
from tests.soak.proof import Proof

WHAT = "jobs while 30 % of all requests fail in mixed ways"
SIZE = 5_000
RUNS_MAX = 40
"""A run that stopped after too many unknown outcomes in a row is started again, as a person would."""
RETRIES_PER_REQUEST_MAX = 0.6

SUBMIT = {"429": 0.03, "429_seconds": 0.002, "503_seconds": 0.002, "500": 0.046, "502": 0.05, "504": 0.04}
SUBMIT |= {"502_after": 0.02, "504_after": 0.02, "reset_before": 0.03, "reset_after": 0.03, "no_id": 0.02, "html": 0.01}
POLL = {"429": 0.06, "500": 0.06, "502": 0.06, "503": 0.04, "reset": 0.06, "broken": 0.02}
CONTENT = {"429": 0.04, "500": 0.04, "502": 0.04, "not_ready_400": 0.03, "reset": 0.05, "cut": 0.07, "html": 0.03}
"""Chances by fault: together 0.3 a lane."""

_SHORT = Backoff(base_s=0.02, cap_s=0.2)
PATIENCE = Patience(submit=_SHORT, look=_SHORT, fetch=_SHORT, rest=Backoff(base_s=1.0, cap_s=5.0), outage_s=60.0)
PACE = Pace(first_s=0.1, interval_s=0.05, interval_s_max=0.5, typical_s=0.3, deadline_s=600.0)
LIMITS = LimitsWish(in_flight=64, submits_per_minute=60_000.0, submit_slots=4, downloads=8)


def prove(*, size: int, seed: int) -> Proof:
    """Run *size* jobs until each is stored or its outcome cannot be known."""
    with tempfile.TemporaryDirectory() as folder:
        return anyio.run(_prove, Path(folder), size, seed)


async def _prove(folder: Path, size: int, seed: int) -> Proof:
    faults = {"seed": seed, "submit": {"chance": SUBMIT}, "poll": {"chance": POLL}, "content": {"chance": CONTENT}}
    options: dict[str, Any] = {"render_s": [0.05, 0.2], "film": {"constant_bytes": 8192}, "faults": faults}
    async with embedded(folder / "sandbox", options) as server:
        codes = await _run_until_done(folder, server, size, seed)
        book = (await _ask(server, "book"))["entries"]
        requests = (await _ask(server, "requests"))["counts"]
    verdict = audit(folder / NAME, book)
    failed, served = _count(requests, verdict.stored)
    figures = {
        "jobs, runs": f"{size:,}, {len(codes)} ({', '.join(codes)})",
        "stored, uncertain, paid twice, lost": f"{verdict.stored:,}, {len(verdict.uncertain)}, {verdict.paid_twice}, "
        f"{verdict.lost_ids}",
        "requests that failed": "; ".join(
            f"{lane} {failed[lane]:,} of {failed[lane] + served[lane]:,}" for lane in served
        ),
        "retries per request": f"{sum(failed.values()) / sum(served.values()):.2f}",
        "videos billed": f"{len(book):,}",
    }
    return Proof(figures=figures, faults=tuple(_faults(verdict, size, failed, served)))


async def _run_until_done(folder: Path, server: Embedded, size: int, seed: int) -> list[str]:
    """Run until a run ends by itself; how each ended."""
    asked = manifest(jobs(size), server.base_url, _profile(), LIMITS)
    world = api.World(
        environment={KEY_ENV: server.key}, chance=random.Random(seed), patience=PATIENCE, examiner=no_examiner
    )
    ends: list[str] = []
    while len(ends) < RUNS_MAX:
        outcome = await api.run(asked, Choice(outputs=folder), world=world)
        ends.append(outcome.stopped or "done")
        left = Counter(job.state for job in read_run(folder / NAME).jobs.values())
        if not outcome.stopped and not left.keys() - {State.STORED, State.UNCERTAIN}:
            break
    return ends


def _profile() -> Profile:
    profile = find_profile("sandbox")
    assert profile is not None
    return replace(profile, pace=PACE)


async def _ask(server: Embedded, page: str) -> Mapping[str, Any]:
    url = f"{server.base_url.removesuffix('/v1')}/debug/{page}"
    async with httpx.AsyncClient(trust_env=False, headers={"authorization": f"Bearer {server.key}"}) as client:
        document: Mapping[str, Any] = json.loads((await client.get(url, timeout=60.0)).text)
    return document


def _count(requests: list[Mapping[str, Any]], stored: int) -> tuple[Counter[str], Counter[str]]:
    """How many requests failed and how many were served, by lane; a download that was cut has failed."""
    failed: Counter[str] = Counter()
    served: Counter[str] = Counter()
    for row in requests:
        lane = "submit" if row["method"] == "POST" else "content" if row["route"].endswith("content") else "look"
        good = 200 <= row["status"] < 300
        (served if good else failed)[lane] += row["count"]
    failed["content"] += served["content"] - stored
    served["content"] = stored
    return failed, served


def _faults(verdict: Verdict, size: int, failed: Counter[str], served: Counter[str]) -> list[str]:
    faults = [f"{count} {name}" for name, count in verdict.faults.items()]
    if verdict.stored != size:
        faults.append(f"{size - verdict.stored} of {size} not stored, although the list tells of every one")
    if sum(failed.values()) > RETRIES_PER_REQUEST_MAX * sum(served.values()):
        faults.append("more than 0.6 retries per request")
    return faults
