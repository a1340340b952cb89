"""Who may still need a stored video at the provider: what builds on it, and whoever was given the same id."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from pipeline.ledger.state import JobState
from pipeline.lifecycle import State
from pipeline.model import Job
from pipeline.policy.aftercare import needs_source
from pipeline.runner.board import Board


class Heirs:
    """The jobs that build on others, of the manifest and of the ledger."""

    def __init__(self, asked: Iterable[Job], board: Board) -> None:
        self._board = board
        self._heirs: dict[str, dict[str, bool]] = defaultdict(dict)
        """By key of the source: their keys, and whether the manifest asks for them."""
        known = board.ledger.state.jobs
        for key, state in known.items():
            if state.wish.source:
                self._heirs[state.wish.source][key] = False
        for job in asked:
            if job.source:
                self._heirs[job.source][job.key] = True
        ids = Counter(state.video_id for state in known.values() if state.video_id)
        board.shared.update(video_id for video_id, count in ids.items() if count > 1)

    def need(self, job: JobState) -> bool:
        """Whether the job's video has to stay at the provider, as far as we know."""
        jobs = self._board.ledger.state.jobs
        if job.video_id in self._board.shared:
            return True
        heirs = self._heirs.get(job.key, {})
        states = ((jobs[key].state if key in jobs else State.PENDING, wanted) for key, wanted in heirs.items())
        return any(needs_source(state, wanted=wanted) for state, wanted in states)
