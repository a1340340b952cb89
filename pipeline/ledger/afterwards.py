"""What follows after `stored`, as notes of the ledger: what a video was found to be, pictures beside it, and that it
was deleted where it was.

A note's text is for people and old versions; these hold a JSON object, and one that does not is passed over: what
it told is asked for once more, and nothing is bought on the strength of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pipeline.ledger.fields import DELETED, MEDIA, ORPHANED, VARIANT
from pipeline.ledger.media import Media, media_of
from pipeline.ledger.state import JobState, Picture


def picture_note(key: str, name: str, picture: Picture) -> str:
    """The text of a `VARIANT` note: the picture *name* of the job with this *key* is here, durably."""
    told = {slot: getattr(picture, slot) for slot in Picture.__slots__}
    return _compact({"job": key, "variant": name, **told})


def deleted_note(job: JobState) -> str:
    """The text of a `DELETED` note: the provider has deleted the job's video, or had not got it any more."""
    return _compact({"job": job.key, "video_id": job.video_id})


def orphaned_note(key: str, *, orphaned: bool) -> str:
    """The text of an `ORPHANED` note: the manifest that is run does not ask for that job any more, or does again."""
    return _compact({"job": key, "orphaned": orphaned})


def media_note(job: JobState, media: Media) -> str:
    """The text of a `MEDIA` note: what the stored file of *job* was found to be."""
    return _compact({"job": job.key, "sha256": job.sha256, **media.as_fields()})


def take_note(jobs: Mapping[str, JobState], what: str, text: str, at: datetime) -> None:
    """Take in what a note tells of one of *jobs*; most tell nothing of any."""
    take = _TAKES.get(what)
    if take is None:
        return
    try:
        told = json.loads(text)
        job = jobs[told["job"]]
        take(job, told, at)
    except (ValueError, KeyError, TypeError, RecursionError):
        return


def _take_picture(job: JobState, told: Mapping[str, Any], _: datetime) -> None:
    name, path, sha256 = (_text(told[field]) for field in ("variant", "path", "sha256"))
    size = told["bytes"]
    if type(size) is not int:
        raise TypeError("a length is a whole number")
    picture = Picture(video_id=_text(told["video_id"]), path=path, bytes=size, sha256=sha256)
    job.pictures = {**job.pictures, name: picture}


def _take_deletion(job: JobState, told: Mapping[str, Any], at: datetime) -> None:
    job.deleted_id = _text(told["video_id"])
    if job.is_deleted:
        job.expires_at = at


def _take_orphan(job: JobState, told: Mapping[str, Any], _: datetime) -> None:
    job.orphaned = told["orphaned"] is True


def _take_media(job: JobState, told: Mapping[str, Any], _: datetime) -> None:
    media = media_of(told)
    if _text(told["sha256"]) == job.sha256:
        job.media = media


def _compact(told: Mapping[str, Any]) -> str:
    """In as few characters as can be: a note's text is bounded, and an id may be long."""
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


_TAKES: Mapping[str, Callable[[JobState, Mapping[str, Any], datetime], None]] = {
    VARIANT: _take_picture,
    DELETED: _take_deletion,
    MEDIA: _take_media,
    ORPHANED: _take_orphan,
}
