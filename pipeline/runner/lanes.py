"""What every lane is made of: a bell to wait on, an agenda of what is due, and a gate for what may cost money."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from itertools import count
from typing import Generic, TypeVar

import anyio

from pipeline.model import Limits
from pipeline.pacing import Rate

T = TypeVar("T")

FOREVER = float("inf")


class Bell:
    """Wakes everybody who waits, when something has changed; they look again for themselves."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def ring(self) -> None:
        self._event.set()
        self._event = anyio.Event()

    async def wait(self, until_s: float = FOREVER) -> None:
        """Return at the next ring, or at *until_s* (of `anyio.current_time`)."""
        with anyio.CancelScope(deadline=until_s):
            await self._event.wait()


class Agenda(Generic[T]):
    """What is to be done, each from its own time on; of what is due, the lowest rank first."""

    def __init__(self) -> None:
        self._later: list[tuple[float, int, float, T]] = []
        self._due: list[tuple[float, int, T]] = []
        self._ticket = count()

    def __len__(self) -> int:
        return len(self._later) + len(self._due)

    def add(self, entry: T, *, from_s: float, rank: float = 0.0) -> None:
        heapq.heappush(self._later, (from_s, next(self._ticket), rank, entry))

    def take(self, now_s: float) -> T | None:
        """The most pressing of what is due; `None`: nothing is."""
        self._ripen(now_s)
        return heapq.heappop(self._due)[2] if self._due else None

    def take_all(self, now_s: float) -> list[T]:
        """All that is due."""
        self._ripen(now_s)
        due, self._due = [entry for _, _, entry in self._due], []
        return due

    def due_count(self, now_s: float) -> int:
        self._ripen(now_s)
        return len(self._due)

    def next_s(self) -> float:
        """When something will be due next."""
        if self._due:
            return float("-inf")
        return self._later[0][0] if self._later else FOREVER

    def _ripen(self, now_s: float) -> None:
        while self._later and self._later[0][0] <= now_s:
            _, ticket, rank, entry = heapq.heappop(self._later)
            heapq.heappush(self._due, (rank, ticket, entry))


class Answer(Enum):
    """What the gate says to a submit."""

    GO = "go"
    WAIT = "wait"  # until something changes, or until the time given
    NO_MONEY = "no_money"  # the budget would be passed


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is under way just now."""

    open_posts: int
    rendering: int
    backlog: int
    """Finished videos waiting to be downloaded or on their way."""
    spent: Decimal


BACKLOG_PER_DOWNLOAD = 8
"""So many finished videos waiting for each download slot pause submits: what is bought must come home in time."""


class Gate:
    """Decides, for every submit, whether it may go now. Touches no clock; the caller brings the time."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.slots = 1
        """Submits at once: one canary first, then doubled with every acceptance up to the limit."""
        self.paused_until_s = float("-inf")
        self._rate = Rate(limits.submits_per_minute)

    def pause(self, until_s: float) -> None:
        """Nobody goes before *until_s*."""
        self.paused_until_s = max(self.paused_until_s, until_s)

    def accepted(self) -> None:
        """The canary lives: let more go at once."""
        self.slots = min(self.slots * 2, self.limits.submit_slots)

    def unreachable(self) -> None:
        """Nobody answers: one canary again."""
        self.slots = 1

    def ask(self, price: Decimal | None, load: Load, *, now_s: float) -> tuple[Answer, float]:
        """The answer, and the time at which asking again pays."""
        if now_s < self.paused_until_s:
            return Answer.WAIT, self.paused_until_s
        if load.open_posts >= self.slots or load.open_posts + load.rendering >= self.limits.in_flight:
            return Answer.WAIT, FOREVER
        if load.backlog >= self.limits.downloads * BACKLOG_PER_DOWNLOAD:
            return Answer.WAIT, FOREVER
        if self.limits.budget is not None and load.spent + (price or Decimal(0)) > self.limits.budget:
            # what is set aside for an open submit may come back: only then is it known whether this one fits
            return (Answer.WAIT if load.open_posts else Answer.NO_MONEY), FOREVER
        return Answer.GO, now_s

    def place(self, now_s: float) -> float:
        """Take the next place in the rate; returns how long to wait for it."""
        return self._rate.take(now_s)


class Count:
    """How many are at something: `begin` when one is sent to it, and `with count:` while it is at it."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.value = 0
        self._changed = changed

    def begin(self) -> None:
        """One more, from now on: before its task has had its first turn."""
        self.value += 1

    def __enter__(self) -> None:
        """It was counted by `begin`."""

    def __exit__(self, *exc: object) -> None:
        self.value -= 1
        self._changed()
