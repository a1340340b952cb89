"""Run folders with stored videos, small enough to be exported again and again. (No reader of ours decodes them.)"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.ledger.ledger import read_run
from pipeline.ledger.records import Value
from pipeline.ledger.replay import RunState
from pipeline.lifecycle import Fact
from pipeline.model import Job
from pipeline.views.dataset.draft import drafting
from pipeline.views.dataset.shape import Shape
from pipeline.views.export import FOLDERS, choose, source_of
from pipeline.views.where import parse
from tests.ledger.histories import PRICE, SAID, a_job, key, live, opened

PROMPT = 'a heron, "35mm"\n=SUM(A1) ✓ <b>'


def wished(number: int, **changes: Any) -> Job:
    """Job *number*, with other fields."""
    return replace(a_job(number), **changes)


def film(job: Job) -> bytes:
    """The bytes of its video."""
    return f"the film of {job.key}".encode() * 40


def stock(folder: Path, stored: Iterable[Job], others: Iterable[Job] = (), film: Callable[[Job], bytes] = film) -> Path:
    """A run folder at *folder* in which the videos of *stored* are, and those of *others* were refused."""
    folder.mkdir()
    with opened(folder / "ledger.jsonl") as ledger:
        for job in stored:
            ledger.plan(job, price=PRICE)
            live(ledger, int(job.key, 16), Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED)
            store(folder, job, film(job))
            sha256 = hashlib.sha256(film(job)).hexdigest()
            told: dict[str, Value] = {"path": job.path, "bytes": len(film(job)), "sha256": sha256}
            ledger.record(Fact.STORED, job.key, **{**SAID[Fact.STORED], **told})
        for job in others:
            ledger.plan(job, price=PRICE)
            live(ledger, int(job.key, 16), Fact.INTENT, Fact.REJECTED)
        ledger.commit_now()
    return folder


def store(folder: Path, job: Job, content: bytes) -> Path:
    """Put *content* where the video of *job* is."""
    path = folder / "videos" / job.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def make(run: Path, dest: Path, form: str, *where: str, force: bool = False, **shape: Any) -> list[str]:
    """Export *run* to the dataset *dest*, as the command does; what it would tell."""
    state: RunState = read_run(run)
    wanted = Shape(**shape)
    rows = choose(state, (), [parse(text) for text in where])
    with drafting(dest, force=force) as draft:
        return FOLDERS[form].make(draft, source_of(state, run, rows, wanted), wanted)


def content_of(folder: Path) -> dict[str, bytes]:
    """Every file below *folder*, by its name there."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if not path.is_dir()
    }


__all__ = ["PROMPT", "content_of", "film", "key", "make", "stock", "store", "wished"]
