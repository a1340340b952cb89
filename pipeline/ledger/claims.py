"""What a ledger says about rows of a provider's list: whose they are, and which attempts may have made one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.ledger.ledger import read_run
from pipeline.ledger.place import LEDGER_NAME
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import Attempt, JobState, Wish
from pipeline.lifecycle import Fact, State
from pipeline.model import Link, together_s
from pipeline.providers.pricing import total
from pipeline.settling.fit import Doubt
from pipeline.settling.reading import Owned

OPEN_S = 150.0
"""A submit that is on record as open for longer has no POST under way: it was cut off, and waits to be settled."""


_THERE = (State.IN_FLIGHT, State.FINISHED, State.STORED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What one ledger claims at one provider."""

    owned: Mapping[str, Owned]
    """By video id: of every attempt that was ever accepted."""
    uncertain: tuple[Doubt, ...]
    open: tuple[Doubt, ...]
    """Attempts of which the ledger holds no outcome yet; their end is their beginning."""


def claims(state: RunState, origin: str, among: Collection[str] | None = None) -> Claims:
    """The claims of *state* on what *origin* made; *among* bounds `owned` to these ids."""
    owned = {
        attempt.video_id: Owned(
            wish=in_all(job, state),
            began_at=attempt.submitted_at,
            ended_at=attempt.ended_at or attempt.submitted_at,
            made_from=attempt.made_from,
        )
        for job in state.jobs.values()
        for attempt in job.attempts
        if attempt.video_id and attempt.origin == origin and (among is None or attempt.video_id in among)
    }
    return Claims(
        owned=owned,
        uncertain=tuple(_doubts(state, origin, State.UNCERTAIN)),
        open=tuple(_doubts(state, origin, State.SUBMITTING)),
    )


def in_all(job: JobState, state: RunState) -> Wish:
    """What was asked for, with the length of the whole video: a remix or an edit is as long as its source, an extension
    begins where its source ends.
    """
    if not job.wish.source:
        return job.wish
    parts_s: list[int | float] = []
    at = job
    while (source := state.jobs.get(at.wish.source)) is not None:
        if at.wish.link == Link.EXTEND:
            parts_s.append(at.wish.seconds)
        at = source
    return job.wish._replace(seconds=together_s(*parts_s, at.wish.seconds))


def first_of(job: JobState, state: RunState) -> JobState:
    """The job that *job*'s chain begins with: itself, where it builds on none that is known."""
    while (source := state.jobs.get(job.wish.source)) is not None:
        job = source
    return job


def began_at(state: RunState, attempt: Attempt) -> datetime:
    """When an attempt began, at the earliest: one that only a repair knows of may be as old as its ledger."""
    return attempt.submitted_at if attempt.idempotency_key else state.began_at or attempt.submitted_at


def _doubts(state: RunState, origin: str, at: State) -> Iterator[Doubt]:
    if not state.counts[at]:
        return
    for job in state.jobs.values():
        if job.state is at and job.origin == origin:
            latest = job.attempts[-1]
            began = began_at(state, latest)
            yield Doubt(
                key=job.key,
                wish=in_all(job, state),
                began_at=began,
                ended_at=latest.ended_at or latest.submitted_at,
                made_from=latest.made_from,
            )


def twice_paid(state: RunState) -> Decimal | None:
    """What may have been paid twice by a person's leave to submit again; `None` where a price is not known."""
    attempts = (attempt for job in state.jobs.values() for attempt in job.attempts)
    return total(attempt.price for attempt in attempts if attempt.outcome is Fact.RESUBMIT)


def times_again(job: JobState) -> int:
    """How often it was submitted again by such leave."""
    return sum(attempt.outcome is Fact.RESUBMIT for attempt in job.attempts)


def is_listed(job: JobState, origin: str, *, since: datetime, until: datetime) -> bool:
    """Whether a list that shows everything shows this job's video: made in that time, neither failed nor gone.

    An adopted one was made long before it was accepted, perhaps.
    """
    if job.state not in _THERE or job.origin != origin or job.accepted_at is None or job.submitted_at is None:
        return False
    if job.is_deleted:
        return False
    return since <= job.submitted_at and job.accepted_at <= until


def witness(
    state: RunState, origin: str, kept_since: datetime, *, before: datetime, known_by: datetime
) -> JobState | None:
    """The newest job from *before*, and not from before *kept_since*, whose video a list shows that forgets nothing.

    It was accepted by *known_by*. One that is not shown shows that the list has forgotten what else it knew then.
    """
    jobs = (job for job in state.jobs.values() if is_listed(job, origin, since=kept_since, until=known_by))
    older = [(job.submitted_at, job) for job in jobs if job.submitted_at is not None and job.submitted_at < before]
    return max(older, key=lambda pair: pair[0])[1] if older else None


class Siblings:
    """The other runs in the same outputs folder: they may have used the same key."""

    def __init__(self, folder: Path, origin: str) -> None:
        self._folder = folder
        self._origin = origin
        self._known: dict[Path, tuple[tuple[int, int], Claims | str]] = {}

    @property
    def are_new(self) -> bool:
        """Whether there is anything to read that was not read yet."""
        return any(True for _ in self._unread())

    def refresh(self) -> None:
        """Read the ledgers that have changed. Blocks: there may be much of them."""
        for path, stamp in self._unread():
            try:
                found: Claims | str = claims(read_run(path), self._origin)
            except (PipelineError, OSError) as error:
                found = str(error)
            self._known[path] = stamp, found

    def claims(self, now: datetime) -> tuple[dict[str, Owned], list[Doubt], str]:
        """Their ids, their attempts without one, and why not all of these are known (empty: they are)."""
        owned: dict[str, Owned] = {}
        rivals: list[Doubt] = []
        blind = ""
        for path, (_, theirs) in self._known.items():
            whose = f"the run {path.parent.name}"
            if isinstance(theirs, str):
                blind = f"it may be of {whose}, which cannot be read: {theirs}"
                continue
            owned |= theirs.owned
            rivals += [replace(doubt, whose=whose) for doubt in theirs.uncertain]
            rivals += [_still_open(doubt, whose, now) for doubt in theirs.open]
        return owned, rivals, blind

    def _unread(self) -> Iterator[tuple[Path, tuple[int, int]]]:
        for path in sorted(self._folder.parent.glob(f"*/{LEDGER_NAME}")):
            if path.parent.name == self._folder.name:
                continue
            with suppress(OSError):  # a run that is removed just now
                there = path.stat()
                stamp = there.st_mtime_ns, there.st_size
                if path not in self._known or self._known[path][0] != stamp:
                    yield path, stamp


def _still_open(doubt: Doubt, whose: str, now: datetime) -> Doubt:
    passing = abs(now - doubt.began_at) < timedelta(seconds=OPEN_S)
    return replace(doubt, whose=whose, passing=passing, ended_at=max(now, doubt.began_at))
