"""How a lane takes what comes back: when it may send again, and what it says when nobody answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from pipeline.policy.breaker import Breaker, Toll, toll_of
from pipeline.policy.verdict import Stop, Verdict
from pipeline.progress import Kind
from pipeline.text import duration

if TYPE_CHECKING:
    from pipeline.runner.board import Board


class Temper:
    """One lane's: its pauses, its retry budget and its breaker."""

    def __init__(self, board: Board, lane: str) -> None:
        self._board = board
        self._lane = lane
        self._breaker = Breaker(board.patience.rest)
        self._paused_until_s = float("-inf")
        self._away_s = 0.0
        self._tallied_s = 0.0
        self.failures = 0
        """Pauses in a row without an answer to go by; what fails during a pause belongs to it."""

    @property
    def ready_s(self) -> float:
        """Nothing is sent before then, by `anyio.current_time`."""
        return max(self._paused_until_s, self._breaker.ready_s)

    @property
    def is_open(self) -> bool:
        """Nobody answers, and one request at a time finds out whether somebody does again."""
        return self._breaker.is_open

    @property
    def away_s(self) -> float:
        """How long this lane could not learn anything, in all: it was to wait, or nobody answered."""
        now_s = anyio.current_time()
        until_s = now_s if self.is_open else min(self._paused_until_s, now_s)
        return self._away_s + max(until_s - self._tallied_s, 0.0)

    def _tally(self) -> None:
        """Before a pause or the breaker changes: count what it was until now."""
        self._away_s, self._tallied_s = self.away_s, anyio.current_time()

    def begin(self) -> None:
        """A request goes out now."""
        self._breaker.begin(anyio.current_time())

    def answered(self) -> None:
        """Somebody answered, and it is something to go by."""
        self.failures = 0
        self._note(Toll.CLEAN, "")

    def heed(self, outcome: object, verdict: Verdict) -> None:
        """Do what a verdict on *outcome* says about the lane and the run."""
        now_s = anyio.current_time()
        toll = toll_of(outcome)
        if toll is Toll.CLEAN:
            self.answered()
        elif toll is not None:
            self.failures += now_s >= self._paused_until_s
            self._note(toll, verdict.reason)
        if verdict.pause_s:
            self._tally()
            self._paused_until_s = max(self._paused_until_s, now_s + verdict.pause_s)
        if verdict.stop is not Stop.NOTHING and not isinstance(outcome, OSError):  # that is our disk's
            verdict = replace(verdict, reason=f"{self._board.where}: {verdict.reason}")
        self._board.heed(verdict, self._lane)

    def hope(self) -> None:
        """Another lane was answered again."""
        self._breaker.hope(anyio.current_time())

    def _note(self, toll: Toll, reason: str) -> None:
        self._tally()
        board, breaker, now_s = self._board, self._breaker, anyio.current_time()
        away_s = 0.0 if breaker.opened_s is None else now_s - breaker.opened_s
        turned = breaker.note(toll, now_s=now_s, spread=board.chance.random())
        if turned and breaker.is_open:
            self._say_opened(reason)
        elif turned:
            words = f"somebody answers again, after {duration(away_s)}"
            board.notice(self._lane, words, urgent=True, kind=Kind.ANSWERED)
            board.hope()
        elif breaker.is_open and away_s >= board.patience.outage_s:
            self._give_up(away_s, reason)

    def _say_opened(self, reason: str) -> None:
        rest, outage_s = self._board.patience.rest, self._board.patience.outage_s
        where = self._board.where + (" or where it leads to" if self._lane == "collect" else "")
        end = "no more is bought" if self._lane == "submit" else "the run stops"
        message = (
            f"nobody answers at {where}: {reason}. One try at a time from now on, the next in {duration(rest.base_s)}, "
            f"then ever more rarely, every {duration(rest.cap_s)} at last; "
            f"after {duration(outage_s)} without an answer {end}"
        )
        self._board.notice(self._lane, message, urgent=True, kind=Kind.OUTAGE)

    def _give_up(self, away_s: float, reason: str) -> None:
        """A night without an answer: what was bought is not here and will not come."""
        words = f"nobody has answered for {duration(away_s)} at {self._board.where}: {reason}"
        if self._lane == "submit":
            self._board.buy_no_more(words)
        else:
            self._board.leave(words)
