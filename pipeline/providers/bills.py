"""Whether money is real at an address. Pure.

`bills: false` speaks of the profile's own server, and of one on this machine. Wherever else an address leads, nobody
knows whose server that is and what it takes. A server on this machine that is not the profile's own is a rehearsal.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.loopback import is_here
from pipeline.model import EMBEDDED
from pipeline.profile import Profile
from pipeline.providers.access import own_address
from pipeline.providers.hops import is_same_place


def bills_at(profile: Profile, origin: str) -> bool:
    """Whether what *profile* makes at *origin* is paid for; *origin* is `EMBEDDED`, an address, or empty: not known."""
    return profile.bills or not (not origin or is_here(origin) or _is_own(profile, origin))


def is_play(profile: Profile, origin: str) -> bool:
    """Whether what was made at *origin* is a rehearsal: on this machine, and not where the profile itself says."""
    return origin == EMBEDDED or (is_here(origin) and (profile.embedded or not _is_own(profile, origin)))


def priced_at(profile: Profile, origin: str) -> Profile:
    """*profile* with the prices that are known at *origin*: those of play are none where money is real after all."""
    if profile.bills or not bills_at(profile, origin):
        return profile
    return replace(
        profile, models={name: replace(offer, price_per_second={}) for name, offer in profile.models.items()}
    )


def _is_own(profile: Profile, origin: str) -> bool:
    return bool(profile.base_url) and is_same_place(origin, own_address(profile))
