"""What the records of a run add up to, job by job. Owned by the ledger; everybody else only reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from pipeline.ledger.media import Media
from pipeline.lifecycle import Fact, State
from pipeline.model import JSON, NOTHING, Job, Reference


def _nothing() -> Mapping[str, JSON]:
    return NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Who runs this, as the latest invocation said."""

    format: int
    """Which records may follow it: `fields.FORMAT` of the vidbatch that wrote it."""
    run: str
    """32 hex digits, minted once for the run folder."""
    version: str
    """Of the vidbatch that wrote it."""
    provider: str
    origin: str
    """The base URL that ids belong to."""
    currency: str
    name: str
    retention_s: float | None = None
    """How long the provider keeps a finished video, where known."""


class Wish(NamedTuple):
    """What was asked for: what the job's key is the hash of, and what is kept beside the video.

    A tuple and not a dataclass: replay makes one for every plan.
    """

    prompt: str
    model: str
    seconds: int | float
    size: str
    params: Mapping[str, JSON] = NOTHING
    group: str = ""
    take: int = 1
    axes: Mapping[str, JSON] = NOTHING
    meta: Mapping[str, JSON] = NOTHING
    source: str = ""
    """The key of the job whose video it builds on; empty: it stands alone."""
    link: str = ""
    """How it does that: `model.Link`."""
    reference: Mapping[str, JSON] = NOTHING
    """The image that is sent along: the fields of `model.Reference`; empty: none."""

    def as_fields(self) -> dict[str, Any]:
        """The object that a record holds. What a wish builds on stands in it only where it does."""
        fields = self._asdict()
        if not self.source:
            del fields["source"], fields["link"]
        if not self.reference:
            del fields["reference"]
        return fields


def wish_of(job: Job) -> Wish:
    """What *job* asks for."""
    return Wish(
        prompt=job.prompt,
        model=job.model,
        seconds=job.seconds,
        size=job.size,
        params=dict(job.params),
        group=job.group,
        take=job.take,
        axes=dict(job.axes),
        meta=dict(job.meta),
        source=job.source,
        link="" if job.link is None else job.link.value,
        reference=NOTHING if job.reference is None else _fields_of(job.reference),
    )


@lru_cache
def _fields_of(reference: Reference) -> Mapping[str, JSON]:
    """One object for all jobs that share an image."""
    return {slot: getattr(reference, slot) for slot in Reference.__slots__}


def reference_of(wish: Wish) -> Reference | None:
    """The image that *wish* sends along; `None`: none. Raises `TypeError` for what is none."""
    if not wish.reference:
        return None
    fields = {name: value for name, value in wish.reference.items() if isinstance(value, str)}
    if len(fields) < len(wish.reference):
        raise TypeError("a field is no text")
    return Reference(**fields)


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One numbered try to submit a job."""

    number: int
    price: Decimal | None
    submitted_at: datetime
    """When its intent was written, just before the POST."""
    origin: str
    """The base URL that it was sent to; where an accepted id is known."""
    idempotency_key: str = ""
    body_sha256: str = ""
    made_from: str = ""
    """The provider's id of the source's video, as it was sent; empty: it builds on none."""
    video_id: str = ""
    """What was accepted; kept when a later attempt begins, so that nobody takes this video for another's."""
    ended_at: datetime | None = None
    """When the answer, or the lack of one, was written."""
    outcome: Fact | None = None
    """The latest fact about the POST itself; `None` while it may be under way."""
    reason: str = ""
    counts: bool = True
    """It was or may have been accepted, and so is money spent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A variant of a stored video, kept beside it."""

    video_id: str
    """The video that it shows: a later attempt has another."""
    path: str
    """Below `videos/`, with `/`."""
    bytes: int
    sha256: str


NO_PICTURES: Mapping[str, Picture] = MappingProxyType({})
"""One empty mapping for all jobs that have none."""


def _no_pictures() -> Mapping[str, Picture]:
    return NO_PICTURES


