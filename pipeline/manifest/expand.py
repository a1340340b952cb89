"""Entries become jobs. Everything wrong with an entry is found in one go; what is at fault makes no job.

An entry is heard with each of its data rows, each cell of its matrix and each of its sources: that is a *wish*, and
each take of it a job. What is made from another video waits here until that one's job is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.manifest.claims import Claims, check_paths
from pipeline.manifest.lineage import Lineage, report_unfound
from pipeline.manifest.making import Making
from pipeline.manifest.parts import TAKES_MAX, Parts, link_of
from pipeline.manifest.sheet import Written
from pipeline.manifest.sweep import Cell
from pipeline.manifest.template import is_template
from pipeline.manifest.wish import Wish
from pipeline.manifest.words import Pen
from pipeline.model import Job

if TYPE_CHECKING:
    from pipeline.manifest.images import Images
    from pipeline.manifest.overrides import Overrides

JOBS_MAX: Final = 200_000
"""More jobs from one manifest want a word of consent."""

_IN_PARTS: Final = frozenset({"matrix", "sample"})
"""An entry without these, without data and without `--set` is one wish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """A part of an entry that is made from a video whose job is not known yet."""

    entry: Written
    row: Written | None
    cell: Cell
    field: str
    at: tuple[int, int]
    """How many jobs that stand alone come before it, and how many others that wait."""

    @property
    def stated(self) -> Written:
        """Who names the source."""
        return self.row if self.row is not None and self.row.states(self.field) else self.entry

    @property
    def source(self) -> str:
        """What it is called."""
        name: str = self.stated.fields[self.field]
        return name


