"""Room that a run keeps for itself beside its ledger, so that on a full disk the ids of what it bought are saved."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pipeline.disk import Disk, is_out_of_room, words_of
from pipeline.errors import LedgerBroken, NoRoom

RESERVE_BYTES = 4 << 20
"""Room for some five thousand facts after the disk is full: far more than can be under way."""


class Reserve:
    """The file `ledger.reserve`: there while a run is at work, given up when the disk is full."""

    def __init__(self, ledger: Path, disk: Disk) -> None:
        self.path = ledger.with_suffix(".reserve")
        self._disk = disk
        self._held = False

    def take(self) -> None:
        """Allocate it. Raises `NoRoom` on a full disk, `LedgerBroken` on one that fails."""
        try:
            self._disk.reserve(self.path, RESERVE_BYTES)
        except OSError as error:
            self._remove()
            if is_out_of_room(error):
                raise NoRoom(
                    f"{self.path}: the disk is full ({words_of(error)}), and a run keeps {RESERVE_BYTES >> 20} MiB "
                    "there so that what it buys is not lost; nothing was sent: make room and run again"
                ) from error
            raise LedgerBroken(
                f"{self.path}: no room can be kept here ({words_of(error)}); nothing was sent"
            ) from error
        self._held = True

    def give_up(self) -> bool:
        """Give the room back to the disk, once; whether there was any to give."""
        held, self._held = self._held, False
        return held and self._remove()

    def release(self) -> None:
        """The run is over: nothing of it is left behind."""
        self.give_up()

    def _remove(self) -> bool:
        with suppress(OSError):
            self._disk.remove(self.path)
            return True
        return False
