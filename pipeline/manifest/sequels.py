"""What is made from other videos, while the jobs of those are not known yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from pipeline.manifest.circles import circles
from pipeline.manifest.fields import did_you_mean, shown
from pipeline.manifest.lineage import Lineage
from pipeline.manifest.sheet import Written
from pipeline.manifest.sweep import Cell
from pipeline.manifest.template import is_template
from pipeline.model import Job

COMPARED_MAX: Final = 20_000
"""So many names are compared with those that nobody has, to say which was meant; what is beyond is told without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequel:
    """A part of an entry that is made from another video."""

    entry: Written
    row: Written | None
    cell: Cell
    field: str
    at: tuple[int, int]
    """How many jobs that stand alone come before it, and how many other sequels."""

    @property
    def stated(self) -> Written:
        """Who names the source."""
        return self.row if self.row is not None and self.row.states(self.field) else self.entry

    @property
    def source(self) -> str:
        """What it is called."""
        name: str = self.stated.fields[self.field]
        return name

    @property
    def names(self) -> Sequence[str]:
        """What others may call it, and more with it: the ids of its row and of its entry."""
        own = (name_of(written) for written in (self.row, self.entry) if written is not None)
        return [*dict.fromkeys(filter(None, own))]


def name_of(written: Written) -> str:
    """What an entry or a row is called as a whole; empty where it is not, or differs from job to job."""
    name = written.fields.get("id", "")
    return name if isinstance(name, str) and (written.literal or not is_template(name)) else ""


class Sequels:
    """They wait here, by what they name. Each is looked at when that becomes known: in whatever order a chain is
    written, its length is all that it costs.
    """

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage
        self._waiting: defaultdict[str, list[Sequel]] = defaultdict(list)
        self.count = 0
        """How many there were in all."""

    def add(self, sequel: Sequel) -> None:
        """*sequel* waits."""
        self._waiting[sequel.source].append(sequel)
        self.count += 1
        for name in sequel.names:
            self._lineage.waits(name)

    @property
    def wanted(self) -> Collection[str]:
        """What they wait for."""
        return self._waiting.keys()

    def ready(self, names: Iterable[str], jobs: Sequence[Job]) -> list[tuple[Sequel, Sequence[Job]]]:
        """Those that wait for one of *names*, with their sources, as they were read; they wait no more."""
        found: list[tuple[Sequel, Sequence[Job]]] = []
        for name in names:
            sources = self._lineage.sources(name, jobs) if name in self._waiting else None
            if sources is not None:
                found += [(sequel, sources) for sequel in self._waiting.pop(name)]
        return sorted(found, key=lambda pair: pair[0].at)

    def made(self, sequel: Sequel, where: range) -> None:
        """*sequel*, which was ready, made the jobs at *where*."""
        for name in sequel.names:
            self._lineage.waits_no_more(name)
            self._lineage.made(name, where)

    def left(self) -> Sequence[Sequel]:
        """Those that still wait, as they were read."""
        return sorted((one for waiting in self._waiting.values() for one in waiting), key=attrgetter("at"))


def report_unfound(left: Sequence[Sequel], lineage: Lineage, is_labelled: Callable[[Sequel], bool]) -> None:
    """Make issues of the sequels whose source nobody has: there is none, or it is made from them.

    *is_labelled* tells of those whose jobs are called more than they are themselves.
    """
    wants: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for sequel in left:
        for own in sequel.names:
            wants[own][sequel.source] = None
    makers = _makers(left, is_labelled)
    meant = {name: name if name in wants else _meant(name, makers) for name in (sequel.source for sequel in left)}
    circle = circles({own: [meant[name] for name in named] for own, named in wants.items()})
    names = lineage.names()
    suggestions = COMPARED_MAX // max(1, len(names))
    for sequel in left:
        name = sequel.source
        own = next(_in_circle(sequel, circle, meant[name]), "")
        place = sequel.stated.place(sequel.field)
        if own:
            words = "itself" if name == own else f"'{shown(name)}', which is made from it"
            place.about("source-cycle", f"'{shown(own)}' is made from {words}; one of them must come first")
        elif not (lineage.is_entry(name) or lineage.made_nothing(name)):
            suggestions -= 1
            near = did_you_mean(name, (one for one in names if one not in sequel.names)) if suggestions >= 0 else ""
            place.about("unknown-source", f"there is no entry and no job '{shown(name)}'{near}")


def _makers(left: Sequence[Sequel], is_labelled: Callable[[Sequel], bool]) -> Collection[str]:
    """The names that jobs of longer names belong to: of what is labelled, and of all that is made from that."""
    followers: defaultdict[str, list[str]] = defaultdict(list)
    for sequel in left:
        followers[sequel.source] += sequel.names
    waiting = [name for sequel in left if is_labelled(sequel) for name in sequel.names]
    waiting += [name for sequel in left if "from" in sequel.entry.fields and (name := name_of(sequel.entry))]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += followers[name]
    return found


def _in_circle(sequel: Sequel, circle: Mapping[str, str], source: str) -> Iterator[str]:
    """The names of *sequel* that its *source* is made from."""
    return (own for own in sequel.names if circle[own] == circle[source])


def _meant(name: str, makers: Collection[str]) -> str:
    """Which of the *makers* makes the job *name*, if one does: the id of a job begins with that of its entry."""
    head = name
    while head and head not in makers:
        head = head.rpartition("-")[0]
    return head or name
