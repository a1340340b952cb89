"""What must be one job's alone: its wish, its id and its path. The later one is an issue that names the first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.manifest.document import Place
from pipeline.model import Job, Position

if TYPE_CHECKING:
    from pipeline.manifest.wish import Wish

_BASE_MAX = 66
"""So much of an id is kept where digits are added: it stays within 80."""


class Claims:
    """The wishes and ids claimed so far."""

    def __init__(self) -> None:
        self._keys: dict[str, Position] = {}
        self._ids: dict[str, Position] = {}
        self._derived: list[int] = []
        """Numbers of the jobs whose ids we made, and which are not settled yet."""

    def key(self, key: str, at: Position, place: Callable[[], Place]) -> bool:
        """The entry at *place* wants the video *key*. Whether it has not asked for that itself before."""
        if key not in self._keys:
            self._keys[key] = at
            return True
        if self._keys[key] == at:
            return False
        again = place()
        again.about("duplicate-wish", _same(self._keys[key], at, of_data=again.literal))
        return True

    def id(self, name: str, at: Position, wish: Wish) -> bool:
        """A job of *wish*, which stands *at* a place, is called *name*. Whether no other is called so."""
        if name in self._ids:
            _report_id(name, self._ids[name], at, wish)
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


def _report_id(name: str, first: Position, at: Position, wish: Wish) -> None:
    """A job of *wish* is called *name*, as is another. What a template makes of a row is told at the row."""
    place, made = wish.place("id"), ""
    if wish.row is not None and not wish.is_literal("id"):
        made = f", which {place.position()} makes of this row,"
        place = wish.row.place()
    used = f"on {_where(first, at)}"
    if first == at:
        used = f"by another video of this {'row' if made else 'entry'}; use in it what sets them apart"
    place.about("duplicate-id", f"the id '{name}'{made} is already used {used}")


def _same(first: Position, at: Position, *, of_data: bool) -> str:
    """What to say of a wish *at* a place, which was *first* asked for at another."""
    remedy = "write 2 there in a column 'takes'" if of_data else "use 'takes: 2'"
    return f"the same video as {_where(first, at)}; {remedy} for another take of it"


def _where(first: Position, at: Position) -> str:
    """*first*, as seen from *at*."""
    return f"line {first.line}" if first.file == at.file else str(first)
