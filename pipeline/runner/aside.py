"""Unfit videos that a runner was killed over before it could put them aside."""

from __future__ import annotations

from pipeline.disk import words_of
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.state import JobState
from pipeline.lifecycle import State
from pipeline.progress import Notice, Observer
from pipeline.storage import RunFolder, is_unchanged


def put_aside_what_is_left(ledger: Ledger, folder: RunFolder, observer: Observer) -> None:
    """Move them out of the way of whoever reads the videos, as far as the disk lets us. Blocks."""
    stored = {job.path for job in ledger.state.jobs.values() if job.state is State.STORED}
    for job in ledger.state.jobs.values():
        if not job.is_unfit or job.path in stored:
            continue
        try:
            if is_unchanged(folder.video(job.path), job.bytes or 0, job.sha256):
                folder.put_aside(job.path, job.sha256)
        except OSError as error:
            observer(Notice(lane="media", message=f"{job.id}: {not_put_aside(job, error)}", urgent=True))


def not_put_aside(job: JobState, error: OSError) -> str:
    """Where an unfit video is, and why, in words."""
    return f"it is unfit and still at videos/{job.path}, since it cannot be put aside ({words_of(error)}): run again"
