"""A range of numbers as one axis: exact decimal steps, both ends included. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from pipeline.model import JSON

VALUES_MAX = 100_000
FORM = "write {range: [from, to]} or {range: [from, to, step]}"


class BadRange(ValueError):
    """A range that cannot be counted out; the message says why."""


def counted(bounds: JSON) -> Sequence[int | float]:
    """The numbers that `[from, to, step]` stands for. Raises `BadRange`.

    Without a step it counts by 1 towards its end.
    """
    first, step, count = _read(bounds)
    whole = math.lcm(first.denominator, step.denominator)
    start, by = int(first * whole), int(step * whole)
    return [n // whole if n % whole == 0 else n / whole for n in range(start, start + count * by, by)]


def length(bounds: JSON) -> int:
    """How many numbers `[from, to, step]` stands for, without one of them. Raises `BadRange`."""
    return _read(bounds)[2]


def _read(bounds: JSON) -> tuple[Fraction, Fraction, int]:
    """The first number, the step and how many there are. Raises `BadRange`."""
    numbers = [n for n in bounds if isinstance(n, int | float)] if isinstance(bounds, list) else []
    if not isinstance(bounds, list) or len(numbers) != len(bounds) or len(numbers) not in (2, 3):
        raise BadRange(FORM)
    # Of the digits that were written: 0.1 is a tenth, and three of it are 0.3.
    first, last, *rest = (Fraction(repr(number)) for number in numbers)
    step = rest[0] if rest else Fraction(1 if last >= first else -1)
    return first, step, _steps(first, last, step) + 1


def _steps(first: Fraction, last: Fraction, step: Fraction) -> int:
    if not step:
        raise BadRange("a range cannot go in steps of 0")
    steps = (last - first) / step
    if steps < 0:
        raise BadRange(f"from {_number(first)} in steps of {_number(step)} it never arrives at {_number(last)}")
    if steps >= VALUES_MAX:
        raise BadRange(f"{math.floor(steps) + 1:,} values; {VALUES_MAX:,} is the most of a range")
    if steps.denominator != 1:
        before = first + math.floor(steps) * step
        raise BadRange(
            f"from {_number(first)} in steps of {_number(step)} it comes to {_number(before)} and "
            f"{_number(before + step)}, never to {_number(last)}: end it at one of them"
        )
    return steps.numerator


def _number(value: Fraction) -> int | float:
    return value.numerator if value.denominator == 1 else float(value)
