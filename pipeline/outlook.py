"""What a run is asked for, and what it would do: its plan, with what that will lean on and cost. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from pipeline.lifecycle import State
from pipeline.limits import Limits, LimitsWish
from pipeline.model import Manifest
from pipeline.plan import Plan
from pipeline.providers.bills import bills_at

OUTPUTS = Path("outputs")
HOLD, RESUBMIT = "hold", "resubmit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a caller states over the manifest, for a plan or a run."""

    outputs: Path = OUTPUTS
    only: str = ""
    """A glob on ids and groups."""
    limit: int | None = None
    """The first so many of the jobs."""
    retry: frozenset[State] = frozenset()
    """Ended jobs in these states are bought again."""
    limits: LimitsWish = field(default_factory=LimitsWish)
    uncertain: str = HOLD
    """What becomes of submits that nothing can settle: `hold`, or `resubmit`, which may pay twice."""
    max_duplicate_cost: Decimal | None = None
    """With `resubmit`: so much may be paid twice in this run's life, in the profile's currency."""
    strict_media: bool = False
    """A stored video that is not as asked for, or broken, has failed."""
    allow_retired: bool = False
    """Also at an address of which its profile says that it no longer answers."""
    allow_moved: bool = False
    """What was bought on this machine is no rehearsal: the same server has another address now, or the other way
    round."""
    buys: bool = True
    """False: nothing is submitted, nor any key repeated, since that may buy; what is bought comes home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """The submits of unknown outcome that earlier runs left, and what becomes of them."""

    count: int = 0
    cost: Decimal | None = Decimal(0)
    """What they may have cost; `None` where a price is not known."""
    asked: int = 0
    """About so many of them the provider is asked first: its list, or its memory of a key."""
    again: int = 0
    """So many of them may be submitted again, where nothing is proven of them; the others wait for a decision."""
    again_cost: Decimal | None = Decimal(0)
    """Of submitting these again; `None` where a price is not known."""
    over_ceiling: int = 0
    """So many are not submitted again because of the ceiling alone."""
    paid_twice: Decimal | None = Decimal(0)
    """By what was submitted again before; `None` where a price is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A plan, with what it will lean on and cost."""

    manifest: Manifest
    choice: Choice = Choice()
    """What was asked for over it: another is another plan."""
    folder: Path
    plan: Plan
    limits: Limits
    spent: Decimal
    """By earlier runs in this folder."""
    currency: str
    origin: str = ""
    """Where it would go: an address, or `EMBEDDED`; empty: not known."""
    origin_from: str = ""
    """Who says so, in words: a manifest, a variable, a profile; empty: nobody has to."""
    max_duplicate_cost: Decimal | None = None
    """So much may be paid twice for submits of unknown outcome; `None`: none of them is sent again."""
    doubts: Doubts = Doubts()
    homecoming: int = 0
    """Videos that were bought and are not here yet, of jobs that the manifest no longer asks for: they come home."""
    coming: int = 0
    """All videos that were bought and are not here, whoever asks for them, files that are gone among them: they come
    home also where nothing is bought. Counted where there is something to buy, or to leave.
    """
    records: int = 0
    """Of the ledger, when this was planned: with as many, a plan is the same."""

    @property
    def is_dear(self) -> bool:
        """Whether what it buys costs more than a person wants to be asked about, or nobody knows how much."""
        cost = self.plan.cost
        return bool(self.plan.submits) and self.bills and (cost is None or cost > self.limits.confirm_above)

    @property
    def bills(self) -> bool:
        """Whether money is real there."""
        return bills_at(self.manifest.profile, self.origin)

    @property
    def repeats_keys(self) -> bool:
        """Whether a run may repeat the keys of submits of unknown outcome."""
        return self.manifest.profile.honours_keys and self.choice.buys
