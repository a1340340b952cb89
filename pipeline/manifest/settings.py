"""What the entries of a file stand on, and what one of them asks for once everybody was heard.

Who is heard, the later over the earlier: the profile, `defaults`, a chain's source, the entry, its data row, its cell
of the matrix, `--set`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from pipeline.manifest.document import Path, Place
from pipeline.manifest.placing import Placing
from pipeline.model import JSON, NOTHING
from pipeline.profile import Profile

SETTINGS = ("model", "seconds", "size")
OUTPUT_PATH: Path = ("output", "path")
KEPT: Final[Mapping[str, Sequence[str]]] = {
    "remix_of": SETTINGS,
    "extend_of": ("model", "size"),
    "edit_of": SETTINGS,
}
"""By what names its source, the settings that a video has from that, whatever is asked for."""


def link_in(fields: Mapping[str, Any]) -> str:
    """The one of *fields* that names a source; empty: none does."""
    if KEPT.keys().isdisjoint(fields):
        return ""
    return next(name for name in KEPT if name in fields)


_BY_NAME: Final = ("params", "meta", "vars")
_ALTERNATIVES: Final = {
    name: tuple(other for other in one_of if other != name)
    for one_of in (("prompt", "prompt_file"), tuple(KEPT))
    for name in one_of
}
"""Each goes over these others: there is one of them."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What all entries of a file stand on."""

    profile_name: str
    profile: Profile | None
    """`None`: there is no such profile, which is an issue already."""
    placing: Placing | None
    """`None`: the output template cannot be used, which is an issue already."""
    output_place: Place | None = None
    """Where the manifest says where videos go; `None`: it is our default."""
    defaults: Mapping[str, JSON] = field(default_factory=lambda: NOTHING)
    vars: Mapping[str, JSON] = field(default_factory=lambda: NOTHING)
    wrong: frozenset[str] = frozenset()
    """What might have been said around the entries, and was left out: variables by name, or whatever there is."""
    allow_unknown: bool = False
    allow_large: bool = False

    @cached_property
    def base(self) -> Mapping[str, Any]:
        """What an entry that states nothing has; a name that is missing is one that nobody says."""
        profile = self.profile
        own = {} if profile is None else {name: getattr(profile, f"default_{name}") for name in SETTINGS}
        stated = {name: value for name, value in own.items() if value not in (None, "")}
        return {"takes": 1, "group": "", **stated, **self.defaults}


def over(below: Mapping[str, Any], above: Mapping[str, Any]) -> Mapping[str, Any]:
    """*below*, with what *above* states in its place: `params`, `meta` and `vars` name by name."""
    if not above:
        return below
    result = {**below, **above}
    for name in _BY_NAME:
        if name in above and name in below:
            result[name] = {**below[name], **above[name]}
    for name, others in _ALTERNATIVES.items():
        if name in above:
            for other in others:
                if other in below and other not in above:
                    result.pop(other, None)
    return result
