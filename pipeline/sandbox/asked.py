"""What another server is asked for, by our names: the way back from `providers.videos_submit`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipeline.model import JSON
from pipeline.profile import Profile
from pipeline.wire import Sent

_OURS: Final[Mapping[str, str]] = {
    "prompt": "prompt",
    "model": "model",
    "seconds": "seconds",
    "size": "size",
    "reference": "input_reference",
}
"""By word of `Wire.fields`: the name of a submit's field in our own API."""


def asked(fields: Mapping[str, JSON], profile: Profile, *, new: bool) -> dict[str, JSON]:
    """*fields* of a submit under our names and in our forms, without the profile's constants.

    *new*: of a video that builds on no other; what the profile never sends is its default then. A name of ours that
    is none of theirs is passed over, as there.
    """
    wire = profile.wire
    theirs = {how.name: word for word, how in wire.fields.items() if how.name and how.form != "sides"}
    found: dict[str, JSON] = _never_sent(profile) if new else {}
    for name, value in _joined(fields, wire.fields["size"]).items():
        if name in theirs:
            found[_OURS[theirs[name]]] = _as_text(value, wire.fields[theirs[name]])
        elif name not in wire.constants and (name not in _OURS.values() or _is_joined(name, wire.fields["size"])):
            found[name] = value
    return found


def _never_sent(profile: Profile) -> dict[str, JSON]:
    defaults: Mapping[str, object] = {
        "model": profile.default_model,
        "seconds": profile.default_seconds,
        "size": profile.default_size,
    }
    return {name: str(value) for name, value in defaults.items() if value and not profile.wire.fields[name].name}


def _is_joined(name: str, how: Sent) -> bool:
    return name == "size" and how.form == "sides"


def _joined(fields: Mapping[str, JSON], how: Sent) -> Mapping[str, JSON]:
    """*fields* with one size in the place of two sides, where these are sent."""
    if how.form != "sides":
        return fields
    rest = {name: value for name, value in fields.items() if name not in ("width", "height", "size")}
    sides = [fields[name] for name in ("width", "height") if name in fields]
    return rest | ({"size": "x".join(map(str, sides))} if sides else {})


def _as_text(value: JSON, how: Sent) -> JSON:
    """A number as the text that our API has; what is none stays, and is refused there."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:g}" if is_number and how.form in ("integer", "number") else value
