"""Who is looked over: a profile, with the address and the key that a run would use, and where these come from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.model import ProviderChoice
from pipeline.profile import Profile
from pipeline.providers.access import address_from, address_of, key_of, proxy_of
from pipeline.wire import Auth

STARTED_BY_US = "started by vidbatch"
_AUTH_WORDS = {Auth(): "bearer", Auth(prefix=""): "raw"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A provider as a run would reach it."""

    choice: ProviderChoice
    profile: Profile
    address: str
    """Its base URL; empty: vidbatch starts it."""
    address_from: str
    key: str = field(repr=False)
    key_from: str
    """Where the key comes from, in words; empty: none is needed."""
    proxy: str = ""
    """On the way there, without what it is told of us; empty: none."""


def subject_of(choice: ProviderChoice, profile: Profile, environment: Mapping[str, str], stated_by: str) -> Subject:
    """*profile* as *choice* and *environment* have it; *stated_by*: who says `choice.base_url`. Raises `UsageError`."""
    address = address_of(choice, profile, environment)
    if not address:
        return Subject(
            choice=choice, profile=profile, address="", address_from=STARTED_BY_US, key="", key_from=STARTED_BY_US
        )
    return Subject(
        choice=choice,
        profile=profile,
        address=address,
        address_from=stated_by if choice.base_url else address_from(choice, profile, environment),
        key=key_of(choice, profile, environment),
        key_from=_key_from(choice, profile, environment),
        proxy=_place(proxy_of(address)),
    )


def auth_words(profile: Profile) -> str:
    """How the profile says that a key is sent, in its own words."""
    auth = profile.wire.auth
    if not auth.header:
        return "auth: none"
    prefix = f", prefix: {json.dumps(auth.prefix)}" if auth.prefix else ""
    return f"auth: {_AUTH_WORDS.get(auth, f'{{header: {auth.header}{prefix}}}')}"


def _key_from(choice: ProviderChoice, profile: Profile, environment: Mapping[str, str]) -> str:
    if not profile.wire.auth.header:
        return ""
    variable = _first_set((choice.api_key_env,) if choice.api_key_env else profile.key_env, environment)
    return f"the variable {variable}" if variable else "the profile's own"


def _first_set(names: tuple[str, ...], environment: Mapping[str, str]) -> str:
    return next((name for name in names if environment.get(name, "").strip()), "")


def _place(proxy: str) -> str:
    """A proxy without the name and password that may stand in its URL."""
    scheme, there, rest = proxy.partition("://")
    return f"{scheme}{there}{rest.rpartition('@')[2]}"
