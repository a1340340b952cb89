"""Unfit videos that a runner was killed over before it could put them aside."""

from __future__ import annotations

from pipeline.ledger.ledger import Ledger
from pipeline.lifecycle import State
from pipeline.storage import RunFolder, is_unchanged


def put_aside_what_is_left(ledger: Ledger, folder: RunFolder) -> None:
    """Move them out of the way of whoever reads the videos. Blocks. Raises `OSError`."""
    stored = {job.path for job in ledger.state.jobs.values() if job.state is State.STORED}
    for job in ledger.state.jobs.values():
        if job.is_unfit and job.path not in stored and is_unchanged(folder.video(job.path), job.bytes or 0, job.sha256):
            folder.put_aside(job.path, job.sha256)
