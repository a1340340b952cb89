"""Which fault a request meets: the demanded faults, over what was asked so far.

Chance goes by the wish, not by a video's id or the order of arrival: the second create of a wish meets the same fault
whatever else is under way, so a rehearsal of many lanes repeats.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.model import JSON
from pipeline.sandbox.faults import BEHAVE, Faults
from pipeline.sandbox.order import Order, Source

_PAGES: Final = "pages"
_OF_ONE_VIDEO: Final = frozenset({"unknown"})
"""Faults of a look that a list page has no room for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What one request meets."""

    word: str
    share: float
    """From 0 to 1: how much of an answer comes through, where it is cut."""


class Mischief:
    """Remembers how often what was asked, since the start or since the faults were changed."""

    def __init__(self, orders: Sequence[Order]) -> None:
        self._orders = orders
        self._names: dict[str, str] = {}
        self._wishes: Counter[str] = Counter()
        self.begin(Faults())

    def begin(self, faults: Faults) -> None:
        """From now on *faults*; scripts begin anew."""
        self._faults = faults
        self._asked: Counter[str] = Counter()
        self._asked_of: Counter[tuple[str, str]] = Counter()

    def of_submit(self, fields: Mapping[str, JSON], source: Source | None = None) -> Fault | None:
        """What a create of *fields* meets, which builds on *source*."""
        return self._meet("submit", _digest(fields, source.lineage if source else "")) if self._faults.submit else None

    def of_look(self, order: Order) -> Fault | None:
        """What a look at the video of *order* meets."""
        return self._meet("poll", self._name(order)) if self._faults.poll else None

    def of_page(self) -> Fault | None:
        """What a list page meets."""
        fault = self._meet("poll", _PAGES) if self._faults.poll else None
        return None if fault and fault.word in _OF_ONE_VIDEO else fault

    def of_content(self, order: Order) -> Fault | None:
        """What a download of *order* meets."""
        return self._meet("content", self._name(order)) if self._faults.content else None

    def fate(self, order: Order) -> str:
        """What becomes of the video of *order*, whenever and however it is looked at."""
        phase = self._faults.videos
        if not phase:
            return BEHAVE
        dice, _ = self._faults.dice("videos", self._name(order))
        return phase.word(place=order.n - 1, own_place=0, dice=dice)

    def _meet(self, name: str, who: str) -> Fault | None:
        place, own_place = self._asked[name], self._asked_of[name, who]
        self._asked[name] += 1
        self._asked_of[name, who] += 1
        dice, share = self._faults.dice(name, who, own_place)
        phase = self._faults[name]
        word = phase.word(place=place, own_place=len(phase.each) if who == _PAGES else own_place, dice=dice)
        return None if word == BEHAVE else Fault(word=word, share=share)

    def _name(self, order: Order) -> str:
        """The wish, and the how manieth video of the same wish it is."""
        for known in self._orders[len(self._names) :]:
            digest = _digest(known.fields, known.lineage)
            self._wishes[digest] += 1
            self._names[known.id] = f"{digest} {self._wishes[digest]}"
        return self._names[order.id]


def _digest(fields: Mapping[str, JSON], lineage: str) -> str:
    return hashlib.sha256((json.dumps(fields, sort_keys=True) + lineage).encode()).hexdigest()
