"""What the jobs of a run add up to at one moment, beyond their states: its pace, what waits, what is stuck. Pure.

One pass over the jobs, so that a run of 100,000 can be looked at every other second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from pipeline.forecast import duration_s
from pipeline.ledger.deviation import deviating
from pipeline.ledger.presence import Presence
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState
from pipeline.lifecycle import State
from pipeline.limits import Limits
from pipeline.pacing import RenderTimes
from pipeline.profile import Pace

HOUR = timedelta(hours=1)
STUCK_FACTOR = 3
"""What takes so many times as long as usual is stuck."""
LEFT = frozenset({State.PENDING, State.SUBMITTING, State.IN_FLIGHT, State.FINISHED, State.STALLED})
"""What a run still has something to do about, but for what nobody asks for any more."""
_QUIET = frozenset({State.STORED, State.PENDING})
"""States that need no list of their jobs."""
_STORED_MIN = 3
"""With fewer, a rate foretells nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a ledger does not say of its run, as far as it is known."""

    folder: Path
    presence: Presence = Presence.UNKNOWN
    limits: Limits | None = None
    """Those that it was run with last, a budget among them."""
    pace: Pace | None = None
    """The profile's."""
    bills: bool = True
    """False: its amounts are play money."""
    settles: bool = False
    """The next run finds out by itself what became of submits of unknown outcome, as far as that can be proven."""

    @property
    def budget(self) -> Decimal | None:
        return self.limits.budget if self.limits else None