@dataclass(slots=True, kw_only=True, eq=False)
class JobState:
    """What the records say of one job."""

    key: str
    wish: Wish
    id: str
    path: str
    """Where the video is or is to go, below `videos/`. A stored file stays where it is whatever is planned later."""
    planned_path: str
    price: Decimal | None
    """Of the next attempt; `None` where not known."""
    state: State = State.PENDING
    attempts: list[Attempt] = field(default_factory=list)
    video_id: str = ""
    request_id: str = ""
    raw: Mapping[str, JSON] = field(default_factory=_nothing)
    """The provider's answer to the latest accepted POST, as it came, bounded."""
    word: str = ""
    """The provider's status, as it last wrote it."""
    progress: float | None = None
    accepted_at: datetime | None = None
    finished_at: datetime | None = None
    stored_at: datetime | None = None
    expires_at: datetime | None = None
    bytes: int | None = None
    sha256: str = ""
    etag: str = ""
    media_seconds: float | None = None
    media_size: str = ""
    media: Media | None = None
    """What the stored file was found to be when it was decoded; `None`: it was not examined yet."""
    reason: str = ""
    """Why it is in its state; empty where there is nothing to explain."""
    code: str = ""
    changed_at: datetime | None = None
    """When its latest fact was written."""
    pictures: Mapping[str, Picture] = field(default_factory=_no_pictures)
    """What was kept beside its video, by the variant's name; of an earlier attempt's video, too."""
    deleted_id: str = ""
    """The id of a video of its that the provider deleted since it was asked to."""
    orphaned: bool = False
    """The manifest that was run last asks for it no longer."""

    @property
    def attempt(self) -> int:
        """The number of the latest attempt; 0 before the first."""
        return len(self.attempts)

    @property
    def submitted_at(self) -> datetime | None:
        """When the latest attempt began."""
        return self.attempts[-1].submitted_at if self.attempts else None

    @property
    def origin(self) -> str:
        """The base URL that the latest attempt went to, and its video's id belongs to; empty before the first."""
        return self.attempts[-1].origin if self.attempts else ""

    @property
    def submits(self) -> int:
        """How many POSTs were or may have been accepted."""
        return sum(attempt.counts for attempt in self.attempts)

    @property
    def cost(self) -> Decimal | None:
        """What those POSTs cost, or may have; `None` where the price of one is not known."""
        total = Decimal(0)
        for attempt in self.attempts:
            if attempt.counts:
                if attempt.price is None:
                    return None
                total += attempt.price
        return total

    @property
    def is_deleted(self) -> bool:
        """Whether the provider has its video no more, since it was asked to delete it."""
        return bool(self.deleted_id) and self.deleted_id == self.video_id

    @property
    def is_unfit(self) -> bool:
        """Whether it was stored, and found unfit by a strict run: `path`, `bytes` and `sha256` are of that file."""
        return self.state is State.FAILED and bool(self.sha256)

    def picture(self, name: str) -> Picture | None:
        """The variant *name* of its latest video, where that was kept."""
        picture = self.pictures.get(name)
        return picture if picture is not None and picture.video_id == self.video_id else None

    def is_planned_as(self, *, id: str, path: str, price: Decimal | None, wish: Wish) -> bool:  # noqa: A002
        """Whether the latest plan said just this."""
        return (self.id, self.planned_path, self.price, self.wish) == (id, path, price, wish)

    def forget_video(self) -> None:
        """A new attempt begins: what was known of the last one's video is history."""
        self.video_id = self.request_id = self.word = self.code = ""
        self.progress = self.accepted_at = self.finished_at = self.expires_at = None
        self.raw = NOTHING
        self.forget_file()

    def forget_file(self) -> None:
        """There is no stored file any more, so the latest plan says where it goes."""
        self.path = self.planned_path
        self.bytes = self.stored_at = self.media_seconds = None
        self.sha256 = self.etag = self.media_size = ""
        self.media = None
