"""From numbers to places along an axis, and which round numbers are written beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_ROUND: Final = (1, 2, 5)
_LEAST_PREFIXED: Final = 100
_PREFIXES: Final = ((1e11, "G"), (1e8, "M"), (1e5, "k"))
"""Figures on a scale that reaches so far are written in thousands, millions, …: in few characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Numbers from 0 to *high*, laid out from *start* to *end* (which may be above it)."""

    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    """From 0, the same apart."""

    def __call__(self, number: float) -> float:
        return self.start + (self.end - self.start) * number / self.high

    def words(self, tick: float) -> str:
        """A tick as it is written, with the places of all others: `0.50`, `40`, `10,000`, `250k`."""
        for unit, prefix in _PREFIXES:
            if self.high >= unit and tick:
                return f"{tick / (unit / _LEAST_PREFIXED):g}{prefix}"
        places = max(0, -math.floor(math.log10(self.ticks[1]) + 1e-9))
        return f"{tick:,.{places}f}" if tick else "0"


def scale(upto: float, start: float, end: float, *, ticks_max: int = 4, whole: bool = False) -> Scale:
    """The scale that reaches *upto*; *whole*: of what is counted."""
    marks = ticks(upto, ticks_max=ticks_max, whole=whole)
    return Scale(high=max(marks[-1], upto), start=start, end=end, ticks=marks)


def ticks(upto: float, *, ticks_max: int = 8, whole: bool = False) -> tuple[float, ...]:
    """Round numbers, the same apart, from 0 to the first that reaches *upto*: 3 to *ticks_max* (4 or more) of them.

    Neighbouring steps are at most 2.5 apart, so the first that makes few enough never makes fewer than 3.
    """
    upto = max(upto, 2.0) if whole else upto
    if not 0 < upto < math.inf:
        upto = 1.0
    for mantissa, power in _steps(upto / ticks_max):
        step = mantissa * 10.0**power
        count = math.ceil(upto / step - 1e-9)
        if count < ticks_max and not (whole and power < 0):
            return tuple(
                n * mantissa * 10**power if power >= 0 else n * mantissa / 10**-power for n in range(count + 1)
            )
    raise AssertionError("the steps have no end")


def _steps(least: float) -> Iterator[tuple[int, int]]:
    """Round steps as a digit and a power of ten, growing, from one below *least*."""
    power = math.floor(math.log10(least))
    while True:
        for mantissa in _ROUND:
            yield mantissa, power
        power += 1
