"""How one profile is based on another: its document over the other's, mapping by mapping. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pipeline.model import JSON

_OF_THE_FILE = ("name", "based_on")
_OF_THE_ADDRESS = (
    *("base_url_env", "key_env", "key_default", "embedded", "bills", "retired"),
    *("prices_as_of", "prices_source"),
)
"""What is true of the other's own address, and would send its key elsewhere, or call real money play money."""
_PRICE = "price_per_second"
"""So is that of each model: with another's, a budget would hold nothing."""


def heir(base: Mapping[str, JSON], own: Mapping[str, JSON]) -> dict[str, JSON]:
    """What *own* stands for where it is based on *base*; both keep their order, the base's first."""
    if "base_url" not in own:
        return _over(_without(base, _OF_THE_FILE), own)
    left = _without(base, (*_OF_THE_FILE, *_OF_THE_ADDRESS))
    if isinstance(models := left.get("models"), dict):
        left["models"] = {name: _unpriced(offer) for name, offer in models.items()}
    return _over(left, own)


def _unpriced(offer: JSON) -> JSON:
    return _without(offer, (_PRICE,)) if isinstance(offer, dict) else offer


def _without(document: Mapping[str, JSON], names: Collection[str]) -> dict[str, JSON]:
    return {name: value for name, value in document.items() if name not in names}


def _over(base: Mapping[str, JSON], own: Mapping[str, JSON]) -> dict[str, JSON]:
    """*own* over *base*: mappings are merged, all else is replaced."""
    merged = dict(base)
    for name, value in own.items():
        below = merged.get(name)
        merged[name] = _over(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return merged
