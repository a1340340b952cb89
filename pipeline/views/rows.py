"""A job as everybody who looks at a run sees it: one flat value, made from the ledger alone.

The status table, `--where`, `show`, the gallery and the datasets all read rows, so that a name means the same in each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pipeline.ledger.claims import in_all
from pipeline.ledger.deviation import deviation
from pipeline.ledger.media import Media
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState
from pipeline.lifecycle import State
from pipeline.model import JSON

VIDEOS = "videos"
"""The folder of the videos, below the run folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One job of a run. Times are aware; what is not known is `None`, an empty text or an empty mapping."""

    id: str
    key: str
    state: State
    group: str
    take: int
    prompt: str
    model: str
    seconds: int | float
    """As asked for, of the whole video: an extension's begins with its source's."""
    size: str
    params: Mapping[str, JSON]
    axes: Mapping[str, JSON]
    meta: Mapping[str, JSON]
    source: str
    """The id of the job whose video it builds on."""
    link: str
    """How it does that: `remix`, `extend` or `edit`."""
    reference: str
    """The SHA-256 of the image that was sent along."""
    provider: str
    origin: str
    video_id: str
    path: str
    """Of the stored video, below the run folder, with `/`; empty where there is none."""
    bytes: int | None
    sha256: str
    cost: Decimal | None
    """What its submits cost, or may have; `None`: not known."""
    currency: str
    submits: int
    reason: str
    code: str
    submitted_at: datetime | None
    accepted_at: datetime | None
    finished_at: datetime | None
    stored_at: datetime | None
    expires_at: datetime | None
    changed_at: datetime | None
    media_seconds: float | None
    media_size: str
    media: Media | None
    """What the video was found to be when it was decoded; `None`: it is not here, or was not yet."""
    differs: Mapping[str, str]
    """What of the stored video is not as asked for, by the name of the setting, in words."""
    variants: Mapping[str, str]
    """The pictures beside it, by name, below the run folder."""
    deleted_remote: bool
    orphaned: bool = False
    """The manifest that was run last asks for it no longer: its prompt was edited, or its entry is gone."""

    @property
    def amiss(self) -> tuple[str, ...]:
        """What is not as it should be with the stored video: not as asked for, or wrong in itself; in words."""
        return (*self.differs.values(), *(self.media.problems if self.media else ()))

    @property
    def render_s(self) -> float | None:
        """From the accepted submit to the finished video."""
        if self.accepted_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.accepted_at).total_seconds()


def rows_of(state: RunState) -> Iterator[Row]:
    """The rows of a run, in the order in which its jobs were first planned."""
    for job in state.jobs.values():
        yield row_of(job, state)


def row_of(job: JobState, state: RunState) -> Row:
    """The row of one job of *state*."""
    header, wish, stored = state.header, job.wish, job.state is State.STORED
    whole = in_all(job, state)
    source = state.jobs.get(wish.source)
    return Row(
        id=job.id,
        key=job.key,
        state=job.state,
        group=wish.group,
        take=wish.take,
        prompt=wish.prompt,
        model=wish.model,
        seconds=whole.seconds,
        size=wish.size,
        params=wish.params,
        axes=wish.axes,
        meta=wish.meta,
        source=source.id if source else "",
        link=wish.link,
        reference=str(wish.reference.get("sha256", "")),
        provider=header.provider if header else "",
        origin=job.origin,
        video_id=job.video_id,
        path=f"{VIDEOS}/{job.path}" if stored else "",
        bytes=job.bytes if stored else None,
        sha256=job.sha256 if stored else "",
        cost=job.cost,
        currency=header.currency if header else "",
        submits=job.submits,
        reason=job.reason,
        code=job.code,
        submitted_at=job.submitted_at,
        accepted_at=job.accepted_at,
        finished_at=job.finished_at,
        stored_at=job.stored_at,
        expires_at=job.expires_at,
        changed_at=job.changed_at,
        media_seconds=job.media_seconds if stored else None,
        media_size=job.media_size if stored else "",
        media=job.media if stored else None,
        differs=deviation(whole, seconds=job.media_seconds, size=job.media_size) if stored else {},
        variants={name: f"{VIDEOS}/{picture.path}" for name in job.pictures if (picture := job.picture(name))},
        deleted_remote=job.is_deleted,
        orphaned=job.orphaned,
    )
