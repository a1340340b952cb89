"""A provider as data: where it is, how to speak to it, what it takes and costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from pipeline.limits import Limits
from pipeline.wire import Rehearsal, Wire

if TYPE_CHECKING:
    from pipeline.model import SourceFile

_LIMITS = Limits()
_WIRE = Wire()
_REHEARSAL = Rehearsal()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOffer:
    """What a provider says about one of its models. Empty means: not known, anything goes."""

    seconds: tuple[int | float, ...] = ()
    sizes: tuple[str, ...] = ()
    price_per_second: Mapping[str, Decimal] = field(default_factory=dict)
    """By size; the size `*` stands for all others. Empty: the price is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """When to look at videos that are being rendered."""

    first_s: float = 10.0
    interval_s: float = 10.0
    interval_s_max: float = 30.0
    typical_s: float = 120.0
    """A usual render time, for estimates before we have seen one."""
    deadline_s: float = 3600.0
    """Without an end for so long, a job is stalled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A provider as data: where it is, how to speak to it, what it takes and costs."""

    name: str
    title: str
    dialect: str = "videos"
    base_url: str = ""
    """With the version segment, without a trailing slash: `https://api.example/v1`. Empty: started by us."""
    base_path: str = "/v1"
    """What an address that is only a host stands for."""
    base_url_env: tuple[str, ...] = ()
    key_env: tuple[str, ...] = ()
    key_default: str = ""
    """Used where no variable is set: for a server whose key is no secret."""
    wire: Wire = _WIRE
    """How it deviates from the shape that all share."""
    rehearsal: Rehearsal = _REHEARSAL
    """How the sandbox plays its part."""
    default_model: str = ""
    default_seconds: int | float | None = None
    default_size: str = ""
    models: Mapping[str, ModelOffer] = field(default_factory=dict)
    """By model name; the name `*` stands for all others. Without `*`, other models are refused here."""
    params: tuple[str, ...] | None = None
    """Further fields it takes; `None`: any."""
    status_words: Mapping[str, str] = field(default_factory=dict)
    """Words of its own, in lower case, to one of ours (`providers.base.Status`)."""
    retention_s: float = 3600.0
    """How long it keeps a finished video."""
    remixes: bool = False
    """A video of its own can be made again with another prompt."""
    extends: bool = False
    """A video of its own can be made to go on."""
    edits: bool = False
    """A video of its own can be changed by a prompt."""
    extensions_max: int | None = None
    length_s_max: float | None = None
    """So often, one after another; so long any video, with what it goes on from. `None`: not known, anything goes."""
    references: bool = False
    """It takes an image beside the prompt."""
    variants: tuple[str, ...] = ()
    """What it has of a finished video besides: `thumbnail`, `spritesheet`."""
    deletes: bool = False
    """A finished or failed video can be deleted there."""
    cancels: bool = False
    """So can one that is being rendered, which ends it."""
    lists: bool = False
    lists_linked: bool = False
    """Its list has what was made from another video too."""
    honours_keys: bool = False
    """A repeated Idempotency-Key is answered with the first submission."""
    honours_keys_linked: bool = False
    """So it is where the submission builds on another video too."""
    list_lag_s: float = 60.0
    """How long it may take until a video that was made is in the list."""
    keys_s: float = 86_400.0
    """How long it remembers an Idempotency-Key."""
    limits: Limits = _LIMITS
    pace: Pace = Pace()
    currency: str = "USD"
    prices_as_of: str = ""
    prices_source: str = ""
    bills: bool = True
    """False: its prices are for rehearsals, and nothing is ever charged."""
    retired: str = ""
    """The date since when its own address, or its maker's servers where it has none, no longer answer; empty while
    they do."""
    home: str = ""
    """The file that it was read from, of a person's own; empty: it came with vidbatch."""
    files: tuple[SourceFile, ...] = ()
    """That file, and those of a person's own that it is based on; the run folder keeps them."""
    embedded: bool = False
    """Started by vidbatch itself, on loopback, when no address is given."""

    def offer(self, model: str) -> ModelOffer | None:
        """What is known of *model*; `None` where the provider does not take it."""
        return self.models.get(model) or self.models.get("*")
