"""Entries become jobs. Everything wrong with an entry is found in one go; what is at fault makes no job.

An entry is heard with each of its data rows, each cell of its matrix and each of its sources: that is a *wish*, and
each take of it a job. What is made from another video waits here until that one's job is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from pipeline.manifest.claims import Claims, check_paths
from pipeline.manifest.fields import shown
from pipeline.manifest.lineage import Lineage
from pipeline.manifest.making import Making
from pipeline.manifest.parts import TAKES_MAX, Parts, link_of
from pipeline.manifest.sequels import Sequel, Sequels, name_of, report_unfound
from pipeline.manifest.sheet import Written, left_out
from pipeline.manifest.sweep import Cell
from pipeline.manifest.unused import Watch
from pipeline.manifest.wish import NO_FOOTAGE, Wish
from pipeline.manifest.words import Pen
from pipeline.model import Job

if TYPE_CHECKING:
    from pipeline.manifest.images import Images
    from pipeline.manifest.overrides import Overrides

JOBS_MAX: Final = 200_000
"""More jobs from one manifest want a word of consent."""
LARGE_JOBS_MAX: Final = 10_000_000
"""And more than this are refused with it, too: a chain whose every link has two takes doubles with each."""

_IN_PARTS: Final = frozenset({"matrix", "sample"})
"""An entry without these, without data and without `--set` is one wish."""


class Expansion:
    """Makes the jobs of one manifest."""

    def __init__(self, *, pen: Pen, images: Images, overrides: Overrides | None) -> None:
        self._overrides = overrides
        self._jobs: list[Job] = []
        self._claims = Claims()
        self._making = Making(pen=pen, images=images, claims=self._claims, jobs=self._jobs)
        self._lineage = Lineage()
        self._sequels = Sequels(self._lineage)
        self._chunks: list[tuple[tuple[int, int], range]] = []
        """The jobs that are made from others: how many that stand alone come before them, and where they are."""
        self._asked = 0
        """How many jobs were asked for so far, also by what is at fault and makes none."""
        self._full = False

    def add(self, entry: Written, rows: Iterable[Written] | None = None) -> None:
        """Make the jobs of *entry*, or of its data *rows*."""
        began, asked = len(self._jobs), self._asked
        if entry.literal and self._overrides is None:
            self._take_in(entry, None, (), link_of(entry, None))
        elif rows is None and self._overrides is None and _IN_PARTS.isdisjoint(entry.fields):
            self._take_in(entry, None, (), link_of(entry, None), began=asked)
        else:
            self._add_parts(entry, rows, asked)
        self._made(entry, began)

    def _add_parts(self, entry: Written, rows: Iterable[Written] | None, asked: int) -> None:
        last: Written | None = None
        cell: Cell = ()
        link, began = link_of(entry, None), len(self._jobs)
        watch = Watch(entry)
        if rows is not None and not (self._overrides is not None and self._overrides.says_prompt):
            rows = watch.over(rows)
        glance = self._full or bool(entry.wrong)
        for row, cell in Parts(entry, rows, self._overrides, look=self._look_at_all, glance=glance):
            if row is not last:
                self._row_made(last, entry, began)
                link, last, began = link_of(entry, row), row, len(self._jobs)
            if not self._take_in(entry, row, cell, link, began=asked):
                break
        self._row_made(last, entry, began)
        if watch.unused and last is not None:
            self._making.look_at_prompt(self._wish(entry, last, cell), watch.columns())

    def _row_made(self, row: Written | None, entry: Written, began: int) -> None:
        if row is not None and row.fields.get("id") != entry.fields.get("id"):
            self._made(row, began)

    def _made(self, written: Written, began: int) -> None:
        """An entry or a row made the jobs since *began*. One alone is known by its own id, if it is called the same."""
        name = written.fields.get("id")
        if name is None or (len(self._jobs) == began + 1 and self._jobs[began].id == name):
            return
        if name_of(written):
            self._lineage.made(name, range(began, len(self._jobs)))

    @property
    def owed(self) -> int:
        """So many jobs there are, unless there is an issue."""
        return self._making.owed

    def finish(self) -> tuple[Job, ...]:
        """All jobs, in reading order, with what is only known once all are there."""
        self._claims.settle(self._jobs, self._making.place_again)
        if self._sequels.count:
            alone = len(self._jobs)
            self._find_sources()
            jobs = list(self._in_order(alone))
        else:
            jobs = self._jobs
        check_paths(jobs, self._making.report_collision)
        return tuple(jobs)

    def _look_at_all(self, entry: Written) -> None:
        """Find what else is wrong with an entry whose matrix is at fault."""
        said = () if self._overrides is None else self._overrides.axes
        wrong = entry.wrong.union(left_out("matrix", entry.fields.get("matrix", {})), said)
        self._making.look(self._wish(replace(entry, wrong=wrong)), wrong)

    def _take_in(self, entry: Written, row: Written | None, cell: Cell, link: str, *, began: int = 0) -> bool:
        """Make the jobs of one part of an entry, or keep it until its source is known. Whether more may follow.

        *link* is the field that names its source; empty: it stands alone.
        """
        wish = self._wish(entry, row, cell)
        if not link:
            return self._make(wish, began)
        if not self._may_take(wish, 1, self._asked - began):
            return False
        at = (len(self._jobs), self._sequels.count)
        self._sequels.add(Sequel(entry=entry, row=row, cell=cell, field=link, at=at))
        return True

    def _wish(self, entry: Written, row: Written | None = None, cell: Cell = (), source: Job | None = None) -> Wish:
        footage = NO_FOOTAGE if source is None else self._lineage.footage(source)
        return Wish(entry, row, cell, source=source, footage=footage, overrides=self._overrides)

    def _make(self, wish: Wish, began: int) -> bool:
        """Make the jobs of *wish*; false where no more may be made of its entry."""
        if wish.wrong:
            self._making.look(wish, wish.wrong)
            return self._may_take(wish, 1, self._asked - began)
        shape = self._making.shape(wish)
        if not self._may_take(wish, shape.takes, self._asked - began):
            self._making.look(wish, frozenset())
            return False
        self._making.make(wish, shape)
        return True

    def _may_take(self, wish: Wish, takes: int, made: int) -> bool:
        self._asked += takes
        if wish.sheet.ground.allow_large:
            return self._asked <= LARGE_JOBS_MAX or self._is_full(wish, f"more than {LARGE_JOBS_MAX:,} jobs up to here")
        count = takes if wish.entry.literal else takes + made
        if count > TAKES_MAX:
            place = wish.place("takes") if takes > TAKES_MAX else wish.entry.place()
            words = f"{takes:,}" if takes > TAKES_MAX else f"more than {TAKES_MAX:,}"
            tail = f"more than {TAKES_MAX:,} want --allow-large" if takes > TAKES_MAX else "so many want --allow-large"
            place.about("too-many", f"{words} jobs from one entry; {tail}")
            return False
        tail = "; so many in one manifest want --allow-large"
        return self._asked <= JOBS_MAX or self._is_full(wish, f"more than {JOBS_MAX:,} jobs up to here{tail}")

    def _is_full(self, wish: Wish, message: str) -> bool:
        """Tell it once, with *message*; false: nothing more may be taken."""
        if not self._full:
            wish.entry.place().about("too-many", message)
        self._full = True
        return False

    # --- what is made from other videos

    def _find_sources(self) -> None:
        """Make, round by round, what has its sources, until nothing more can be made."""
        known, named = 0, list(self._sequels.wanted)
        while named:
            self._claims.settled(self._jobs)
            self._lineage.index(self._jobs[known:])
            known, found = len(self._jobs), self._sequels.ready(named, self._jobs)
            for sequel, sources in found:
                self._make_from(sequel, sources)
            self._claims.settle(self._jobs, self._making.place_again)
            made = (job.id for job in self._jobs[known:])
            named = list(dict.fromkeys(chain(made, *(sequel.names for sequel, _ in found))))
        if left := self._sequels.left():
            self._making.owed += len(left)
            for sequel in left:
                self._look(sequel)
            report_unfound(left, self._lineage, self._is_labelled)

    def _make_from(self, part: Sequel, sources: Sequence[Job]) -> None:
        began, asked = len(self._jobs), self._asked
        if not sources:  # what it is made from is at fault itself
            self._look(part)
        elif self._lineage.is_ambiguous(part.source, sources):
            name = f"'{shown(part.source)}' is the id of an entry, and of a job of another"
            part.stated.place(part.field).about("duplicate-id", f"{name}; give one of them another id")
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
        self._sequels.made(part, made)

    def _look(self, part: Sequel) -> None:
        wish = self._wish(part.entry, part.row, part.cell)
        self._making.look(wish, wish.wrong | {part.field})

    def _is_labelled(self, part: Sequel) -> bool:
        """Whether its takes or its cell speak in the ids of its jobs."""
        wish = self._wish(part.entry, part.row, part.cell)
        return bool(wish.fields["takes"] > 1 or wish.labels())

    def _in_order(self, alone: int) -> Iterator[Job]:
        """The jobs as their entries were read."""
        at = 0
        for (before, _), made in sorted(self._chunks, key=lambda chunk: chunk[0]):
            yield from self._jobs[at:before]
            at = before
            yield from (self._jobs[n] for n in made)
        yield from self._jobs[at:alone]
