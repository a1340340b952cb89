"""How much trouble a lane may make: its retry budget, and the breaker that opens when nobody answers.

Patience is cheap in a night, requests are not. Failures use up a lane's budget and answers fill it again; at a loss
of 30 % the two are in balance. When the budget is empty, or nothing but trouble has come back for a while, the
breaker opens: from then on one request at a time finds out whether somebody answers again, after a minute, then ever
more rarely. Touches no clock: the caller brings the time and the chance.
"""

from __future__ import annotations

from enum import Enum

from pipeline.errors import ArtifactError, Misled, NotSent, ProviderError, Untrusted
from pipeline.policy.verdict import Backoff, is_of_one
from pipeline.providers.base import Problem, Refusal

BUDGET = 500
BUDGET_AFTER_OUTAGE = 100
"""Somebody answers again, and may be weak yet: twenty failures open the breaker once more."""
TROUBLES_IN_A_ROW = 12
"""So many requests in a row without an answer to go by open the breaker long before the budget is empty."""


class Toll(Enum):
    """What an outcome says about reaching the provider."""

    CLEAN = "clean"  # an answer to go by, also where it is a refusal
    THROTTLED = "throttled"  # not now; but somebody is there
    TROUBLE = "trouble"  # nobody there, or an answer without sense
    SILENCE = "silence"  # sent, and no whole answer came: the dearest for both sides


COSTS = {Toll.CLEAN: 0, Toll.THROTTLED: 5, Toll.TROUBLE: 5, Toll.SILENCE: 10}
"""What each takes from the budget; a clean answer adds one, and what the failure just before it took."""
_TOLLS = {Problem.THROTTLED: Toll.THROTTLED, Problem.TROUBLE: Toll.TROUBLE}


def toll_of(outcome: object) -> Toll | None:
    """What *outcome* says about reaching the provider; `None`: nothing, as a failure of our own disk's."""
    match outcome:
        case Refusal():
            return Toll.CLEAN if is_of_one(outcome) else _TOLLS.get(outcome.problem, Toll.CLEAN)
        case NotSent() | Untrusted():
            return Toll.TROUBLE
        case ProviderError() if not isinstance(outcome, Misled):  # to be led astray is to be answered
            return Toll.SILENCE
        case ArtifactError() | OSError():
            return None
        case _:
            return Toll.CLEAN


class Breaker:
    """One lane's. Closed at first; `note` every outcome, and `begin` every request before it goes."""

    def __init__(self, rest: Backoff) -> None:
        self.budget = BUDGET
        self.opened_s: float | None = None
        """Since when it is open; `None` while it is closed."""
        self.ready_s = float("-inf")
        """No request before then."""
        self._rest = rest
        self._rest_s = rest.base_s
        self._probed_s = float("-inf")
        self._probing = False
        self._row = 0
        self._owed = 0

    @property
    def is_open(self) -> bool:
        """Nobody answers."""
        return self.opened_s is not None

    def begin(self, now_s: float) -> None:
        """A request goes out. While open, this is the probe: no other follows before its answer, or a whole rest."""
        if self.is_open:
            self._probing, self._probed_s = True, now_s
            self.ready_s = now_s + self._rest_s

    def note(self, toll: Toll, *, now_s: float, spread: float) -> bool:
        """Learn of one more outcome; whether the breaker opened or closed by it."""
        if toll is Toll.CLEAN:
            self.budget = min(self.budget + 1 + self._owed, BUDGET)
            self._owed = self._row = 0
            return self._close()
        self._owed = COSTS[toll]
        self.budget = max(self.budget - self._owed, 0)
        self._row += toll is not Toll.THROTTLED
        if self._probing:
            self._probing = False
            self._rest_s = min(2.0 * self._rest_s, self._rest.cap_s)
            self.ready_s = now_s + self._rest_s * (1.0 + 0.1 * spread)
        elif not self.is_open and (self.budget == 0 or self._row >= TROUBLES_IN_A_ROW):
            self.opened_s = now_s
            self.ready_s = now_s + self._rest_s * (1.0 + 0.1 * spread)
            return True
        return False

    def hope(self, now_s: float) -> None:
        """Another lane was answered: find out soon whether this one is too, a minute after its last probe."""
        if self.is_open:
            self._rest_s = self._rest.base_s
            self.ready_s = min(self.ready_s, max(now_s, self._probed_s + self._rest_s))

    def _close(self) -> bool:
        if self.opened_s is None:
            return False
        self.opened_s, self._probing = None, False
        self.ready_s, self._rest_s = float("-inf"), self._rest.base_s
        self.budget = BUDGET_AFTER_OUTAGE
        return True
