"""The values everything speaks in: frozen, parsed once, never a raw mapping again.

Money is `Decimal` in the profile's currency. Lengths are seconds, an `int` where whole. Times are aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from pipeline.limits import LimitsWish
from pipeline.profile import Profile

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

EMBEDDED = "embedded"
"""The origin of ids that the sandbox inside a run folder gave: its port changes, its videos do not."""

NOTHING: Mapping[str, JSON] = MappingProxyType({})
"""An empty mapping that many jobs can share."""


def _nothing() -> Mapping[str, JSON]:
    return NOTHING


VIDEO_ID_CHARS_MAX = 512
"""No server's id is longer (the longest we know has 138 characters); what is, is no id to build on."""


@dataclass(slots=True, kw_only=True, unsafe_hash=True)  # not frozen, as a `Job` is not
class Position:
    """A place in a file a person wrote. Lines and columns count from 1; columns count characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """What is wrong with a manifest, and where."""

    position: Position
    message: str
    """One sentence: what is wrong and, where we know it, what to write instead."""
    path: str = ""
    """Where in the document, as `jobs[3].seconds`; empty for the file as a whole."""
    code: str = "invalid"
    """The class of the issue, stable across versions: `unknown-key`, `wrong-type`, …"""
    source: str = ""
    """The line as written, for the caret; empty where there is none to show."""
    warning: bool = False
    """Reported, but does not stop the run."""
    more: int = 0
    """How many more issues of this kind there are, which are not told one by one."""


class Link(StrEnum):
    """How a job builds on its source's video."""

    REMIX = "remix"  # the same shot, changed by a new prompt
    EXTEND = "extend"  # goes on where the source ends
    EDIT = "edit"  # the source itself, with a part of it changed


def together_s(*lengths_s: float) -> int | float:
    """The sum of lengths as they are written: 1.1 and 2.2 are 3.3, whatever binary fractions make of them."""
    whole = sum((Decimal(str(length)) for length in lengths_s), Decimal(0))
    return int(whole) if whole == whole.to_integral_value() else float(whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An image that a video begins with or looks like."""

    name: str
    """As the manifest names it."""
    sha256: str
    """Of the file as it is."""
    media_type: str
    """`image/png`, `image/jpeg` or `image/webp`: of the bytes that are sent."""
    fit: str = ""
    """`crop` or `pad`: brought to the job's size like this before it is sent; empty: sent as it is."""


@dataclass(
    slots=True, kw_only=True
)  # not frozen, though nobody changes one: a million are made in a quarter of the time
class Job:
    """One video we owe."""

    key: str
    """32 hex digits: the hash of what would be asked for. Same wish, same key."""
    id: str
    """A readable label, unique in its manifest."""
    prompt: str
    model: str
    seconds: int | float
    size: str
    """Width x height in pixels, such as `1280x720`."""
    params: Mapping[str, JSON] = field(default_factory=_nothing)
    """Further fields, sent as they are."""
    take: int = 1
    """Counts from 1: the n-th video of the same wish."""
    group: str = ""
    axes: Mapping[str, JSON] = field(default_factory=_nothing)
    """The variables that set this job apart: matrix cells and the columns of its data row."""
    meta: Mapping[str, JSON] = field(default_factory=_nothing)
    """Kept beside the video, never sent."""
    path: str = ""
    """Where the video goes, relative to the run folder's `videos/`, with `/`."""
    source: str = ""
    """The key of the job whose video this one builds on; empty: it stands alone."""
    link: Link | None = None
    """How it does that."""
    reference: Reference | None = None
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderChoice:
    """The manifest's `provider:`, as written."""

    profile: str = "sandbox"
    base_url: str = ""
    """Overrides the profile's and the environment's; empty: not stated."""
    api_key_env: str = ""
    """The variable that holds the key; empty: the profile's."""
    price_per_second: Decimal | None = None
    """What the user's own contract says, for every model and size; `None`: the profile's prices."""
    options: Mapping[str, JSON] = field(default_factory=_nothing)
    """What only the embedded sandbox reads: `render_s`, `retention_s`, …, and `faults`."""
    position: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftercare:
    """What follows once a video is stored: the manifest's `output`, but for its path. No part of any job's key."""

    variants: tuple[str, ...] = ()
    """What is fetched besides and kept beside it: `thumbnail`, `spritesheet`."""
    delete_remote: bool = False
    """The provider is asked to delete it."""


NO_AFTERCARE = Aftercare()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file that was read to make the manifest; the run folder keeps it."""

    name: str
    """As the manifest names it; the manifest's own is its file name."""
    sha256: str
    content: bytes = field(default=b"", repr=False)
    path: Path | None = None
    """Where it is, of an image: thousands of them are not held. `None`: *content* is all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest that holds no issue, and the jobs it makes, in reading order."""

    name: str
    """The run's folder, portable."""
    provider: ProviderChoice
    profile: Profile
    limits: LimitsWish
    jobs: tuple[Job, ...]
    files: tuple[SourceFile, ...]
    """The manifest itself first."""
    aftercare: Aftercare = NO_AFTERCARE
    warnings: tuple[Issue, ...] = ()
    reading: Mapping[str, JSON] = field(default_factory=_nothing)
    """What was stated over it when it was read, by the names of `manifest.load.Wishes`; the run folder keeps it."""

    @property
    def sha256(self) -> str:
        """The digest of the manifest file itself, as 64 hex digits."""
        return self.files[0].sha256
