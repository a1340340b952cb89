"""When a video expires, and whether it will be home before. Numbers in, numbers out; the caller brings the time.

Downloads go by earliest expiry, which loses the fewest where not all can be had. What is left to decide is when to buy
no more: where some of what is finished would expire before its turn comes, or would wait for half an hour.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.text import duration, plural

WORK_S_MAX = 1800.0
"""So long a backlog may take, whatever its expiry."""
MARGIN = 1.25
"""So much longer than measured a download may take."""
EASE = 0.75
"""What is behind is so until the backlog is so much shorter again: nobody wants to be told twice a minute."""
OFF_MAX = timedelta(days=1)
"""No clock of a provider's is further off, be it by its time zone: what says so tells no time."""
_WHOLE_SECONDS = timedelta(seconds=1)
"""Providers cut times off to these."""


def by_our_clock(
    expires_at: datetime | None, created_at: datetime | None, *, since: datetime, now: datetime
) -> datetime | None:
    """When the provider drops a video: *expires_at*, moved by what its clock is off from ours.

    It says that it made the video at *created_at*: by our clock that was after *since*, when we ordered it, and is not
    still to come. (It may be when rendering began, long after the order was taken.)
    """
    if expires_at is None or created_at is None:
        return expires_at
    slow, fast = since - _WHOLE_SECONDS - created_at, created_at - now
    off = slow if slow > timedelta(0) else -max(fast, timedelta(0))
    return expires_at + off if abs(off) <= OFF_MAX else expires_at


class Homeward:
    """How much of the lane's time a video takes, lately.

    The lane's time is that of as many slots as there are videos to fill them, whether a download is under way in them
    or being waited for after a failure: an outage is slow, too.
    """

    WINDOW = 32

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._each: deque[float] = deque(maxlen=self.WINDOW)
        """Slot-seconds that went by for each of the last videos."""
        self._since = 0.0
        """Those since the last one."""
        self._wanted = 0
        self._noted_s = 0.0

    def note(self, now_s: float, wanted: int) -> None:
        """From now on so many videos are *wanted*, waiting or on their way."""
        self._since += min(self._wanted, self._slots) * (now_s - self._noted_s)
        self._wanted, self._noted_s = wanted, now_s

    def came(self, now_s: float) -> None:
        """One is here."""
        self.note(now_s, max(self._wanted - 1, 0))
        self._each.append(self._since)
        self._since = 0.0

    @property
    def each_s(self) -> float:
        """How long the lane takes for a video, with all its slots; as though those in them came this very moment."""
        videos = len(self._each) + min(self._wanted, self._slots)
        return (sum(self._each) + self._since) / max(videos, 1) / self._slots


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What becomes of a backlog."""

    videos: int
    late: int
    """Of these, videos that would expire before their turn comes."""
    work_s: float
    """How long it takes to bring all of them home."""


def prospect(left_s: Iterable[float], *, under_way: int, each_s: float) -> Prospect:
    """What becomes of videos that are kept for so long yet, fetched by earliest expiry behind those *under_way*.

    What has expired already by the clock is fetched like the others, but is no reason to wait: waiting cannot help it,
    and the clock may be wrong.
    """
    waiting = sorted(left_s)
    late = sum(0.0 < left < MARGIN * each_s * n for n, left in enumerate(waiting, under_way + 1))
    videos = under_way + len(waiting)
    return Prospect(videos=videos, late=late, work_s=videos * each_s)


def behind(left_s: Iterable[float], *, under_way: int, each_s: float, already: bool) -> str:
    """Why no more should be bought just now; empty where all will be home in time. *already*: so it was just now."""
    seen = prospect(left_s, under_way=under_way, each_s=each_s / EASE if already else each_s)
    if not seen.late and seen.work_s <= WORK_S_MAX:
        return ""
    late = f", and {seen.late:,} of them would expire before their turn comes" if seen.late else ""
    return f"{plural(seen.videos, 'finished video')} wait to be fetched, about {duration(seen.work_s)} of work{late}"
