"""Two manifests side by side: what only one of them asks for, what both do, what was edited, and the money. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipeline.changes import Asked, Change, Edit, edits, pairs
from pipeline.model import Job, Manifest
from pipeline.plan import choose
from pipeline.providers.pricing import price_list, total


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Some jobs, in their manifest's order, and what they cost."""

    jobs: tuple[Job, ...]
    prices: tuple[Decimal | None, ...]
    """One each; `None` where it is not known."""

    @property
    def cost(self) -> Decimal | None:
        """Of all; `None` where a price is not known."""
        return total(self.prices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One manifest (here) against another (there)."""

    both: Lot
    """As they are here."""
    both_there: Decimal | None
    """What these cost there; `None` where a price is not known."""
    here: Lot
    """Only here, and no edits of anything there."""
    there: Lot
    changed: Lot
    """Edits, as they are here."""
    changed_there: Lot
    """The same, as they are there."""
    changes: Mapping[str, Change]
    """What was edited, by the key here."""
    currency: str
    currency_there: str

    @property
    def cost(self) -> Decimal | None:
        """Of all that is asked for here."""
        return total((self.both.cost, self.here.cost, self.changed.cost))

    @property
    def cost_there(self) -> Decimal | None:
        """Of all that is asked for there; what both ask for may have another price."""
        return total((self.both_there, self.there.cost, self.changed_there.cost))

    @property
    def difference(self) -> Decimal | None:
        """So much more it costs here than there; `None` where that cannot be said."""
        if self.cost is None or self.cost_there is None or self.currency != self.currency_there:
            return None
        return self.cost - self.cost_there


def compare(here: Manifest, there: Manifest, *, only: str = "", limit: int | None = None) -> Comparison:
    """*here* against *there*; *only* and *limit* choose from both."""
    ours = {job.key: job for job in choose(here.jobs, only=only, limit=limit)}
    theirs = {job.key: job for job in choose(there.jobs, only=only, limit=limit)}
    price = price_list(here.profile, here.provider.price_per_second)
    price_there = price_list(there.profile, there.provider.price_per_second)
    new = [job for key, job in ours.items() if key not in theirs]
    old = [job for key, job in theirs.items() if key not in ours]
    was = pairs(_asked(new), _asked(old))
    replaced = {one.key for one in was.values()}
    changed = [job for job in new if job.key in was]
    before = [theirs[was[job.key].key] for job in changed]
    provider = _provider(here, there)
    return Comparison(
        both=_lot((job for key, job in ours.items() if key in theirs), price),
        both_there=total(price_there(job) for key, job in theirs.items() if key in ours),
        here=_lot((job for job in new if job.key not in was), price),
        there=_lot((job for job in old if job.key not in replaced), price_there),
        changed=_lot(changed, price),
        changed_there=_lot(before, price_there),
        changes={
            job.key: Change(was=one.key, was_id=one.id, was_price=price_there(one), edits=(*provider, *edits(one, job)))
            for job, one in zip(changed, before, strict=True)
        },
        currency=here.profile.currency,
        currency_there=there.profile.currency,
    )


def _lot(jobs: Iterable[Job], price_of: Callable[[Job], Decimal | None]) -> Lot:
    kept = tuple(jobs)
    return Lot(jobs=kept, prices=tuple(map(price_of, kept)))


def _asked(jobs: Sequence[Job]) -> list[Asked]:
    return [Asked(job.key, job.id, job) for job in jobs]


def _provider(here: Manifest, there: Manifest) -> tuple[Edit, ...]:
    """That another provider makes the videos, which makes another job of each."""
    old, new = there.provider.profile, here.provider.profile
    return () if old == new else (Edit(field="provider", old=old, new=new),)
