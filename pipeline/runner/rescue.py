"""The last resort: an answer that the ledger does not take is said aloud and kept in another folder."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import LedgerBroken
from pipeline.ledger.records import stamp
from pipeline.ledger.spill import Spilled, spill
from pipeline.ledger.state import Attempt
from pipeline.plan import Step
from pipeline.progress import Kind
from pipeline.runner.board import Board

NOTHING_MADE = ""
"""In the place of a video's id: the POST made nothing, or was never sent."""


@contextmanager
def rescued(board: Board, step: Step, made: str | None) -> Iterator[None]:
    """What the job's latest POST came to is written down in this block; where the ledger breaks, it is kept elsewhere.

    *made* is the video's id, or `NOTHING_MADE`; `None`: not known, so there is nothing to keep.
    """
    attempt = board.job(step.job.key).attempts[-1]
    try:
        yield
    except LedgerBroken:
        if made is not None:
            _keep(board, step, attempt, made)
        raise


def _keep(board: Board, step: Step, attempt: Attempt, video_id: str) -> None:
    header = board.ledger.state.header
    assert header is not None
    run, name = str(board.folder.path.resolve()), step.job.id
    row = Spilled(
        run=header.run,
        folder=run,
        job=step.job.key,
        id=name,
        attempt=attempt.number,
        key=attempt.idempotency_key,
        video_id=video_id,
        price=None if step.price is None else f"{step.price:f}",
        at=stamp(board.now()),
    )
    path = spill(row, board.spills, board.folder.disk)
    if video_id:
        kept = f"it is kept in {path}, and the next run adopts it" if path else "it could be kept nowhere: note it down"
        adopt = shlex.join(["vidbatch", "resolve", run, name, "--adopt", video_id])
        message = f"{name}: accepted as {video_id}, and the ledger could not be told: {kept}, or: {adopt}"
        board.notice("submit", message, urgent=True, kind=Kind.DISK)
