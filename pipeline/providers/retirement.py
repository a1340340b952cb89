"""A provider that was shut down, or will be: what `retired` in its profile says of an address, on a day. Pure."""

from __future__ import annotations

from datetime import date

from pipeline.profile import Profile
from pipeline.providers.access import own_address
from pipeline.providers.hops import is_same_place


def is_retired(profile: Profile, address: str, today: date) -> bool:
    """Whether *address* is the profile's own, and no longer answers."""
    return _is_over(profile, today) and _is_own(profile, address)


def retirement(profile: Profile, address: str, today: date) -> str:
    """What to say of a profile that is retired, at *address* (empty: not known); empty of any other."""
    if not profile.retired:
        return ""
    over, day = _is_over(profile, today), profile.retired
    if not profile.base_url:
        ended = f"{profile.title} {'retired' if over else 'retires'} this on {day}"
        return f"{ended}: {address} may make no video any more" if over and address else ended
    shut = f"{'was' if over else 'will be'} shut down on {day}"
    if address and not _is_own(profile, address):
        return f"{profile.title} {shut}; {address} is another server that speaks its API"
    advice = ": give provider.base_url another server that speaks its API" if over else ""
    return f"{profile.title} at {profile.base_url} {shut}{advice}"


def _is_own(profile: Profile, address: str) -> bool:
    return bool(profile.base_url) and is_same_place(address, own_address(profile))


def _is_over(profile: Profile, today: date) -> bool:
    return "" < profile.retired <= today.isoformat()
