"""What may happen to a request between us and the provider: named weathers, each with the odds of its mishaps."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Mishap(Enum):
    """What becomes of one request."""

    NONE = "none"
    REFUSED = "refused"  # no connection: nothing was sent
    SUNK = "sunk"  # sent, and it never arrives
    UNANSWERED = "unanswered"  # it arrives, and the answer never does
    CUT = "cut"  # the answer breaks off
    THROTTLED = "throttled"  # 429, nothing made
    TURNED_BACK = "turned_back"  # 5xx from a gateway in front: nothing made
    FELL = "fell"  # 5xx after it was carried out
    GARBLED = "garbled"  # 200 with a page of HTML, after it was carried out


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """The odds of a request; what is left of 1 goes well."""

    odds: Mapping[Mishap, float]
    slow_s: float = 1.0
    """The longest that one way takes."""

    def draw(self, chance: random.Random) -> Mishap:
        left = chance.random()
        for mishap, share in self.odds.items():
            if (left := left - share) < 0:
                return mishap
        return Mishap.NONE


_M = Mishap

CLEAR = Weather(odds={})
WEATHERS: Mapping[str, Weather] = {
    "clear": CLEAR,
    "rough": Weather(odds=dict.fromkeys([mishap for mishap in Mishap if mishap is not _M.NONE], 0.04), slow_s=8.0),
    "foul": Weather(odds=dict.fromkeys([mishap for mishap in Mishap if mishap is not _M.NONE], 0.10), slow_s=20.0),
    "answers lost": Weather(odds={_M.UNANSWERED: 0.5, _M.CUT: 0.2}),
    "requests lost": Weather(odds={_M.SUNK: 0.5, _M.REFUSED: 0.2}),
    "throttling": Weather(odds={_M.THROTTLED: 0.7}),
    "failing": Weather(odds={_M.TURNED_BACK: 0.4, _M.FELL: 0.3}),
    "no connection": Weather(odds={_M.REFUSED: 1.0}),
    "silence": Weather(odds={_M.SUNK: 1.0}),
    "muteness": Weather(odds={_M.UNANSWERED: 1.0}),
}
"""By the name that a history gives."""
