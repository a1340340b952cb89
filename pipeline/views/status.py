"""Where a run stands, from its ledger alone: as the document that others rely on, and as text for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from pipeline.ledger.deviation import deviating
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState
from pipeline.lifecycle import State
from pipeline.model import JSON
from pipeline.text import duration, fit, listing, plain, plural, spent_money

VIDEOS = "videos"
_QUIET = frozenset({State.STORED, State.PENDING})
"""States that need no list of their jobs."""


def status_document(state: RunState) -> dict[str, JSON]:
    """What `vidbatch status RUN --json` prints; `schemas/status.schema.json` describes it. A contract."""
    header = state.header
    return {
        "run": header.name if header else "",
        "provider": header.provider if header else "",
        "counts": {str(name): count for name, count in state.counts.items()},
        "spent": float(state.spent),
        "unpriced": state.unpriced,
        "currency": header.currency if header else "",
        "jobs": [_job(job) for job in state.jobs.values()],
    }


def _job(job: JobState) -> dict[str, JSON]:
    stored = job.state is State.STORED
    return {
        "id": job.id,
        "key": job.key,
        "state": str(job.state),
        "video_id": job.video_id or None,
        "path": f"{VIDEOS}/{job.path}" if stored else None,
        "bytes": job.bytes if stored else None,
        "sha256": job.sha256 if stored else None,
        "submits": job.submits,
        "cost": None if job.cost is None else float(job.cost),
        "reason": job.reason or None,
        "variants": {name: f"{VIDEOS}/{picture.path}" for name in job.pictures if (picture := job.picture(name))},
        "deleted_remote": job.is_deleted,
    }


def status_text(state: RunState, folder: Path, *, now: datetime) -> str:
    """The same for people, in a few lines."""
    return "\n".join(_lines(state, folder, now))


def _lines(state: RunState, folder: Path, now: datetime) -> Iterator[str]:
    header = state.header
    total = len(state.jobs)
    stored = state.counts[State.STORED]
    yield f"{header.name if header else folder.name}: {stored:,} of {plural(total, 'video')} stored"
    for name, count in state.counts.items():
        if count:
            yield f"  {count:>7,}  {name}"
    if header:
        spent = spent_money(state.spent, header.currency, state.unpriced)
        yield f"spent   {spent} at {header.provider} ({header.origin})"
    yield from _times(state, now)
    for name in State:
        if name not in _QUIET and state.counts[name]:
            yield from _group(name, [job for job in state.jobs.values() if job.state is name])
    for words, ids in deviating(state.jobs.values(), state).items():
        yield f"not as asked for: {listing(ids)} — {words}"
    yield f"folder  {folder}"
    if state.counts[State.UNCERTAIN]:
        yield f"next    vidbatch resolve {folder}   # settle what may have been billed"


def _times(state: RunState, now: datetime) -> Iterator[str]:
    if state.began_at is None or state.last_at is None:
        return
    ago = duration((now - state.last_at).total_seconds())
    yield f"began   {state.began_at:%Y-%m-%d %H:%M:%S} UTC; last entry {ago} ago"
    renders = sorted(_render_times(state.jobs.values()))
    if renders:
        middle = renders[len(renders) // 2]
        yield f"renders {duration(middle)} in the median, {duration(renders[-1])} at the longest"
    due = [job.expires_at for job in state.jobs.values() if job.state is State.FINISHED and job.expires_at]
    if due:
        yield f"expiry  the next video to be downloaded is kept until {min(due):%Y-%m-%d %H:%M} UTC"


def _render_times(jobs: Iterable[JobState]) -> Iterator[float]:
    for job in jobs:
        if job.accepted_at and job.finished_at:
            yield (job.finished_at - job.accepted_at).total_seconds()


def _group(name: State, jobs: list[JobState]) -> Iterator[str]:
    """The jobs in one state that needs a word, by reason."""
    reasons: dict[str, list[str]] = {}
    for job in jobs:
        reasons.setdefault(fit(plain(job.reason), 140), []).append(job.id)
    for reason, ids in reasons.items():
        yield f"{name}: {listing(ids)}{f' — {reason}' if reason else ''}"
