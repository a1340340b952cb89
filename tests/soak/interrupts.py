"""T8: SIGINT, SIGTERM and SIGHUP at random moments: open submits are answered, so nothing is left in doubt."""

from __future__ import annotations

import random
import signal
import tempfile
from collections import Counter
from pathlib import Path

from tests.chaos.driver import POLITE
from tests.chaos.night import Report, have
from tests.soak.proof import Proof

WHAT = "SIGINT, SIGTERM or SIGHUP at random moments, resumed each time"
SIZE = 200
JOBS = 200
HITS = 40
DRAIN_S_MAX = 125.0
"""The deadline of a POST, and five seconds."""


def prove(*, size: int, seed: int) -> Proof:
    """Nights until *size* signals have hit a runner at work."""
    for number in POLITE:  # a shell that starts this in its background has children ignore them
        signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
    chance = random.Random(seed)
    nights: list[Report] = []
    while sum(night.live for night in nights) < size:
        with tempfile.TemporaryDirectory() as folder:
            hits, night_seed = min(HITS, size), chance.randrange(1 << 32)
            nights.append(have(Path(folder), jobs=JOBS, hits=hits, numbers=POLITE, seed=night_seed))
    drains_s = [drain_s for night in nights for drain_s in night.drains_s]
    codes = Counter(code for night in nights for code in night.codes)
    faults = [fault for night in nights for fault in night.faults]
    faults += [] if codes[130] > size // 2 else [f"only {codes[130]} runs were interrupted"]
    faults += [f"{max(drains_s):.1f} s from a signal to the end"] if max(drains_s) > DRAIN_S_MAX else []
    return Proof(
        figures={
            "signals on a runner at work": sum(night.live for night in nights),
            "stored at the end": f"{sum(n.verdict.stored for n in nights)} of {len(nights) * JOBS}",
            "uncertain": sum(len(n.verdict.uncertain) for n in nights),
            "from the signal to the end": f"{max(drains_s):.1f} s at most",
            "exit codes": ", ".join(f"{code}: {count}" for code, count in sorted(codes.items())),
        },
        faults=tuple(faults),
    )
