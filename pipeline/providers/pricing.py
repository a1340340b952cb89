"""What a job costs, from the profile's price table. Video prices are exact: seconds × a price by model and size."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from pipeline.model import Job
from pipeline.profile import Profile


def price_of(job: Job, profile: Profile, own: Decimal | None = None) -> Decimal | None:
    """The price of one attempt at *job*, in the profile's currency; `None` where it is not known.

    *own* is a price per second that the user states; it goes before the profile's.
    """
    if own is not None:
        return _exactly(own, job)
    offer = profile.offer(job.model)
    if offer is None:
        return None
    per_second = offer.price_per_second.get(job.size, offer.price_per_second.get("*"))
    return None if per_second is None else _exactly(per_second, job)


def price_list(profile: Profile, own: Decimal | None = None) -> Callable[[Job], Decimal | None]:
    """As `price_of`, reckoned once for each kind of video: a million jobs share a few amounts."""
    known: dict[tuple[str, int | float, str], Decimal | None] = {}

    def price(job: Job) -> Decimal | None:
        kind = (job.model, job.seconds, job.size)
        if kind not in known:
            known[kind] = price_of(job, profile, own)
        return known[kind]

    return price


def _exactly(per_second: Decimal, job: Job) -> Decimal:
    """To a millionth: what a number in the ledger keeps."""
    price = per_second * Decimal(str(job.seconds))
    return price if price == round(price, 6) else round(price, 6)


def total(prices: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; `None` where any part of it is not known."""
    whole = Decimal(0)
    for price in prices:
        if price is None:
            return None
        whole += price
    return whole
