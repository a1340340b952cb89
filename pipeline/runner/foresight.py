"""Looking ahead from the collect lane: whether what is finished will be home before it expires, and saying so."""

from __future__ import annotations

from datetime import datetime

import anyio

from pipeline.expiry import Homeward, behind, by_our_clock
from pipeline.providers.base import Observation
from pipeline.runner.board import Board
from pipeline.runner.lanes import FOREVER

LOOK_EVERY_S = 1.0


def dropped_at(board: Board, key: str, seen: Observation) -> datetime | None:
    """When the provider drops a video, by our clock; `None`: it does not say."""
    job, now = board.job(key), board.now()
    return by_our_clock(seen.expires_at, seen.created_at, since=job.submitted_at or now, now=now)


class Foresight:
    """Keeps `board.behind` true to what is measured; the gate buys nothing while it is set."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._homeward = Homeward(board.limits.downloads)
        self._looked_s = float("-inf")

    @property
    def again_s(self) -> float:
        """When to look again, should nothing else happen: what waits gets nearer to its end by waiting."""
        return self._looked_s + LOOK_EVERY_S if self._wanted else FOREVER

    def came(self) -> None:
        """A video is here."""
        self._homeward.came(anyio.current_time())

    def look(self, now_s: float) -> None:
        """Look, unless that was done just now; say what has changed."""
        board = self._board
        self._homeward.note(now_s, self._wanted)
        if now_s < self._looked_s + LOOK_EVERY_S and self._wanted:
            return
        self._looked_s, now = now_s, board.now().timestamp()
        was = bool(board.behind)
        board.behind = behind(
            (rank - now for rank in board.backlog.ranks()),
            under_way=board.fetching.value,
            each_s=self._homeward.each_s,
            already=was,
        )
        if bool(board.behind) != was:
            self._say()

    @property
    def _wanted(self) -> int:
        """How many finished videos are not here yet."""
        return len(self._board.backlog) + self._board.fetching.value

    def _say(self) -> None:
        board = self._board
        words = board.behind or "what is finished comes home in time again"
        meanwhile = "no more is submitted meanwhile" if board.behind else "submits go on"
        board.notice("collect", words if board.submits_over else f"{words}: {meanwhile}", urgent=True)
        board.bell.ring()
