"""What nothing can prove: it stays uncertain and is said, or is submitted again by a person's leave to pay twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from decimal import Decimal

from pipeline.ledger.claims import twice_paid
from pipeline.lifecycle import Fact
from pipeline.plan import Step
from pipeline.policy.verdict import Stop
from pipeline.providers.pricing import total
from pipeline.runner.board import Board
from pipeline.text import listing, money, plural


def doubt_words(board: Board, key: str, reason: str) -> str:
    """An uncertain job for a person: what it may have cost, until when its video is kept, and what comes now."""
    latest = board.job(key).attempts[-1]
    cost = money(latest.price, board.profile.currency) if latest.price is not None else "an unknown price"
    if board.settles and key in board.unsettled:
        then = "and is being settled with the provider"
    else:
        then = f"and will not be sent again unless you say so: vidbatch resolve {board.folder.path}"
    return (
        f"{board.job(key).id}: it is not known whether this submit was accepted ({reason}). It may have cost {cost} "
        f"(its video is kept until about {kept_until(board, key)}), {then}"
    )


def left_words(board: Board, keys: Collection[str]) -> str:
    """The submits of unknown outcome that a run begins with, for a person: they may be dear, and expire."""
    names, price = (
        listing([board.job(key).id for key in keys]),
        total(board.job(key).attempts[-1].price for key in keys),
    )
    cost = "an unknown price" if price is None else f"up to {money(price, board.profile.currency)}"
    until = min(kept_until(board, key) for key in keys)
    then = "what can be proven of them is settled now; else" if board.settles else "say what became of them:"
    return (
        f"{plural(len(keys), 'earlier submit')} of unknown outcome, {names}: perhaps accepted, for {cost} (a video is "
        f"kept until about {until}); {then} vidbatch resolve {board.folder.path}"
    )


def kept_until(board: Board, key: str) -> str:
    """How long the video of the latest submit is kept at least, should there be one."""
    until = board.job(key).attempts[-1].submitted_at + timedelta(seconds=board.profile.retention_s)
    return f"{until:%Y-%m-%d %H:%M} UTC"


class Leave:
    """Takes jobs out of the settle lane's hands."""

    def __init__(self, board: Board, steps: Mapping[str, Step]) -> None:
        self._board = board
        self._steps = steps

    def one(self, key: str, reason: str) -> None:
        """Nothing that this run can do will settle it."""
        del self._board.unsettled[key]
        self.for_now(key, reason)
        self._board.bell.ring()

    def for_now(self, key: str, reason: str) -> None:
        """It is not settled now, and may be later."""
        refused = self._refused(key)
        if refused is None:
            self._board.record(Fact.RESUBMIT, key, how=f"run --uncertain resubmit: {reason}")
            self._board.pending.append(self._steps[key])
            self._board.notice("settle", f"{self._board.job(key).id}: submitted again, as you said ({reason})")
        else:
            self._board.notice("settle", doubt_words(self._board, key, f"{reason}{refused}"), urgent=True)

    def _refused(self, key: str) -> str | None:
        """Why it is not submitted again; `None`: it is, for so a person said, and the ceiling allows it."""
        board, price = self._board, self._board.job(key).attempts[-1].price
        ceiling, paid = board.max_duplicate_cost, twice_paid(board.ledger.state)
        if ceiling is None or board.stop is not Stop.NOTHING:
            return ""
        if key not in self._steps:
            return "; it is not submitted again, since this run's plan does not have it"
        if price is None or paid is None:
            return "; it is not submitted again, since its price is not known"
        if paid + price > ceiling:
            return f"; it is not submitted again: {_over(board, paid + price, ceiling)}"
        return None


def _over(board: Board, cost: Decimal, ceiling: Decimal) -> str:
    amount, bound = money(cost, board.profile.currency), money(ceiling, board.profile.currency)
    return f"{amount} may then have been paid twice, and --max-duplicate-cost is {bound}"
