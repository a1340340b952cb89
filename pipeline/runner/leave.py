"""What nothing can prove: it stays uncertain and is said, or is submitted again by a person's leave to pay twice."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pipeline.ledger.claims import times_again, twice_paid
from pipeline.plan import Step
from pipeline.policy.unknown import AGAIN_MAX, Held, why_held
from pipeline.policy.verdict import Stop
from pipeline.progress import Kind
from pipeline.providers.pricing import total
from pipeline.runner.board import Board
from pipeline.runner.wording import doubt_words, still_words
from pipeline.text import money


class Leave:
    """Takes jobs out of the settle lane's hands."""

    def __init__(self, board: Board, steps: Mapping[str, Step]) -> None:
        self._board = board
        self._steps = steps
        self._earlier = {key: board.job(key).attempt for key in board.unsettled}
        """What earlier runs left, and by which attempt: a person has been told of these."""

    def for_good(self, reasons: Mapping[str, str]) -> None:
        """Nothing that this run can do will settle these jobs; the reason why, by key."""
        for key in reasons:
            self._board.unsettled.pop(key)
        self.for_now(reasons)
        if reasons:
            self._board.bell.ring()

    def for_now(self, reasons: Mapping[str, str]) -> None:
        """They are not settled now, and may be later."""
        held: dict[str, str] = {}
        for key, reason in reasons.items():
            refused = self._refused(key)
            if refused is None:
                self._submit_again(key, reason)
            else:
                held[key] = f"{reason}{refused}"
        self._say_held(held)

    def _submit_again(self, key: str, reason: str) -> None:
        board = self._board
        board.granted[key] = f"run --uncertain resubmit: {reason}"
        board.unsettled.pop(key, None)
        words = f"{board.job(key).id}: will be submitted again, as you said, and may be paid twice ({reason})"
        board.notice("settle", words, urgent=True)
        board.turns.add([self._steps[key]])
        board.bell.ring()

    def _say_held(self, reasons: Mapping[str, str]) -> None:
        """One by one what became uncertain in this run; together what earlier ones left, by its reason."""
        board = self._board
        told: dict[str, list[str]] = {}
        for key, reason in reasons.items():
            if self._earlier.get(key) == board.job(key).attempt:
                told.setdefault(reason, []).append(key)
            else:
                board.notice("settle", doubt_words(board, key, reason), urgent=True, kind=Kind.UNCERTAIN)
        for reason, keys in told.items():
            board.notice("settle", still_words(board, keys, reason), urgent=True, kind=Kind.UNCERTAIN)

    def _refused(self, key: str) -> str | None:
        """Why it is not submitted again; `None`: it is, for so a person said, and the ceiling allows it."""
        board, job = self._board, self._board.job(key)
        ceiling, price = board.max_duplicate_cost, job.attempts[-1].price
        paid = total([twice_paid(board.ledger.state), *(board.job(due).attempts[-1].price for due in board.granted)])
        if ceiling is None or board.stop is not Stop.NOTHING:
            return ""
        if key not in self._steps:
            return "; it is not submitted again, since this run's plan does not have it"
        if hindrance := board.turns.hindrance(self._steps[key]):
            return f"; it is not submitted again: {hindrance}"
        match why_held(price, paid=paid, ceiling=ceiling, times=times_again(job)):
            case None:
                return None
            case Held.UNPRICED:
                return "; it is not submitted again, since its price is not known"
            case Held.OFTEN:
                return f"; it is not submitted again: it was {AGAIN_MAX} times already"
            case Held.OVER_CEILING:
                return f"; it is not submitted again: {_over(board, paid, price, ceiling)}"


def _over(board: Board, paid: Decimal | None, price: Decimal | None, ceiling: Decimal) -> str:
    amount, bound = (money(cost, board.profile.currency) for cost in ((paid or 0) + (price or Decimal(0)), ceiling))
    return f"{amount} may then have been paid twice, and --max-duplicate-cost is {bound}"
