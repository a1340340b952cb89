"""Whether the disk can take what another submit would bring."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pipeline.disk import Disk
from pipeline.errors import NoRoom
from pipeline.ledger.replay import RunState
from pipeline.lifecycle import State
from pipeline.policy.room import room_needed_bytes
from pipeline.text import byte_size

ASK_EVERY_S = 1.0
COMING = (State.SUBMITTING, State.IN_FLIGHT, State.STALLED, State.FINISHED)
"""Bought or about to be, and not here yet."""


def demand_room(folder: Path, state: RunState, disk: Disk) -> None:
    """Raises `NoRoom` where the disk could not take the next video of the run in *folder*."""
    if lack := Room(folder, state, disk).lack(now_s=0.0):
        raise NoRoom(f"{lack}; nothing was sent: make room and run again")


class Room:
    """The free room of a run's disk, asked for at most once a second."""

    def __init__(self, folder: Path, state: RunState, disk: Disk) -> None:
        self._folder = folder
        self._state = state
        self._disk = disk
        self._largest_bytes = max((job.bytes or 0 for job in state.jobs.values()), default=0)
        self._free_bytes: int | None = None
        self._asked_s = float("-inf")

    def took(self, size: int) -> None:
        """A video of *size* bytes is here."""
        self._largest_bytes = max(self._largest_bytes, size)

    def lack(self, now_s: float) -> str:
        """Why no further video may be bought, in words; empty where there is room, or the disk does not say."""
        if now_s - self._asked_s >= ASK_EVERY_S:
            self._asked_s, self._free_bytes = now_s, self._ask()
        coming = sum(self._state.counts[state] for state in COMING)
        needed = room_needed_bytes(coming + 1, self._largest_bytes)
        if self._free_bytes is None or self._free_bytes >= needed:
            return ""
        others = f" ({coming:,} are on their way)" if coming else ""
        return (
            f"the disk is nearly full: {byte_size(self._free_bytes)} are free at {self._folder}, and "
            f"{byte_size(needed)} must be before another video is bought{others}"
        )

    def _ask(self) -> int | None:
        with suppress(OSError):
            return self._disk.free_bytes(self._folder)
        return None
