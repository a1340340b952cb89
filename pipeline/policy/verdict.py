"""What every lane's verdict is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from pipeline.lifecycle import Fact
from pipeline.pacing import backoff_s, retry_after_s
from pipeline.providers.base import Problem, Refusal


class Stop(Enum):
    """How far an outcome reaches beyond its own job."""

    NOTHING = "nothing"
    SOURCE = "source"  # nothing more is made from the same video
    WAY = "way"  # nothing more is made from another video in the same way
    MODEL = "model"  # nothing more is bought of the same model
    SUBMITS = "submits"  # nothing more is bought; what was bought is brought home
    RUN = "run"  # no request will do better


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do after a request."""

    fact: Fact | None
    """What to write about the job; `None`: nothing new."""
    reason: str = ""
    stop: Stop = Stop.NOTHING
    pause_s: float = 0.0
    """The whole lane waits so long."""
    last: bool = False
    """Of a job that is submitted again: after the others. It was said of its model, and not of how many there are."""
    again_s: float | None = None
    """Look or fetch again after so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How patient a lane is."""

    base_s: float
    cap_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How patient a run is, by lane. Rehearsals and tests have less of it, and the same shape."""

    submit: Backoff = Backoff(base_s=2.0, cap_s=300.0)
    look: Backoff = Backoff(base_s=2.0, cap_s=60.0)
    fetch: Backoff = Backoff(base_s=1.0, cap_s=60.0)
    rest: Backoff = Backoff(base_s=60.0, cap_s=900.0)
    """Of a lane whose breaker is open, from probe to probe."""
    outage_s: float = 8 * 3600.0
    """So long may a lane's probes fail before the run ends: a night. What was bought before has expired by then."""


PATIENCE = Patience()


def words_of(outcome: object) -> str:
    """An outcome in words, for a reason."""
    if not isinstance(outcome, Refusal):
        return str(outcome)
    code = f"{outcome.code}: " if outcome.code and outcome.code not in outcome.message else ""
    if f"{outcome.http}" in outcome.message.split():  # a page's title says so already: 502 Bad Gateway
        return f"{code}{outcome.message}"
    return f"{outcome.http} {code}{outcome.message}"


def is_of_one(outcome: object) -> bool:
    """Whether it is trouble with what was asked for, told by somebody who is there: a 4xx, but for those that speak of
    the moment (408, 409). It says nothing of any other request.
    """
    if not isinstance(outcome, Refusal) or outcome.problem is not Problem.TROUBLE:
        return False
    return 400 <= outcome.http < 500 and outcome.http not in (408, 409)


def pause_after(backoff: Backoff, failures: int, spread: float) -> float:
    """How long to wait after the n-th failure in a row."""
    return backoff_s(failures, base_s=backoff.base_s, cap_s=backoff.cap_s, spread=spread)


def throttled_s(refusal: Refusal, failures: int, *, backoff: Backoff, now: datetime, spread: float) -> float:
    """How long a lane waits after the n-th "not now" in a row: as asked and a little longer, or its own time."""
    asked_s = retry_after_s(refusal.retry_after, now=now) or 0.0
    return max(asked_s * (1.0 + spread / 10), pause_after(backoff, failures, spread))
