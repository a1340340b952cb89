"""How one profile is based on another: its document over the other's, mapping by mapping. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.model import JSON

_OF_THE_FILE = ("name", "based_on")
_OF_THE_ADDRESS = ("base_url_env", "key_env", "key_default", "embedded", "bills", "retired")
"""What is true of the other's own address, and would send its key elsewhere, or call real money play money."""


def heir(base: Mapping[str, JSON], own: Mapping[str, JSON]) -> dict[str, JSON]:
    """What *own* stands for where it is based on *base*; both keep their order, the base's first."""
    left = (*_OF_THE_FILE, *_OF_THE_ADDRESS) if "base_url" in own else _OF_THE_FILE
    return _over({name: value for name, value in base.items() if name not in left}, own)


def _over(base: Mapping[str, JSON], own: Mapping[str, JSON]) -> dict[str, JSON]:
    """*own* over *base*: mappings are merged, all else is replaced."""
    merged = dict(base)
    for name, value in own.items():
        below = merged.get(name)
        merged[name] = _over(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return merged
