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

from pipeline.limits import Limits
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

    def first_rank(self, now_s: float) -> float:
        """The rank of what `take` would give; `FOREVER`: nothing is due."""
        self._ripen(now_s)
        return self._due[0][0] if self._due else FOREVER

    def ranks(self) -> list[float]:
        """Of all there is, in no order."""
        return [rank for rank, _, _ in self._due] + [rank for _, _, rank, _ in self._later]

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
    WAIT = "wait"  # until something changes
    NO_MONEY = "no_money"  # the budget would be passed, or may be: a price is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is under way just now."""

    open_posts: int
    rendering: int
    backlog: int
    """Finished videos waiting to be downloaded or on their way."""
    spent: Decimal
    unpriced: int = 0
    """So many submits cost something, or may have, of which nobody knows how much."""
    behind: bool = False
    """Some of these would expire before their turn comes."""
    settling: bool = False
    """Of some submits it will turn out whether they cost anything."""


BACKLOG_MAX = 2_000
"""So many finished videos pause submits whatever their expiry: what waits is held in memory."""
LESS = 0.7
MORE = 1 / 20
"""After "not now", and after each acceptance: the additive increase and multiplicative decrease of TCP."""


class Gate:
    """Decides, for every submit, whether it may go now. Touches no clock: the caller brings the time.

    `window` is how many videos may be on their way at once: `limits.in_flight`, and less after "not now" (429). That
    may mean too many at once or too many a minute, and one bound serves both: with fewer on their way, fewer are
    submitted a minute, since a render takes as long as it takes. Each 429 takes three tenths of it, each acceptance
    gives back a twentieth of a place, so that it settles just below what the provider bears.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.slots = 1
        """Submits at once: one canary first, then doubled with every acceptance up to the limit."""
        self.window = float(limits.in_flight)
        self._rate = Rate(limits.submits_per_minute)

    def accepted(self) -> None:
        """The canary lives: let more go at once."""
        self.slots = min(self.slots * 2, self.limits.submit_slots)
        self.window = min(self.window + MORE, float(self.limits.in_flight))

    def throttled(self) -> None:
        """The provider says "not now": lean on it less. For all that were refused before one pause, told once."""
        self.window = max(self.window * LESS, 1.0)

    @property
    def narrowed_to(self) -> int:
        """How many places are left, where that is less than half of what was asked for; 0: it is not."""
        places = int(self.window)
        return places if 2 * places < self.limits.in_flight else 0

    def unreachable(self) -> None:
        """Nobody answers: one canary again."""
        self.slots = 1

    def has_room(self, load: Load) -> bool:
        """Whether one more may be on its way now, whatever it costs."""
        if load.open_posts >= self.slots or load.open_posts + load.rendering >= int(self.window):
            return False
        return not load.behind and load.backlog < BACKLOG_MAX

    def ask(self, price: Decimal | None, load: Load) -> Answer:
        """Whether a video of this price may be bought now."""
        if not self.has_room(load):
            return Answer.WAIT
        if not self._is_covered(price, load):
            # what an open or an uncertain submit holds may come back: only then is it known whether this one fits
            return Answer.WAIT if load.open_posts or load.settling else Answer.NO_MONEY
        return Answer.GO

    def _is_covered(self, price: Decimal | None, load: Load) -> bool:
        """Whether the budget has room for it, for certain."""
        budget = self.limits.budget
        return budget is None or (price is not None and not load.unpriced and load.spent + price <= budget)

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
