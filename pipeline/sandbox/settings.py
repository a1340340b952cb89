"""What can be set on the sandbox, at its start and while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from pipeline.errors import UsageError
from pipeline.model import JSON
from pipeline.sandbox.faults import BadFaults, Faults, read_faults

KEY_ENV: Final = "VIDBATCH_SANDBOX_KEY"
"""The variable that holds the sandbox's key, for those who serve it and those who ask it."""
DEFAULT_KEY: Final = "sandbox"

CONSTANT_BYTES_MIN: Final = 2048
"""Below this no playable MP4 fits for sure."""
CONSTANT_BYTES_MAX: Final = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the sandbox behaves. Every status follows from a job, these and the clock."""

    render_s: tuple[float, float] = (2.0, 2.0)
    """Between these two a render takes; where in between is the job's id's to say."""
    retention_s: float = 3600.0
    """How long a finished film can be downloaded."""
    rate_per_minute: int = 0
    """Creates within any 60 s; 0 is no bound."""
    in_flight_max: int = 0
    """Videos being rendered at once; 0 is no bound."""
    film: int | None = None
    """`None`: what the prompt asks for. A number: a plain film of exactly so many bytes, whatever was asked."""
    lists: bool = True
    """`GET /v1/videos` is offered."""
    honours_keys: bool = False
    """A repeated Idempotency-Key is answered with the first job."""
    list_lag_s: float = 0.0
    """A younger video is not in the list yet."""
    clock_skew_s: float = 0.0
    """How fast the clock of its answers is, `Date`, `created_at` and the like; below 0 it is slow."""
    faults: Faults = field(default_factory=Faults)
    """What it does wrong on demand."""

    def changed(self, wishes: Mapping[str, JSON]) -> Settings:
        """These settings with *wishes* in their place. Raises `UsageError` naming the first that cannot be."""
        values: dict[str, object] = {}
        for name, wish in wishes.items():
            if name not in _READERS:
                import difflib

                near = difflib.get_close_matches(name, _READERS, 1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(_READERS)}"
                raise UsageError(f"the sandbox has no setting {name!r}{hint}")
            try:
                values[name] = _READERS[name](wish)
            except BadFaults as error:
                raise UsageError(f"the sandbox's faults: {error}") from None
            except ValueError as error:
                raise UsageError(f"the sandbox's setting {name!r} must be {error}, not {wish!r}") from None
        return replace(self, **values)  # type: ignore[arg-type]  # each reader gives its field's type

    def as_json(self) -> dict[str, JSON]:
        """The form that `changed` reads."""
        low, high = self.render_s
        return {
            "render_s": low if low == high else [low, high],
            "retention_s": self.retention_s,
            "rate_per_minute": self.rate_per_minute,
            "in_flight_max": self.in_flight_max,
            "film": "real" if self.film is None else {"constant_bytes": self.film},
            "lists": self.lists,
            "honours_keys": self.honours_keys,
            "list_lag_s": self.list_lag_s,
            "clock_skew_s": self.clock_skew_s,
            "faults": dict(self.faults.document),
        }


def _seconds(wish: JSON) -> float:
    if isinstance(wish, bool) or not isinstance(wish, int | float) or not 0 <= wish <= 1e9:
        raise ValueError("a number of seconds, 0 or more")
    return float(wish)


def _skew(wish: JSON) -> float:
    if isinstance(wish, bool) or not isinstance(wish, int | float) or not -1e9 <= wish <= 1e9:
        raise ValueError("a number of seconds, below 0 for a clock that is slow")
    return float(wish)


def _span(wish: JSON) -> tuple[float, float]:
    low, high = wish if isinstance(wish, list) and len(wish) == 2 else (wish, wish)
    try:
        span = _seconds(low), _seconds(high)
    except ValueError:
        span = (1.0, 0.0)
    if span[0] > span[1]:
        raise ValueError("a number of seconds, or [least, most]")
    return span


def _count(wish: JSON) -> int:
    if isinstance(wish, bool) or not isinstance(wish, int) or wish < 0:
        raise ValueError("a whole number, 0 for no bound")
    return wish


def _flag(wish: JSON) -> bool:
    if not isinstance(wish, bool):
        raise ValueError("true or false")
    return wish


def _film(wish: JSON) -> int | None:
    if wish == "real":
        return None
    length = wish.get("constant_bytes") if isinstance(wish, dict) and len(wish) == 1 else None
    if type(length) is int and CONSTANT_BYTES_MIN <= length <= CONSTANT_BYTES_MAX:
        return length
    raise ValueError(f"'real' or {{'constant_bytes': n}} with n from {CONSTANT_BYTES_MIN} to {CONSTANT_BYTES_MAX}")


_READERS: Final[dict[str, Callable[[JSON], object]]] = {
    "render_s": _span,
    "retention_s": _seconds,
    "rate_per_minute": _count,
    "in_flight_max": _count,
    "film": _film,
    "lists": _flag,
    "honours_keys": _flag,
    "list_lag_s": _seconds,
    "clock_skew_s": _skew,
    "faults": read_faults,
}
