"""What is written beside a video: all that is needed to say where it came from, and to ask for it again."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pipeline.ledger.claims import in_all
from pipeline.ledger.deviation import deviation
from pipeline.ledger.records import stamp
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import Attempt, JobState
from pipeline.model import JSON
from pipeline.storage import Artifact
from pipeline.version import __version__

FORMAT = 1
"""Stays while fields are only added: who reads a sidecar ignores what he does not know, as `part` does."""


def sidecar(job: JobState, artifact: Artifact, run: RunState) -> dict[str, JSON]:
    """The document that `schemas/sidecar.schema.json` describes."""
    assert run.header is not None
    media = artifact.media
    return {
        "format": FORMAT,
        "generator": f"vidbatch {__version__}",
        "run": run.header.run,
        "provider": run.header.provider,
        "id": job.id,
        "key": job.key,
        "request": _request(job),
        **_built_on(job, run),
        "group": job.wish.group,
        "axes": dict(job.wish.axes),
        "meta": dict(job.wish.meta),
        "video_id": job.video_id,
        "origin": job.origin,
        "reply": dict(job.raw),
        "attempts": [_attempt(attempt) for attempt in job.attempts],
        "timings": {
            "submitted_at": _time(job.submitted_at),
            "accepted_at": _time(job.accepted_at),
            "finished_at": _time(job.finished_at),
            "expires_at": _time(job.expires_at),
        },
        "cost": _money(job.cost),
        "currency": run.header.currency,
        "file": artifact.path.rpartition("/")[2],
        "bytes": artifact.bytes,
        "sha256": artifact.sha256,
        "media": {
            "seconds": media.seconds,
            "width": media.width,
            "height": media.height,
            "codec": media.codec,
            "frames": media.frames,
            "c2pa": media.c2pa,
        },
        "differs": list(deviation(in_all(job, run), seconds=media.seconds, size=f"{media.width}x{media.height}")),
        "digital_source_type": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    }


def _built_on(job: JobState, run: RunState) -> dict[str, JSON]:
    """The video and the image that it was made from, where it was."""
    wish = job.wish
    told: dict[str, JSON] = {}
    if wish.source:
        source = run.jobs.get(wish.source)
        told["source"] = {
            "key": wish.source,
            "id": source.id if source else "",
            "link": wish.link,
            "video_id": job.attempts[-1].made_from if job.attempts else "",
        }
    if wish.reference:
        told["reference"] = dict(wish.reference)
    return told


MAPPINGS = ("params", "axes", "meta")
"""The columns of a row that hold names and values as a person wrote them."""


def metadata_row(job: JobState) -> dict[str, JSON]:
    """A stored job's row of `videos/metadata.jsonl`: `file_name` is what Hugging Face's VideoFolder looks for.

    It takes every column whose name ends in `_file_name` for one of videos, so no picture stands in such a one.
    """
    wish = job.wish
    return {
        "file_name": job.path,
        "id": job.id,
        "key": job.key,
        "text": wish.prompt,
        "model": wish.model,
        "seconds": wish.seconds,
        "size": wish.size,
        "group": wish.group,
        "take": wish.take,
        "params": dict(wish.params),
        "axes": dict(wish.axes),
        "meta": dict(wish.meta),
        "source": wish.source or None,
        "link": wish.link or None,
        "reference": wish.reference.get("sha256"),
        "sha256": job.sha256,
        "bytes": job.bytes,
        "orphaned": job.orphaned,
        "variants": {name: picture.path for name in job.pictures if (picture := job.picture(name))} or None,
    }


def _request(job: JobState) -> dict[str, JSON]:
    wish = job.wish
    return {
        "prompt": wish.prompt,
        "model": wish.model,
        "seconds": wish.seconds,
        "size": wish.size,
        "params": dict(wish.params),
        "take": wish.take,
    }


def _attempt(attempt: Attempt) -> dict[str, JSON]:
    return {
        "number": attempt.number,
        "submitted_at": _time(attempt.submitted_at),
        "ended_at": _time(attempt.ended_at),
        "outcome": None if attempt.outcome is None else str(attempt.outcome),
        "reason": attempt.reason,
        "price": _money(attempt.price),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)


def _money(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
