"""What a run's events add up to, and how that is said in a few words."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from decimal import Decimal

from pipeline.lifecycle import FINAL, State
from pipeline.progress import Ended, Event, Moved, Received, Started
from pipeline.text import duration, money

AT_REST = FINAL | {State.STALLED, State.UNCERTAIN, State.BLOCKED}
"""States that this run will most likely leave a job in."""
TROUBLE = tuple(state for state in State if state in AT_REST - {State.STORED})
RECENT_COUNT_MIN = 8
"""So many videos must have ended before their pace says anything."""


def time_left_s(*, left: int, ended: int, elapsed_s: float, recent_per_s: float | None = None) -> float | None:
    """How long *left* jobs will take, after *ended* of them took *elapsed_s* in this run; `None` before the first.

    The pace of late counts as much as that of the whole run: a pause or a change of limits shows, a hiccup does not
    swing the figure.
    """
    if left == 0:
        return 0.0
    if ended <= 0 or elapsed_s <= 0:
        return None
    per_s = ended / elapsed_s
    return left / (per_s if recent_per_s is None else (per_s + recent_per_s) / 2)


class Tally:
    """The sum of the events so far."""

    def __init__(self) -> None:
        self.started: Started | None = None
        self.counts = dict.fromkeys(State, 0)
        self.spent = Decimal(0)
        self.unpriced = 0
        self.received_bytes = 0
        self.ended = 0
        """Jobs that came to rest in this run."""
        self._started_at = 0.0
        self._ends: deque[float] = deque(maxlen=64)

    def note(self, event: Event, now_s: float) -> None:
        """Add *event*, which happened at *now_s* on the monotonic clock."""
        match event:
            case Started():
                self.started, self._started_at = event, now_s
                self.spent, self.unpriced = event.spent, event.unpriced
                self.counts = dict.fromkeys(State, 0) | dict(event.counts)
            case Moved():
                self._move(event, now_s)
            case Received():
                self.received_bytes += event.bytes
            case Ended():
                self.counts = dict.fromkeys(State, 0) | dict(event.counts)
                self.spent, self.unpriced = event.spent, event.unpriced

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def stored(self) -> int:
        return self.counts[State.STORED]

    def elapsed_s(self, now_s: float) -> float:
        """Since the run began; 0 before."""
        return now_s - self._started_at if self.started else 0.0

    def left_s(self, now_s: float) -> float | None:
        """How long the rest will take; `None` while that cannot be said."""
        left = sum(count for state, count in self.counts.items() if state not in AT_REST)
        return time_left_s(
            left=left, ended=self.ended, elapsed_s=self.elapsed_s(now_s), recent_per_s=self._recent_per_s(now_s)
        )

    def money(self) -> str:
        """What is spent, and of how much."""
        if self.started is None:
            return ""
        spent = f"{'at least ' if self.unpriced else ''}{money(self.spent, self.started.currency)}"
        if self.started.budget is None:
            return f"{spent} spent"
        return f"{spent} of {money(self.started.budget, self.started.currency)}"

    def phrases(self, now_s: float) -> Iterator[str]:
        """What to say beside the number of stored videos, the weightiest first."""
        yield from self._counted({State.SUBMITTING: "submitting", State.IN_FLIGHT: "in flight"})
        yield from self._counted({State.FINISHED: "to fetch"})
        yield from self._counted({state: str(state) for state in TROUBLE})
        if self.started:
            yield self.money()
        left_s = self.left_s(now_s)
        if left_s:
            yield f"about {duration(left_s)} left"
        yield from self._counted({State.PENDING: "to submit"})

    def _counted(self, names: dict[State, str]) -> Iterator[str]:
        for state, name in names.items():
            if self.counts[state]:
                yield f"{self.counts[state]:,} {name}"

    def _move(self, moved: Moved, now_s: float) -> None:
        self.counts[moved.was] -= 1
        self.counts[moved.state] += 1
        self.spent, self.unpriced = moved.spent, moved.unpriced
        rested, rests = moved.was in AT_REST, moved.state in AT_REST
        self.ended += rests - rested
        if rests and not rested:
            self._ends.append(now_s)

    def _recent_per_s(self, now_s: float) -> float | None:
        if len(self._ends) < RECENT_COUNT_MIN or now_s <= self._ends[0]:
            return None
        return (len(self._ends) - 1) / (now_s - self._ends[0])
