"""Watching a run from outside: the runner tells an observer what happened; silence is the default.

An observer never slows a run and never ends it: it gets plain values, returns nothing, and is called in the
runner's own thread. The observers that print live with the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, TypeAlias

from pipeline.lifecycle import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A run begins: what it is about, before anything is sent."""

    run: str
    folder: str
    provider: str
    counts: Mapping[State, int]
    """Of the jobs this run is about, as the ledger has them."""
    to_submit: int
    planned_cost: Decimal | None
    """Of what is to be submitted; `None` where a price is not known."""
    spent: Decimal
    budget: Decimal | None
    currency: str
    unpriced: int = 0
    """So many earlier submits whose price is not known: what they cost is not in `spent`."""
    origin: str = ""
    """The provider's base URL, or `EMBEDDED`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A job changed its state."""

    id: str
    key: str
    was: State
    state: State
    spent: Decimal
    """By the whole run, now."""
    reason: str = ""
    path: str = ""
    video_id: str = ""
    unpriced: int = 0
    """Submits of the whole run whose price is not known, now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """The provider deleted a stored video, as it was asked to."""

    id: str
    key: str
    video_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Bytes of a video arrived."""

    id: str
    bytes: int


class Kind(StrEnum):
    """What a notice is about, for whoever does not read all of them."""

    OTHER = "other"
    STOPPED = "stopped"  # no more is bought; what was bought is brought home
    UNCERTAIN = "uncertain"  # a submit of unknown outcome
    OUTAGE = "outage"  # nobody answers
    ANSWERED = "answered"  # somebody answers again
    DISK = "disk"  # what came cannot be kept here
    ENDING = "ending"  # the run is about to end, and will tell why


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something a person may want to know now: a pause, a stop, an unknown outcome."""

    lane: str
    """`submit`, `watch`, `collect`, `settle`, `aftercare` or `run`."""
    message: str
    urgent: bool = False
    """It needs a person, or costs money."""
    kind: Kind = Kind.OTHER


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run is over."""

    counts: Mapping[State, int]
    spent: Decimal
    stopped: str
    """Why it stopped early; empty where it did not."""
    interrupted: bool
    elapsed_s: float
    unpriced: int = 0
    """Submits of the whole run whose price is not known."""


Event: TypeAlias = Started | Moved | Deleted | Received | Notice | Ended


class Observer(Protocol):
    """Told of every event, in order."""

    def __call__(self, event: Event) -> None:
        """Take note of *event*; must not raise and must not block."""


def silent(event: Event) -> None:
    """The observer of nobody."""


def unfailing(observer: Observer) -> Observer:
    """*observer*, until it raises for the first time: from then on it is told nothing. A run never ends by it."""
    told = observer

    def tell(event: Event) -> None:
        nonlocal told
        try:
            told(event)
        except Exception:  # noqa: BLE001 - whatever is wrong with it, between intent and POST is no place to fail
            told = silent

    return tell
