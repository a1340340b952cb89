"""What a job went through that its row does not say: its attempts, and a video of its that was put aside. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.ledger.state import Attempt, JobState
from pipeline.text import money


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Of one job."""

    attempts: tuple[str, ...] = ()
    """What each of them cost, in words; empty: there was one at most."""
    aside: str = ""
    """Where its unfit video is now, below the run folder; empty: there is none."""
    sha256: str = ""
    """The digest of that."""


NO_PAST = Past()


def past_of(job: JobState, *, currency: str, aside: str = "") -> Past:
    """The past of *job*, whose unfit video is at *aside* below the run folder."""
    told = tuple(_told(job.attempts, currency)) if len(job.attempts) > 1 else ()
    return Past(attempts=told, aside=aside, sha256=job.sha256 if aside else "")


def _told(attempts: list[Attempt], currency: str) -> Iterator[str]:
    for attempt in attempts:
        if not attempt.counts:
            yield f"nothing ({attempt.reason})" if attempt.reason else "nothing"
        elif attempt.price is None:
            yield "not known"
        else:
            yield money(attempt.price, currency)
