"""What observers are told of a job."""

from __future__ import annotations

from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState
from pipeline.lifecycle import State
from pipeline.progress import Moved


def moved(job: JobState, was: State, run: RunState) -> Moved:
    """That *job* has left the state in which it *was*."""
    return Moved(
        id=job.id,
        key=job.key,
        was=was,
        state=job.state,
        spent=run.spent,
        unpriced=run.unpriced,
        reason=job.reason,
        path=job.path if job.state is State.STORED else "",
        video_id=job.video_id or "",
    )
