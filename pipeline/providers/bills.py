"""Whether money is real at an address. Pure.

`bills: false` speaks of the profile's own server, and of one on this machine. Wherever else an address leads, nobody
knows whose server that is and what it takes.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.model import EMBEDDED
from pipeline.profile import ModelOffer, Profile
from pipeline.providers.access import is_here, own_address


def bills_at(profile: Profile, origin: str) -> bool:
    """Whether what *profile* makes at *origin* is paid for; *origin* is `EMBEDDED`, an address, or empty: not known."""
    return profile.bills or not (origin in ("", EMBEDDED, own_address(profile)) or is_here(origin))


def priced_at(profile: Profile, origin: str) -> Profile:
    """*profile* with the prices that are known at *origin*: a price of 0 is none where money is real after all."""
    if profile.bills or not bills_at(profile, origin):
        return profile
    return replace(profile, models={name: _without_zeros(offer) for name, offer in profile.models.items()})


def _without_zeros(offer: ModelOffer) -> ModelOffer:
    return replace(offer, price_per_second={size: price for size, price in offer.price_per_second.items() if price})
