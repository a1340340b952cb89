"""Which jobs a wish is made from: `remix_of` and `extend_of`, by the id of an entry or of one job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from pipeline.manifest.document import Place
from pipeline.manifest.fields import did_you_mean, shown
from pipeline.manifest.settings import KEPT
from pipeline.manifest.wish import Wish
from pipeline.model import Job, Link, together_s

LINKS: Final[Mapping[str, Link]] = {"remix_of": Link.REMIX, "extend_of": Link.EXTEND}


class Lineage:
    """The entries and jobs that may be a source, as they become known."""

    def __init__(self) -> None:
        self._of_entry: dict[str, list[range]] = {}
        """By the id of an entry: where its jobs are."""
        self._waiting: dict[str, int] = {}
        """By the id of an entry: how many of its wishes wait for a source of their own."""
        self._lengths_s: dict[str, int | float] = {}
        """By key, of what is made from others."""
        self._by_id: dict[str, Job] | None = None

    def made(self, entry_id: str, where: range) -> None:
        """The entry called so made the jobs at *where*."""
        self._of_entry.setdefault(entry_id, []).append(where)

    def waits(self, entry_id: str) -> None:
        """A wish of the entry called so waits for its source."""
        self._waiting[entry_id] = self._waiting.get(entry_id, 0) + 1
        self._of_entry.setdefault(entry_id, [])

    def waits_no_more(self, entry_id: str) -> None:
        """It has found it."""
        self._waiting[entry_id] -= 1

    def measure(self, made: Iterable[Job], sources: Iterable[Job]) -> None:
        """Take in how long the videos are that were *made* from others."""
        lengths = {source.key: self.length_s(source) for source in sources}
        for job in made:
            extends = job.link is Link.EXTEND
            self._lengths_s[job.key] = together_s(job.seconds, lengths[job.source]) if extends else job.seconds

    def length_s(self, job: Job) -> int | float:
        """How long a job's video is in all."""
        return self._lengths_s.get(job.key, job.seconds)

    def index(self, jobs: Sequence[Job]) -> None:
        """Take in *jobs*, whose ids are settled now."""
        self._by_id = {job.id: job for job in jobs}

    def sources(self, name: str, jobs: Sequence[Job]) -> Sequence[Job] | None:
        """The jobs that *name* means; `None`: not known, or not yet."""
        assert self._by_id is not None, "sources are looked for once there are jobs"
        if name in self._of_entry:
            return None if self._waiting.get(name) else [jobs[n] for where in self._of_entry[name] for n in where]
        job = self._by_id.get(name)
        return None if job is None else [job]

    def is_entry(self, name: str) -> bool:
        """Whether an entry is called so, whatever became of it."""
        return name in self._of_entry

    def names(self) -> Iterable[str]:
        """Everything that could be meant."""
        return [*self._of_entry, *(self._by_id or ())][:10_000]


def report_unfound(waiting: Sequence[tuple[Place, str, str]], lineage: Lineage) -> None:
    """Make issues of the places that name a source nobody has: each with that name, and its own entry's id."""
    wants: dict[str, set[str]] = {}
    for _, name, own in waiting:
        wants.setdefault(own, set()).add(name)
    for place, name, own in waiting:
        if name in wants:
            if own in _reached(name, wants):
                words = "itself" if name == own else f"'{shown(name)}', which is made from it"
                place.about("source-cycle", f"'{shown(own)}' is made from {words}; one of them must come first")
        elif not lineage.is_entry(name):
            near = did_you_mean(name, lineage.names())
            message = f"there is no entry and no job '{shown(name)}'{near}"
            place.about("unknown-source", message)


def _reached(start: str, wants: Mapping[str, set[str]]) -> set[str]:
    """Every id that *start* is made from, over any number of steps, and itself."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(wants.get(name, ()))
    return seen


def link_faults(wish: Wish, name: str, link: Link) -> Iterator[tuple[str, str, str, bool]]:
    """What a video that is made from another cannot have, or its provider cannot do: field, code, words, warning."""
    ground = wish.sheet.ground
    profile = ground.profile
    if profile is not None and not (profile.remixes if link is Link.REMIX else profile.extends):
        what = "remix" if link is Link.REMIX else "extend"
        yield name, f"profile-{what}", f"{profile.name} cannot {what} a video", ground.allow_unknown
    if "input_reference" in wish.fields:
        message = "a video that is made from another takes no image of its own; remove it here"
        yield "input_reference", "source-settings", message, False
    for setting in KEPT[name]:
        written = (wish.row, wish.entry)
        if any(setting in point.fields for point in wish.cell) or any(
            w is not None and w.states(setting) for w in written
        ):
            yield (
                setting,
                "source-settings",
                f"a video that is made from another keeps its {setting}; remove it here",
                False,
            )
