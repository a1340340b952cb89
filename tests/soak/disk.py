"""T6: every single operation on the disk fails once, with each kind of error, and for good."""

from __future__ import annotations

import errno
import random
import tempfile
from collections import Counter
from pathlib import Path

import anyio

from pipeline.sandbox import film
from tests.disk.trial import Trial, attempt
from tests.soak.proof import Proof

WHAT = "every operation on the disk fails in turn (ENOSPC, EDQUOT, EIO; once and for good), in a run of so many jobs"
SIZE = 20

WAYS = {
    "ENOSPC once": (errno.ENOSPC, False),
    "EDQUOT once": (errno.EDQUOT, False),
    "EIO once": (errno.EIO, False),
    "ENOSPC from then on": (errno.ENOSPC, True),
    "EIO from then on": (errno.EIO, True),
}
FILM_BYTES = 20_000


def prove(*, size: int, seed: int) -> Proof:
    """Run *size* jobs once for each operation and way to fail; *seed* makes the film."""
    figures: dict[str, object] = {}
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        content = _film(Path(folder), seed)
        for n, (way, (kind, stays)) in enumerate(WAYS.items()):
            trials = _until_none_fails(content, Path(folder, str(n)), kind, stays, size)
            codes = ", ".join(f"{times} x {code}" for code, times in sorted(Counter(t.code for t in trials).items()))
            figures[way] = f"{len(trials)} operations; exit codes {codes}"
            faults += [f"{way}, operation {at}: {one}" for at, trial in enumerate(trials, 1) for one in trial.wrong]
    figures["ids lost, paid twice, not completed"] = len(faults)
    return Proof(figures=figures, faults=tuple(faults))


def _until_none_fails(content: bytes, folder: Path, kind: int, stays: bool, count: int) -> list[Trial]:
    trials: list[Trial] = []
    while True:
        at = len(trials) + 1
        trial = anyio.run(lambda n: attempt(content, folder / str(n), n, kind, stays=stays, count=count), at)
        if not trial.failed:
            return trials
        trials.append(trial)


def _film(folder: Path, seed: int) -> bytes:
    path = folder / "film.mp4"
    prompt = f"grey {random.Random(seed).random()}"
    film.plain(film.film_of({"prompt": prompt, "model": "sora-2", "seconds": "4", "size": "64x64"}), FILM_BYTES, path)
    return path.read_bytes()
