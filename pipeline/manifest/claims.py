"""What must be one job's alone: its wish, its id and its path. The later one is an issue that names the first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from pipeline.manifest.document import Findings, Path
from pipeline.model import Job


class Claims:
    """The wishes and ids claimed so far."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._keys: dict[str, int] = {}
        self._ids: dict[str, int] = {}

    def key(self, key: str, line: int, path: Path) -> None:
        """The entry at *path* wants the video *key*."""
        if key in self._keys:
            message = f"the same video as line {self._keys[key]}; use 'takes: 2' for another take of it"
            self._findings.about(path, "duplicate-wish", message)
        else:
            self._keys[key] = line

    def id(self, name: str, line: int, path: Path) -> None:
        """The text at *path* calls a job *name*."""
        if name in self._ids:
            self._findings.about(path, "duplicate-id", f"the id '{name}' is already used on line {self._ids[name]}")
        else:
            self._ids[name] = line

    def settle(self, jobs: list[Job], derived: Sequence[int], place: Callable[[Job], str]) -> None:
        """Lengthen the ids we made ourselves where two are alike; all of them, so that their order does not matter."""
        counts = Counter(jobs[n].id for n in derived)
        for n in derived:
            job = jobs[n]
            if counts[job.id] > 1 or job.id in self._ids:
                renamed = replace(job, id=f"{job.id}-{job.key[:12]}")
                jobs[n] = replace(renamed, path=place(renamed))


def check_paths(jobs: Sequence[Job], collide: Callable[[int, Job], None]) -> None:
    """Tell *collide* of every job (its number) whose path is another's already, with that other.

    Paths are in lower case.
    """
    first: dict[str, Job] = {}
    for n, job in enumerate(jobs):
        other = first.setdefault(job.path, job)
        if other is not job and job.path:
            collide(n, other)
