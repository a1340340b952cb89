"""Settling uncertain jobs by a person's word. Nothing is sent: only the finding is written down."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path

from pipeline.disk import DISK, Disk
from pipeline.errors import UsageError
from pipeline.ledger.ledger import Ledger, utc_now
from pipeline.ledger.named import demand_one, of_id, of_key
from pipeline.ledger.place import ledger_of
from pipeline.ledger.replay import JobState, RunState
from pipeline.ledger.spill import settle_spilled
from pipeline.lifecycle import Fact, State
from pipeline.model import VIDEO_ID_CHARS_MAX

_HOW = "user"
_SETTLES = "only what is uncertain can be settled so"
_TAKES = {
    Fact.ADOPTED: f"{_SETTLES}, and an id that was adopted be put right until its video is here",
    Fact.DROPPED: "given up can be what is uncertain, or bought and not here yet (in_flight, stalled, finished)",
}
"""What may be said of which job."""
_GIVEN_UP = (State.UNCERTAIN, State.IN_FLIGHT, State.STALLED, State.FINISHED)
"""What a person may give up: all but the first are bought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """One submit of unknown outcome, as a person needs to see it."""

    id: str
    key: str
    price: Decimal | None
    submitted_at: datetime
    expires_at: datetime | None
    """When the provider would drop the video, at the earliest; `None` where not known."""
    reason: str
    origin: str
    """The address that it was sent to."""
    name: str
    """What `resolve` takes for this job and no other: its id, or the first digits of its key."""


def unknowns(state: RunState) -> list[Unknown]:
    """The jobs that wait for a decision, in plan order: those that a crash left open are among them."""
    keeps_s = state.header.retention_s if state.header else None
    ids = Counter(job.id for job in state.jobs.values())
    return [
        Unknown(
            id=job.id,
            key=job.key,
            price=latest.price,
            submitted_at=latest.submitted_at,
            expires_at=None if keeps_s is None else latest.submitted_at + timedelta(seconds=keeps_s),
            reason=job.reason or "no answer is on record: the run ended in the middle of it, or is still waiting",
            origin=latest.origin,
            name=job.id if ids[job.id] == 1 and re.fullmatch(r"[\w][\w.-]*", job.id) else job.key[:12],
        )
        for job in state.jobs.values()
        if job.state in (State.UNCERTAIN, State.SUBMITTING)
        for latest in job.attempts[-1:]
    ]


def resolve(
    run: Path,
    names: Sequence[str],
    fact: Fact,
    *,
    video_id: str = "",
    spills: Sequence[Path] = (),
    now: Callable[[], datetime] = utc_now,
    disk: Disk = DISK,
) -> list[JobState]:
    """Write *fact* (`ADOPTED` with *video_id*, `NOT_CREATED`, `RESUBMIT` or `DROPPED`) about the jobs that *names* say.

    A name is a job's id, a glob on ids (of uncertain jobs alone), or the beginning of a key. What was bought and is
    not here can be dropped by its name, too, and an adoption put right. All or none: raises `UsageError` for a name
    that fits nothing or a job that is in no such state, and `LedgerBusy` while a runner holds the run. What *spills*
    (folders) know goes before: whose id was kept there is not uncertain.
    """
    with Ledger.open(ledger_of(run), now=now, disk=disk) as ledger:
        ledger.settle_crash()
        if fact is not Fact.ADOPTED:  # who names the id needs no spill to know it
            settle_spilled(ledger, spills, disk)
        jobs = _named(ledger.state, names, fact)
        if fact is Fact.ADOPTED:
            _check_adoption(ledger.state, jobs, video_id)
        for job in jobs:
            ledger.record(fact, job.key, how=_HOW, **({"video_id": video_id} if fact is Fact.ADOPTED else {}))
        ledger.commit_now()
    return jobs


def _check_adoption(state: RunState, jobs: Sequence[JobState], video_id: str) -> None:
    if len(jobs) != 1:
        raise UsageError(f"--adopt names the video of one job, and {len(jobs)} are named")
    if not video_id.strip() or len(video_id) > VIDEO_ID_CHARS_MAX or not video_id.isprintable():
        raise UsageError("--adopt wants the id of a video, as the provider's console shows it")
    owner = next((job for job in state.jobs.values() if job.video_id == video_id), None)
    if owner is not None:
        raise UsageError(f"the video {video_id} belongs to job {owner.id} already ({owner.state})")


def _named(state: RunState, names: Sequence[str], fact: Fact) -> list[JobState]:
    jobs = {job.key: job for name in names for job in _meant(state, name, fact)}
    return list(jobs.values())


def _meant(state: RunState, name: str, fact: Fact) -> Iterable[JobState]:
    if "*" in name:
        fitting = [job for job in state.jobs.values() if fnmatchcase(job.id, name)]
        uncertain = [job for job in fitting if job.state is State.UNCERTAIN]
        if not uncertain:
            raise UsageError(f"no uncertain job has an id like '{name}' ({len(fitting)} others have)")
        return uncertain
    job = _one(state, name)
    if not _may_be(job, fact):
        raise UsageError(f"job {job.id} is {job.state}: {_TAKES.get(fact, _SETTLES)}")
    return [job]


def _may_be(job: JobState, fact: Fact) -> bool:
    """Whether a person may say *fact* of it. An id that was adopted may be mended; one that we were given stays."""
    if fact is Fact.DROPPED:
        return job.state in _GIVEN_UP
    if fact is Fact.ADOPTED and job.state in (State.IN_FLIGHT, State.STALLED):
        return job.attempts[-1].outcome is Fact.ADOPTED
    return job.state is State.UNCERTAIN


def _one(state: RunState, name: str) -> JobState:
    found = of_id(state, name) or of_key(state, name)
    if not found:
        raise UsageError(f"this run has no job '{name}': give an id, a glob on ids, or the first digits of a key")
    demand_one(name, found)
    return found[0]
