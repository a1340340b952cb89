"""What stands above the videos of a gallery: whose they are, how many, and what they cost. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipeline.ledger.replay import RunState
from pipeline.lifecycle import State
from pipeline.text import spent_money
from pipeline.views.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The figures of the videos that are shown: of all the run's, or of those that were chosen."""

    name: str
    provider: str
    currency: str
    counts: Mapping[State, int]
    """How many are in each state that any of them is in."""
    orphaned: int
    """How many of them the manifest asks for no longer."""
    spent: Decimal
    """On their submits, as far as prices are known."""
    unpriced: int
    """How many more of these submits there are, whose price is not known."""

    @property
    def videos(self) -> int:
        return sum(self.counts.values())

    @property
    def stored(self) -> int:
        return self.counts.get(State.STORED, 0)

    @property
    def spent_words(self) -> str:
        """What was spent as a person reads it, with what is not known of it."""
        return spent_money(self.spent, self.currency, self.unpriced)


def head_of(state: RunState, rows: Sequence[Row], *, name: str) -> Head:
    """The head of *rows*, which are of *state*; *name* is what the run is called where its ledger does not say."""
    header = state.header
    prices = [attempt.price for row in rows for attempt in state.jobs[row.key].attempts if attempt.counts]
    known = [price for price in prices if price is not None]
    counts = {at: sum(row.state is at for row in rows) for at in State}
    return Head(
        name=header.name if header else name,
        provider=header.provider if header else "",
        currency=header.currency if header else "",
        counts={at: count for at, count in counts.items() if count},
        orphaned=sum(row.orphaned for row in rows),
        spent=sum(known, Decimal(0)),
        unpriced=len(prices) - len(known),
    )
