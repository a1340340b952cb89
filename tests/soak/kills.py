"""T1: `kill -9` at random moments of 600-job runs, resumed until nothing is left to do, with the list on and off."""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from pipeline.lifecycle import Fact
from tests.chaos.driver import KILL, SLOTS
from tests.chaos.night import Report, have
from tests.soak.proof import Proof

WHAT = "kill -9 over 600-job runs, the provider's list on and off in turn"
SIZE = 1_000
JOBS = 600
HITS = 50
"""In one night; about every third of the jobs' second."""


def prove(*, size: int, seed: int) -> Proof:
    """Nights until *size* kills have hit a runner at work."""
    chance = random.Random(seed)
    nights: list[Report] = []
    while sum(night.live for night in nights) < size:
        nights.append(_night(chance.randrange(1 << 32), lists=len(nights) % 2 == 0, hits=min(HITS, size)))
        sys.stderr.write(f"{sum(night.live for night in nights):,} kills\n")
    faults = [fault for night in nights for fault in night.faults]
    if size >= HITS and not (_proven(nights)[Fact.ADOPTED] and _proven(nights)[Fact.NOT_CREATED]):
        faults.append("no kill left anything to be settled: this proves little")
    return Proof(figures=_figures(nights), faults=tuple(faults))


def _night(seed: int, *, lists: bool, hits: int) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        return have(Path(folder), jobs=JOBS, hits=hits, numbers=KILL, seed=seed, lists=lists)


def _figures(nights: list[Report]) -> dict[str, object]:
    listed, unlisted = [n for n in nights if n.lists], [n for n in nights if not n.lists]
    return {
        "runs": f"{len(nights)} of {JOBS} jobs, {len(listed)} with a list",
        "kills on a runner at work": sum(night.live for night in nights),
        "keys paid twice": sum(night.verdict.paid_twice for night in nights),
        "accepted ids lost": sum(night.verdict.lost_ids for night in nights),
        "corrupt files": sum(night.verdict.corrupt_files for night in nights),
        "list on: stored, uncertain": _ends(listed),
        "list on: adopted, proven not created": f"{_proven(listed)[Fact.ADOPTED]}, {_proven(listed)[Fact.NOT_CREATED]}",
        "list off: stored, uncertain": f"{_ends(unlisted)} ({sum(n.uncertain_max for n in unlisted)} allowed: "
        f"{SLOTS} slots x kills), {sum(n.verdict.paid_but_uncertain for n in unlisted)} of them billed",
    }


def _proven(nights: list[Report]) -> Counter[str]:
    return sum((Counter(night.verdict.settled) for night in nights), Counter())


def _ends(nights: list[Report]) -> str:
    return f"{sum(n.verdict.stored for n in nights)}, {sum(len(n.verdict.uncertain) for n in nights)}"
