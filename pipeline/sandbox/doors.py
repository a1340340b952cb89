"""Which calls a server in some dress has, and where they go. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pipeline.profile import Profile

_METHODS: Final = {"list": "GET", "look": "GET", "content": "GET", "delete": "DELETE"}
"""All others are POSTs."""
_ORDER: Final = ("submit", "extend", "edit", "remix", "list", "look", "delete", "content")
"""Paths without an id before those that have one in the same place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One call of a server."""

    call: str
    method: str
    path: str
    """With `{id}` for the id of a video."""

    @property
    def pattern(self) -> re.Pattern[str]:
        """Whether a path leads here."""
        return re.compile(re.escape(self.path).replace(r"\{id\}", "[^/]+"))


def doors(profile: Profile) -> tuple[Door, ...]:
    """The calls that the server of *profile* has. A list is always among them: whether it is offered is a setting."""
    offered = {call for call, has in _has(profile).items() if has}
    return tuple(
        Door(call=call, method=_METHODS.get(call, "POST"), path=profile.base_path + profile.wire.paths[call])
        for call in _ORDER
        if call in offered
    )


def _has(profile: Profile) -> dict[str, bool]:
    wire, asks = profile.wire, profile.dialect == "responses"  # there, results are asked for by another submit
    return {
        "submit": True,
        "list": True,
        "remix": profile.remixes,
        "extend": profile.extends,
        "edit": profile.edits,
        "look": (wire.looks == "status" or (wire.content != "bytes" and wire.content_in == "look")) and not asks,
        "content": bool(wire.content == "bytes" or wire.content_in == "content" or profile.variants) and not asks,
        "delete": profile.deletes or profile.cancels,
    }
