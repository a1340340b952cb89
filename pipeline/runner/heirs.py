"""Who may still need a stored video at the provider: what builds on it, and whoever was given the same id."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from pipeline.ledger.state import JobState
from pipeline.lifecycle import State
from pipeline.model import Job
from pipeline.policy.aftercare import needs_source


class Heirs:
    """The jobs that build on others, of the manifest and of the ledger."""

    def __init__(self, asked: Iterable[Job], known: Mapping[str, JobState], shared: set[str]) -> None:
        """*shared*: ids that more than one job was given; those of the *known* jobs are added here."""
        self._known = known
        self._shared = shared
        self._heirs: dict[str, dict[str, bool]] = defaultdict(dict)
        """By key of the source: their keys, and whether the manifest asks for them."""
        for key, state in known.items():
            if state.wish.source:
                self._heirs[state.wish.source][key] = False
        for job in asked:
            if job.source:
                self._heirs[job.source][job.key] = True
        ids = Counter(state.video_id for state in known.values() if state.video_id)
        shared.update(video_id for video_id, count in ids.items() if count > 1)

    def need(self, job: JobState) -> bool:
        """Whether the job's video has to stay at the provider, as far as we know."""
        return self.share(job) or self.build_on(job)

    def share(self, job: JobState) -> bool:
        """Whether another job was given the same id."""
        return job.video_id in self._shared

    def build_on(self, job: JobState) -> bool:
        """Whether something may still be made from its video, or just is."""
        known, heirs = self._known, self._heirs.get(job.key, {})
        states = ((known[key].state if key in known else State.PENDING, wanted) for key, wanted in heirs.items())
        return any(needs_source(state, wanted=wanted) for state, wanted in states)
