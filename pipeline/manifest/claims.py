"""What must be one job's alone: its wish, its id and its path. The later one is an issue that names the first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from pipeline.manifest.document import Place
from pipeline.model import Job, Position

_BASE_MAX = 66
"""So much of an id is kept where digits are added: it stays within 80."""


class Claims:
    """The wishes and ids claimed so far."""

    def __init__(self) -> None:
        self._keys: dict[str, Position] = {}
        self._ids: dict[str, Position] = {}
        self._derived: list[int] = []
        """Numbers of the jobs whose ids we made, and which are not settled yet."""

    def key(self, key: str, at: Position, place: Callable[[], Place]) -> None:
        """The entry at *place* wants the video *key*."""
        if key in self._keys:
            place().about("duplicate-wish", _same(self._keys[key], at))
        else:
            self._keys[key] = at

    def id(self, name: str, at: Position, place: Callable[[], Place]) -> bool:
        """The text at *place* calls a job *name*. Whether no other is called so."""
        if name in self._ids:
            place().about("duplicate-id", f"the id '{name}' is already used on {_where(self._ids[name], at)}")
            return False
        self._ids[name] = at
        return True

    def derived(self, number: int) -> None:
        """The id of job *number* is one that we made."""
        self._derived.append(number)

    def settle(self, jobs: list[Job], place: Callable[[Job], str]) -> None:
        """Lengthen the ids we made where two are alike; all of them, so that their order does not matter."""
        counts = Counter(jobs[n].id for n in self._derived)
        for n in self._derived:
            job = jobs[n]
            if counts[job.id] > 1 or job.id in self._ids:
                renamed = replace(job, id=f"{job.id[:_BASE_MAX]}-{job.key[:12]}")
                jobs[n] = replace(renamed, path=place(renamed))

    def settled(self, jobs: Sequence[Job]) -> None:
        """The ids we made are claimed from now on."""
        self._ids.update((jobs[n].id, jobs[n].position) for n in self._derived)
        self._derived = []


def check_paths(jobs: Sequence[Job], collide: Callable[[Job, Job], None]) -> None:
    """Tell *collide* of every job whose path is another's already, with that other.

    Paths are in lower case. Of two jobs that are one wish that was said, and is enough.
    """
    first: dict[str, Job] = {}
    for job in jobs:
        other = first.setdefault(job.path, job)
        if other is not job and job.path and other.key != job.key:
            collide(job, other)


def _same(first: Position, at: Position) -> str:
    """What to say of a wish *at* a place, which was *first* asked for at another."""
    if first == at:
        return "two videos of this entry are the same; is there a value that no template uses, or twice the same?"
    return f"the same video as {_where(first, at)}; use 'takes: 2' for another take of it"


def _where(first: Position, at: Position) -> str:
    """*first*, as seen from *at*."""
    return f"line {first.line}" if first.file == at.file else str(first)
