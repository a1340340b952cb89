"""Which jobs a wish is made from: `remix_of`, `extend_of` and `edit_of`, by the id of an entry or of one job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from pipeline.manifest.scalars import canonical
from pipeline.manifest.settings import KEPT
from pipeline.manifest.shape import Fault
from pipeline.manifest.wish import Footage, Wish
from pipeline.model import NOTHING, Job, Link, together_s
from pipeline.profile import Profile

LINKS: Final[Mapping[str, Link]] = {"remix_of": Link.REMIX, "extend_of": Link.EXTEND, "edit_of": Link.EDIT}
_LIKE: Final[Mapping[str, str]] = {"remix_of": "edit_of", "edit_of": "remix_of"}
"""What makes much the same of a video: all of it again by another prompt."""
_SOURCE: Final = "video"
"""What the API calls the source of an extension and of an edit: no param of what is made from another video."""


class Lineage:
    """The entries and jobs that may be a source, as they become known."""

    def __init__(self) -> None:
        self._of_entry: dict[str, list[range]] = {}
        """By the id of an entry or a row: where its jobs are."""
        self._waiting: dict[str, int] = {}
        """By the id of an entry or a row: how many of its wishes wait for a source of their own."""
        self._footage: dict[str, Footage] = {}
        """By key, of what is made from others."""
        self._by_id: dict[str, Job] = {}

    def made(self, name: str, where: range) -> None:
        """The entry or row called so made the jobs at *where*."""
        self._of_entry.setdefault(name, []).append(where)

    def waits(self, name: str) -> None:
        """A wish of the entry or row called so waits for its source."""
        self._waiting[name] = self._waiting.get(name, 0) + 1
        self._of_entry.setdefault(name, [])

    def waits_no_more(self, name: str) -> None:
        """It has found it."""
        self._waiting[name] -= 1

    def measure(self, made: Iterable[Job], sources: Iterable[Job]) -> None:
        """Take in of what the videos are that were *made* from others."""
        before = {source.key: self.footage(source) for source in sources}
        for job in made:
            footage = before[job.source]
            self._footage[job.key] = extended(footage, job.seconds) if job.link is Link.EXTEND else footage

    def footage(self, job: Job) -> Footage:
        """What a job's video is made of."""
        return self._footage.get(job.key) or Footage(length_s=job.seconds)

    def index(self, jobs: Iterable[Job]) -> None:
        """Take in more *jobs*, whose ids are settled now."""
        self._by_id.update((job.id, job) for job in jobs)

    def sources(self, name: str, jobs: Sequence[Job]) -> Sequence[Job] | None:
        """The jobs that *name* means; `None`: not known, or not yet."""
        job = self._by_id.get(name)
        if name not in self._of_entry:
            return None if job is None else [job]
        if self._waiting.get(name):
            return None
        return [jobs[n] for where in self._of_entry[name] for n in where]

    def is_ambiguous(self, name: str, sources: Sequence[Job]) -> bool:
        """Whether the name of the entries or rows that made *sources* is the id of another's job, too."""
        return name in self._by_id and all(job.id != name for job in sources)

    def made_nothing(self, name: str) -> bool:
        """Whether an entry or a row at fault is called so, or what comes before a `-` of it: it would have had jobs."""
        while name:
            if name in self._of_entry and name not in self._waiting and not any(self._of_entry[name]):
                return True
            name = name.rpartition("-")[0]
        return False

    def is_entry(self, name: str) -> bool:
        """Whether an entry or a row is called so, whatever became of it."""
        return name in self._of_entry

    def names(self) -> Sequence[str]:
        """Everything that could be meant."""
        return [*self._of_entry, *self._by_id][:10_000]


def extended(footage: Footage, seconds: int | float) -> Footage:
    """What *footage* is with an extension of so many *seconds*."""
    return Footage(length_s=together_s(seconds, footage.length_s), extensions=footage.extensions + 1)


def link_faults(wish: Wish, name: str, link: Link) -> Iterator[Fault]:
    """What a video that is made from another by the field *name* cannot have, or its provider cannot do."""
    ground = wish.sheet.ground
    if ground.profile is not None:
        for code, message in _refused(wish, ground.profile, name, link):
            yield Fault(name, "", code, message, warning=ground.allow_unknown)
    if "input_reference" in wish.fields:
        message = "a video that is made from another takes no image of its own; remove it here"
        yield Fault("input_reference", "", "source-settings", message, key=not wish.is_literal("input_reference"))
    for setting in KEPT[name]:
        if _is_stated(wish, setting):
            message = f"a video that is made from another keeps its {setting}; remove it here"
            yield Fault(setting, "", "source-settings", message, key=not wish.is_literal(setting))
    if _SOURCE in wish.fields.get("params", NOTHING):
        message = f"what is made from another video names it in '{name}'; remove '{_SOURCE}' from its params"
        yield Fault("params", _SOURCE, "reserved-name", message)


def _refused(wish: Wish, profile: Profile, name: str, link: Link) -> Iterator[tuple[str, str]]:
    """What *profile* says it cannot do: code and words."""
    able = {"remix_of": profile.remixes, "extend_of": profile.extends, "edit_of": profile.edits}
    if not able[name]:
        like = _LIKE.get(name, "")
        hint = f"; it can {LINKS[like]} one: write '{like}'" if able.get(like) else ""
        yield f"profile-{link}", f"{profile.name} cannot {link} a video{hint}"
        return
    seconds = wish.fields.get("seconds")
    if link is not Link.EXTEND or wish.source is None or seconds is None:
        return
    whole = extended(wish.footage, canonical(seconds))
    if profile.extensions_max is not None and whole.extensions > profile.extensions_max:
        most = f"{profile.name} extends a video {profile.extensions_max} times at most"
        yield "profile-extensions", f"{most}; this is extension {whole.extensions}"
    if profile.length_s_max is not None and whole.length_s > profile.length_s_max:
        most = f"{profile.name} makes videos of {profile.length_s_max} seconds at most"
        yield "profile-length", f"{most}; with what it goes on from, this one has {whole.length_s}"


def _is_stated(wish: Wish, setting: str) -> bool:
    """Whether the wish states it itself, and does not just have it from `defaults` or the command line."""
    if any(setting in point.fields for point in wish.cell):
        return True
    return any(written is not None and written.states(setting) for written in (wish.row, wish.entry))
