"""Jobs that build on another's video: whether the source has one to build on, still. Pure: the time is an argument."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias, TypeVar

from pipeline.lifecycle import ENDED_WITHOUT_VIDEO, State
from pipeline.model import EMBEDDED, Job
from pipeline.text import fit, plain

REASON_WIDTH_MAX = 300
_DOWN_TO_THE_ROOT = re.compile(r"(its source \S+ is blocked: )*(its source )?")
"""What comes before the words on where a chain broke, in the reason of one that is blocked for it."""


class Source(Protocol):
    """What is known of a job whose video another builds on."""

    @property
    def id(self) -> str: ...
    @property
    def state(self) -> State: ...
    @property
    def video_id(self) -> str: ...
    @property
    def origin(self) -> str:
        """The address that its id belongs to."""

    @property
    def finished_at(self) -> datetime | None: ...
    @property
    def expires_at(self) -> datetime | None:
        """When the provider drops its video, where it said so."""

    @property
    def reason(self) -> str:
        """Why it is in its state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The provider has its video: what builds on it may be submitted."""

    video_id: str
    until: datetime | None
    """When the provider drops it; `None`: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """It may have one yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """It has none to build on, and will have none unless a person does something about it."""

    reason: str


Standing: TypeAlias = Ready | Waits | Blocked

WAITS = Waits()
S = TypeVar("S")

_ENDED: Mapping[State, str] = {
    State.REJECTED: "was rejected",
    State.FAILED: "failed",
    State.EXPIRED: "expired",
    State.LOST: "is lost",
    State.DROPPED: "was given up",
    State.BLOCKED: "is blocked",
}
"""What became of a source that has no video."""

if unsaid := ENDED_WITHOUT_VIDEO - _ENDED.keys():
    raise AssertionError(f"ends without a word: {unsaid}")


def standing(
    source: Source, *, now: datetime, origin: str, retention_s: float, seen_s: float | None = None
) -> Standing:
    """What a job that builds on *source* may do *now*, in a run at *origin* (empty: not known).

    A finished video can be built on as long as the provider keeps it, whether it is here already or not. Where this run
    saw it finish, *seen_s* ago by the monotonic clock, no wall clock is asked. What is asked for too late is refused,
    and costs nothing.
    """
    if source.state in _ENDED:
        return Blocked(reason=because(source.id, _ENDED[source.state], source.reason))
    if origin and source.origin and source.origin != origin:
        return Blocked(reason=f"its source {source.id} is at {_place(source.origin)}, and this run is not")
    if source.state not in (State.FINISHED, State.STORED):
        return WAITS
    until = kept_until(source, retention_s)
    is_gone = until is not None and until <= now if seen_s is None else seen_s >= _kept_s(source, retention_s)
    if is_gone:
        said = f" until {until:%Y-%m-%d %H:%M} UTC" if until is not None else ""
        gone = f"the provider kept the video of its source {source.id}{said}"
        return Blocked(reason=f"{gone}: what builds on it can only be made while it is there")
    return Ready(video_id=source.video_id, until=until)


def kept_until(source: Source, retention_s: float) -> datetime | None:
    """When the provider drops a finished video: by its own word, else by how long it keeps one."""
    if source.expires_at is not None or source.finished_at is None:
        return source.expires_at
    return source.finished_at + timedelta(seconds=retention_s)


def _kept_s(source: Source, retention_s: float) -> float:
    """How long the provider keeps a finished video at the most: our clock may have been set since it was bought."""
    if source.expires_at is None or source.finished_at is None:
        return retention_s
    return max(retention_s, (source.expires_at - source.finished_at).total_seconds())


def because(source_id: str, ended: str, reason: str) -> str:
    """Why what builds on a source is blocked: `its source harbour-t1 failed: moderation_blocked`.

    Further down the chain it names its own source, and where the chain broke: `its source night-t1 is blocked:
    harbour-t1 failed: moderation_blocked`.
    """
    if ended == _ENDED[State.BLOCKED]:
        reason = _DOWN_TO_THE_ROOT.sub("", reason, count=1)
    words = f"its source {source_id} {ended}{f': {plain(reason)}' if reason else ''}"
    return fit(words, REASON_WIDTH_MAX)


def root_of(reason: str) -> str:
    """Where a chain broke: what all that is blocked for it has in common, `harbour-t1 failed: moderation_blocked`."""
    return _DOWN_TO_THE_ROOT.sub("", reason, count=1)


def with_sources(chosen: Sequence[Job], jobs: Sequence[Job]) -> Sequence[Job]:
    """*chosen*, and of *jobs*, in their order, also those that the chosen build on, directly or not."""
    wanted = {job.key for job in chosen}
    missing = [job.source for job in chosen if job.source and job.source not in wanted]
    if not missing:
        return chosen
    by_key = {job.key: job for job in jobs}
    while missing:
        source = by_key.get(missing.pop())
        if source is not None and source.key not in wanted:
            wanted.add(source.key)
            missing.append(source.source)
    return [job for job in jobs if job.key in wanted]


def blocked(
    jobs: Iterable[Job], due: Collection[str], known: Mapping[str, S], standing_of: Callable[[S], Standing]
) -> dict[str, str]:
    """Why those of *jobs* cannot be submitted whose source will have no video, by key.

    *due* are the keys of all that would be submitted if it were for themselves alone: what builds on one of these waits
    for it, unless that one is blocked in its turn.
    """
    linked = {job.key: job for job in jobs if job.source and job.key in due}
    reasons: dict[str, str] = {}

    def why_not(job: Job) -> str:
        if why := reasons.get(job.source):
            return because(linked[job.source].id, _ENDED[State.BLOCKED], why)
        if job.source in due or job.source not in known:
            return ""
        found = standing_of(known[job.source])
        return found.reason if isinstance(found, Blocked) else ""

    for job in linked.values():
        line: list[Job] = []
        at: Job | None = job
        while at is not None and at.key not in reasons:
            line.append(at)
            at = linked.get(at.source)
        for one in reversed(line):
            reasons[one.key] = why_not(one)
    return {key: reason for key, reason in reasons.items() if reason}


def _place(origin: str) -> str:
    return "the sandbox of a run folder" if origin == EMBEDDED else origin
