"""When to do things: numbers in, numbers out. The caller brings the time and the chance.

Every `spread` is a number 0 ≤ spread < 1 that the caller draws, so that a test can choose it.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipeline.profile import Pace

RETRY_AFTER_S_MAX = 3600.0
"""A longer wish than this is not taken for one (reliability rule: it would end the night)."""


def backoff_s(failures: int, *, base_s: float, cap_s: float, spread: float) -> float:
    """How long to wait after the n-th failure in a row (from 1): full jitter under a doubling, capped ceiling."""
    ceiling_s = min(cap_s, base_s * 2.0 ** min(max(failures, 1) - 1, 32))
    return ceiling_s * (0.25 + 0.75 * spread)


def retry_after_s(header: str, *, now: datetime) -> float | None:
    """A Retry-After header as seconds from *now* (RFC 9110 §10.2.3: a number or a date); `None` if it is neither."""
    text = header.strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        wait_s = float(text)
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        wait_s = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
    return wait_s if 0.0 <= wait_s <= RETRY_AFTER_S_MAX else None


class Rate:
    """So many a minute, evenly spaced: a generic cell rate algorithm with a burst of one."""

    def __init__(self, per_minute: float) -> None:
        self._interval_s = 60.0 / per_minute
        self._next_s = float("-inf")

    def take(self, now_s: float) -> float:
        """Take the next place; returns how long to wait for it."""
        place_s = max(self._next_s, now_s)
        self._next_s = place_s + self._interval_s
        return place_s - now_s


class RenderTimes:
    """How long renders took, lately: what tells a watcher when asking pays."""

    WINDOW = 200
    ENOUGH = 8

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=self.WINDOW)
        self._sorted: list[float] = []

    def add(self, seconds: float) -> None:
        """Learn of one more render."""
        if len(self._recent) == self.WINDOW:
            self._sorted.remove(self._recent[0])
        self._recent.append(seconds)
        insort(self._sorted, seconds)

    def typical_s(self, otherwise: float) -> float:
        """The median; *otherwise* before there is enough to go by."""
        return self._sorted[len(self._sorted) // 2] if len(self._sorted) >= self.ENOUGH else otherwise

    def next_end_s(self, age_s: float) -> float | None:
        """The age at which a further eighth of those still running will have ended; `None`: not known."""
        if len(self._sorted) < self.ENOUGH:
            return None
        left = [seconds for seconds in self._sorted if seconds > age_s]
        return left[len(left) // 8] if left else None


def next_look_s(age_s: float, *, pace: Pace, renders: RenderTimes, spread: float) -> float:
    """How long to wait before looking again at a video that has been rendering for *age_s*.

    First when the learned render times say that an answer is likely; past all of them, ever more slowly: a twentieth
    of its age, between the profile's shortest and longest interval.
    """
    jitter = 0.9 + 0.2 * spread
    if age_s <= 0.0:
        latest_s = max(pace.first_s, 2.0 * pace.typical_s)
        first_s = min(renders.next_end_s(0.0) or pace.first_s, latest_s)
        return max(pace.interval_s, first_s) * jitter
    expected = renders.next_end_s(age_s)
    wait_s = age_s / 20 if expected is None else expected - age_s
    return min(max(wait_s, pace.interval_s), pace.interval_s_max) * jitter
