"""How hard we may lean on a provider, and what it may cost; and what a person asks of that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

_AMOUNTS = ("budget", "confirm_above")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How hard we may lean on one provider, and what it may cost."""

    in_flight: int = 4
    """Videos being rendered at once."""
    submits_per_minute: float = 30.0
    submit_slots: int = 2
    """POSTs under way at once: what a crash can leave uncertain."""
    downloads: int = 4
    budget: Decimal | None = None
    """No submit may take what is spent beyond this; `None` is no bound."""
    confirm_above: Decimal = Decimal(10)
    """What costs more is only submitted once a person at the terminal has said yes."""


_Bounds = TypeVar("_Bounds", Limits, "LimitsWish")


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsWish:
    """What a manifest or the command line asks of the limits; `None` leaves the profile's."""

    in_flight: int | None = None
    submits_per_minute: float | None = None
    submit_slots: int | None = None
    downloads: int | None = None
    budget: Decimal | None = None
    confirm_above: Decimal | None = None

    def over(self, limits: _Bounds) -> _Bounds:
        """*limits*, or another wish, with what this one states in their place."""
        return replace(limits, **self.stated())

    def stated(self) -> dict[str, Any]:
        """What it asks for, by name; a count of 0 asks for nothing. From Python an amount may be any number."""
        counts = {name: n for name in self.__slots__ if (n := getattr(self, name)) and name not in _AMOUNTS}
        amounts = {name: Decimal(str(n)) for name in _AMOUNTS if (n := getattr(self, name)) is not None}
        return {**counts, **amounts}
