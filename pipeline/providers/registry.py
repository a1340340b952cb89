"""The profiles that ship with vidbatch, by name. Each is a YAML file beside this one, read when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from pipeline.limits import Limits
from pipeline.profile import ModelOffer, Pace, Profile
from pipeline.providers.base import Dialect
from pipeline.providers.responses import Responses
from pipeline.providers.videos import Videos
from pipeline.providers.written import rehearsal_of, wire_of

_AS_THEY_ARE = (
    *("name", "title", "dialect", "base_url", "base_path", "key_default", "embedded", "bills", "retired"),
    *("status_words", "retention_s", "lists", "lists_linked", "list_lag_s"),
    *("honours_keys", "honours_keys_linked", "keys_s"),
    *("remixes", "extends", "edits", "extensions_max", "length_s_max", "references", "deletes", "cancels"),
    *("currency", "prices_as_of", "prices_source"),
)
"""Fields that a document and a `Profile` share word for word."""

DIALECTS: Mapping[str, Dialect] = {"videos": Videos(), "responses": Responses()}


def profile_names() -> tuple[str, ...]:
    """Every name that `find_profile` knows, in order."""
    folder = files(__package__) / "profiles"
    return tuple(sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml")))


@cache
def find_profile(name: str) -> Profile | None:
    """The profile of that name; `None` where there is none."""
    raw = document_of(name)
    return None if raw is None else parse(raw)


def document_of(name: str) -> dict[str, Any] | None:
    """The same as it is written."""
    if name not in profile_names():
        return None
    import yaml

    source = files(__package__) / "profiles" / f"{name}.yaml"
    document: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    return document


def dialect_of(profile: Profile) -> Dialect:
    """How to speak to a provider."""
    return DIALECTS[profile.dialect]


def parse(raw: Mapping[str, Any]) -> Profile:
    """A document that `schemas/profile.schema.json` accepts, as a value."""
    defaults = raw.get("defaults", {})
    plain = {name: raw[name] for name in _AS_THEY_ARE if name in raw}
    return Profile(
        **plain,
        base_url_env=tuple(raw.get("base_url_env", ())),
        key_env=tuple(raw.get("key_env", ())),
        default_model=defaults.get("model", ""),
        default_seconds=defaults.get("seconds"),
        default_size=defaults.get("size", ""),
        models={name: _offer(offer) for name, offer in raw["models"].items() if offer is not None},
        params=tuple(raw["params"]) if "params" in raw else None,
        limits=Limits(**raw.get("limits", {})),
        pace=Pace(**raw.get("pace", {})),
        variants=tuple(raw.get("variants", ())),
        wire=wire_of(raw),
        rehearsal=rehearsal_of(raw.get("rehearsal", {})),
    )


def _offer(raw: Mapping[str, Any]) -> ModelOffer:
    return ModelOffer(
        seconds=tuple(raw.get("seconds", ())),
        sizes=tuple(raw.get("sizes", ())),
        price_per_second={size: Decimal(price) for size, price in raw.get("price_per_second", {}).items()},
    )