@dataclass(slots=True, kw_only=True)
class Pulse:
    """What happened in a stretch of time."""

    length_s: float
    submits: int = 0
    """POSTs that were or may have been accepted."""
    renders: int = 0
    downloads: int = 0
    bytes: int = 0

    def a_minute(self, count: int) -> float:
        """*count* as a rate."""
        return count * 60.0 / max(self.length_s, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the jobs of a run add up to at one moment."""

    at: datetime
    asked: Mapping[State, int]
    """How many jobs are in each state, without those that the manifest no longer asks for."""
    hour: Pulse
    """The last one, from the first thing that happened in it."""
    whole: Pulse
    """From the run's beginning to its last entry, pauses included."""
    usual_s: float | None
    """A usual render time: the median of those seen, where there are enough, else the profile's."""
    median_s: float | None
    longest_s: float | None
    oldest: JobState | None
    """The video that has been rendering for the longest."""
    stuck: tuple[JobState, ...]
    """Videos that have been rendering for much longer than usual, the oldest first; none while no runner is at work."""
    next_expiry: datetime | None
    """When the provider drops the first of the videos that are rendered and not here."""
    left: int
    """Videos that a run still has something to do about."""
    left_s: float | None
    """How long that will take, roughly; `None` where nobody is at work, or nobody knows."""
    groups: Mapping[State, Mapping[str, list[str]]]
    """The ids of the jobs in the states that need a word, by their reason."""
    deviating: Mapping[str, list[str]]
    """The ids of stored videos that are not as they should be, by what is not, in words."""


def survey(state: RunState, around: Circumstances, *, now: datetime) -> Survey:
    """Look all jobs over."""
    seen = _Seen(since=now - HOUR)
    for job in state.jobs.values():
        seen.take(job)
    renders = sorted(seen.renders_s)
    median_s = renders[len(renders) // 2] if renders else None
    usual_s = median_s if len(renders) >= RenderTimes.ENOUGH else around.pace.typical_s if around.pace else None
    in_flight = sorted(seen.in_flight, key=_accepted_at)
    nobody = around.presence is Presence.NOBODY
    patience = None if usual_s is None or nobody else timedelta(seconds=usual_s * STUCK_FACTOR)
    hour = seen.pulse(now)
    return Survey(
        at=now,
        asked=seen.asked,
        hour=hour,
        whole=_whole(state, seen),
        usual_s=usual_s,
        median_s=median_s,
        longest_s=renders[-1] if renders else None,
        oldest=in_flight[0] if in_flight else None,
        stuck=tuple(job for job in in_flight if patience is not None and now - _accepted_at(job) > patience),
        next_expiry=min(seen.expiries, default=None),
        left=seen.left,
        left_s=_left_s(seen, state, around, usual_s),
        groups=seen.groups,
        deviating=deviating(seen.stored, state),
    )


@dataclass(slots=True, kw_only=True)
class _Seen:
    """What one pass gathers."""

    since: datetime
    whole: Pulse = field(default_factory=lambda: Pulse(length_s=0))
    hour: Pulse = field(default_factory=lambda: Pulse(length_s=0))
    hour_began: datetime | None = None
    renders_s: list[float] = field(default_factory=list)
    in_flight: list[JobState] = field(default_factory=list)
    stored: list[JobState] = field(default_factory=list)
    expiries: list[datetime] = field(default_factory=list)
    left: int = 0
    asked: Counter[State] = field(default_factory=Counter)
    groups: dict[State, dict[str, list[str]]] = field(default_factory=lambda: {name: {} for name in State})

    def take(self, job: JobState) -> None:
        for attempt in job.attempts:
            if attempt.counts:
                self.whole.submits += 1
                self.hour.submits += self._is_late(attempt.submitted_at)
        if job.finished_at:
            self.whole.renders += 1
            self.hour.renders += self._is_late(job.finished_at)
            if job.accepted_at:
                self.renders_s.append((job.finished_at - job.accepted_at).total_seconds())
        if job.state is State.STORED:
            self._take_stored(job)
        elif job.state is State.IN_FLIGHT and job.accepted_at:
            self.in_flight.append(job)
        elif job.state is State.FINISHED and job.expires_at:
            self.expiries.append(job.expires_at)
        self.asked[job.state] += not job.orphaned
        self.left += job.state in LEFT and not (job.state is State.PENDING and job.orphaned)
        if job.state not in _QUIET:
            self.groups[job.state].setdefault(job.reason, []).append(job.id)

    def pulse(self, now: datetime) -> Pulse:
        """The last hour's."""
        self.hour.length_s = (now - self.hour_began).total_seconds() if self.hour_began else 0.0
        return self.hour

    def _take_stored(self, job: JobState) -> None:
        self.stored.append(job)
        if job.stored_at is None:
            return
        late = self._is_late(job.stored_at)
        for pulse, counts in ((self.whole, True), (self.hour, late)):
            pulse.downloads += counts
            pulse.bytes += (job.bytes or 0) * counts

    def _is_late(self, at: datetime) -> bool:
        """Whether that was in the last hour; the first thing that was is where the hour is counted from."""
        if at <= self.since:
            return False
        if self.hour_began is None or at < self.hour_began:
            self.hour_began = at
        return True


def _whole(state: RunState, seen: _Seen) -> Pulse:
    if state.began_at and state.last_at:
        seen.whole.length_s = (state.last_at - state.began_at).total_seconds()
    return seen.whole


def _left_s(seen: _Seen, state: RunState, around: Circumstances, usual_s: float | None) -> float | None:
    """By how fast videos come home; before enough have, by the limits and the usual render time."""
    if around.presence is not Presence.AT_WORK or not seen.left:
        return None
    if seen.hour.downloads >= _STORED_MIN:
        return seen.left * 60.0 / seen.hour.a_minute(seen.hour.downloads)
    if around.limits is None or usual_s is None:
        return None
    under_way = state.counts[State.IN_FLIGHT] + state.counts[State.FINISHED]
    return duration_s(seen.left - under_way, under_way, around.limits, Pace(typical_s=usual_s))


def _accepted_at(job: JobState) -> datetime:
    assert job.accepted_at is not None, "what is in flight was accepted"
    return job.accepted_at


def ids_of(jobs: Iterable[JobState]) -> Iterator[str]:
    """Their ids."""
    return (job.id for job in jobs)
