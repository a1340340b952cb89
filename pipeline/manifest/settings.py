"""What an entry asks for once everybody was heard: the entry, then `defaults`, then the profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.manifest.document import Entry, Path
from pipeline.manifest.placing import Placing
from pipeline.model import JSON, NOTHING, Profile

SETTINGS = ("model", "seconds", "size")
OUTPUT_PATH: Path = ("output", "path")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all entries of a manifest stand on."""

    profile_name: str
    profile: Profile | None
    """`None`: there is no such profile, which is an issue already."""
    placing: Placing | None
    """`None`: the output template cannot be used, which is an issue already."""
    placing_stated: bool = False
    """The manifest says where videos go; else it is our default."""
    defaults: Mapping[str, JSON] = field(default_factory=lambda: NOTHING)
    vars: Mapping[str, JSON] = field(default_factory=lambda: NOTHING)
    allow_unknown: bool = False
    allow_large: bool = False

    def base(self) -> Mapping[str, Any]:
        """What an entry that states nothing has; a name that is missing is one that nobody says."""
        profile = self.profile
        own = {} if profile is None else {name: getattr(profile, f"default_{name}") for name in SETTINGS}
        stated = {name: value for name, value in own.items() if value not in (None, "")}
        return {"takes": 1, "group": "", **stated, **self.defaults}

    def where(self, entry: Entry, fields: Mapping[str, Any], name: str, part: str = "") -> Path:
        """Where the value of *name* (or its *part*) was written; the entry, where the profile says it."""
        below = (name, part) if part else (name,)
        own, common = fields.get(name), self.defaults.get(name)
        if own is not None and (not part or part in own):
            return (*entry.path, *below)
        return entry.path if common is None else ("defaults", *below)

    def merged(self, fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """`params` or `meta`: the defaults' names, with the entry's own over them."""
        own, common = fields.get(name, NOTHING), self.defaults.get(name)
        if not isinstance(common, dict):
            return own or NOTHING
        return {**common, **own} if own else common