class Expansion:
    """Makes the jobs of one manifest."""

    def __init__(self, *, pen: Pen, images: Images, overrides: Overrides | None) -> None:
        self._overrides = overrides
        self._jobs: list[Job] = []
        self._claims = Claims()
        self._making = Making(pen=pen, images=images, claims=self._claims, jobs=self._jobs)
        self._lineage = Lineage()
        self._waiting: list[_Waiting] = []
        self._chunks: list[tuple[tuple[int, int], range]] = []
        """The jobs that are made from others: how many that stand alone come before them, and where they are."""
        self._asked = 0
        """How many jobs were asked for so far, also by what is at fault and makes none."""
        self._full = False

    def add(self, entry: Written, rows: Iterable[Written] | None = None) -> None:
        """Make the jobs of *entry*, or of its data *rows*."""
        if entry.literal and self._overrides is None:
            self._take_in(entry, None, (), link_of(entry, None))
            return
        began, asked, name = len(self._jobs), self._asked, _plain_id(entry)
        if entry.wrong:
            self._look_over(entry, rows, entry.wrong)
        elif rows is None and self._overrides is None and _IN_PARTS.isdisjoint(entry.fields):
            self._take_in(entry, None, (), link_of(entry, None), began=asked)
        else:
            link, last = link_of(entry, None), None
            for row, cell in Parts(entry, rows, self._overrides, look=self._look_at_all):
                if row is not last:
                    link, last = link_of(entry, row), row
                if not self._take_in(entry, row, cell, link, began=asked):
                    break
        if name and not entry.literal:
            self._lineage.made(name, range(began, len(self._jobs)))

    def finish(self) -> tuple[Job, ...]:
        """All jobs, in reading order, with what is only known once all are there."""
        self._claims.settle(self._jobs, self._making.place_again)
        if self._waiting:
            alone = len(self._jobs)
            self._find_sources()
            jobs = list(self._in_order(alone))
        else:
            jobs = self._jobs
        check_paths(jobs, self._making.report_collision)
        return tuple(jobs)

    def _look_at_all(self, entry: Written) -> None:
        """Find what else is wrong with an entry whose matrix is at fault."""
        self._look_over(entry, None, frozenset({"matrix"}))

    def _look_over(self, entry: Written, rows: Iterable[Written] | None, wrong: frozenset[str]) -> None:
        """Find what else is wrong with an entry that makes no job, and with its rows."""
        self._making.look(self._wish(entry), wrong)
        for _ in rows or ():
            pass

    def _take_in(self, entry: Written, row: Written | None, cell: Cell, link: str, *, began: int = 0) -> bool:
        """Make the jobs of one part of an entry, or keep it until its source is known. Whether more may follow.

        *link* is the field that names its source; empty: it stands alone.
        """
        wrong = entry.wrong if row is None else row.wrong
        if wrong:
            wish = self._wish(entry, row, cell)
            self._making.look(wish, wrong)
            return self._may_take(wish, 1, self._asked - began)
        wish = self._wish(entry, row, cell)
        if not link:
            return self._make(wish, began)
        if not self._may_take(wish, 1, self._asked - began):
            return False
        waiting = _Waiting(entry=entry, row=row, cell=cell, field=link, at=(len(self._jobs), len(self._waiting)))
        self._waiting.append(waiting)
        self._lineage.waits(_plain_id(entry))
        return True

    def _wish(self, entry: Written, row: Written | None = None, cell: Cell = (), source: Job | None = None) -> Wish:
        source_s = 0 if source is None else self._lineage.length_s(source)
        return Wish(entry, row, cell, source=source, source_s=source_s, overrides=self._overrides)

    def _make(self, wish: Wish, began: int) -> bool:
        """Make the jobs of *wish*; false where no more may be made of its entry."""
        shape = self._making.shape(wish)
        if not self._may_take(wish, shape.takes, self._asked - began):
            self._making.look(wish, frozenset())
            return False
        self._making.make(wish, shape)
        return True

    def _may_take(self, wish: Wish, takes: int, made: int) -> bool:
        self._asked += takes
        if wish.sheet.ground.allow_large:
            return True
        count = takes if wish.entry.literal else takes + made
        if count > TAKES_MAX:
            place = wish.place("takes") if takes > TAKES_MAX else wish.entry.place()
            words = f"{takes:,}" if takes > TAKES_MAX else f"more than {TAKES_MAX:,}"
            tail = f"more than {TAKES_MAX:,} want --allow-large" if takes > TAKES_MAX else "so many want --allow-large"
            place.about("too-many", f"{words} jobs from one entry; {tail}")
            return False
        if self._asked > JOBS_MAX:
            if not self._full:
                message = f"more than {JOBS_MAX:,} jobs up to here; so many in one manifest want --allow-large"
                wish.entry.place().about("too-many", message)
            self._full = True
            return False
        return True

    # --- what is made from other videos

    def _find_sources(self) -> None:
        """Make, round by round, what has its sources, until nothing more can be made."""
        waiting = self._waiting
        while waiting:
            self._claims.settled(self._jobs)
            self._lineage.index(self._jobs)
            left: list[_Waiting] = []
            for part in waiting:
                sources = self._lineage.sources(part.source, self._jobs)
                if sources is None:
                    left.append(part)
                else:
                    self._make_from(part, sources)
            self._claims.settle(self._jobs, self._making.place_again)
            if len(left) == len(waiting):
                for part in left:
                    self._look(part)
                places = [(part.stated.place(part.field), part.source, _plain_id(part.entry)) for part in left]
                report_unfound(places, self._lineage)
                return
            waiting = left

    def _make_from(self, part: _Waiting, sources: Sequence[Job]) -> None:
        began, asked = len(self._jobs), self._asked
        if not sources:  # what it is made from is at fault itself
            self._look(part)
        self._asked -= 1  # it was counted while it waited
        for source in sources:
            cell: Cell | None = part.cell
            if self._overrides is not None:
                cell = self._overrides.beside_source(part.cell, part.entry, source)
            if cell is not None and not self._make(self._wish(part.entry, part.row, cell, source=source), asked):
                break
        made = range(began, len(self._jobs))
        self._lineage.measure((self._jobs[n] for n in made), sources)
        self._chunks.append((part.at, made))
        name = _plain_id(part.entry)
        self._lineage.waits_no_more(name)
        self._lineage.made(name, made)

    def _look(self, part: _Waiting) -> None:
        self._making.look(self._wish(part.entry, part.row, part.cell), frozenset({part.field}))

    def _in_order(self, alone: int) -> Iterator[Job]:
        """The jobs as their entries were read."""
        at = 0
        for (before, _), made in sorted(self._chunks, key=lambda chunk: chunk[0]):
            yield from self._jobs[at:before]
            at = before
            yield from (self._jobs[n] for n in made)
        yield from self._jobs[at:alone]


def _plain_id(entry: Written) -> str:
    """What an entry is called as a whole; empty where it is not, or differs from job to job."""
    name = entry.fields.get("id", "")
    return name if isinstance(name, str) and not is_template(name) else ""
