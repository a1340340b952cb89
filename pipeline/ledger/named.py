"""Which job a person means by a word: its id, or the first digits of its key."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.errors import UsageError
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState

KEY_DIGITS_MIN = 6
_SHOWN_MAX = 5


def of_id(state: RunState, name: str) -> list[JobState]:
    """The jobs of this id: an edited manifest gives one again."""
    return [job for job in state.jobs.values() if job.id == name]


def of_key(state: RunState, name: str) -> list[JobState]:
    """The jobs whose key begins so; of too few digits none."""
    if len(name) < KEY_DIGITS_MIN:
        return []
    return [job for job in state.jobs.values() if job.key.startswith(name.lower())]


def demand_one(name: str, found: Sequence[JobState]) -> None:
    """Raise `UsageError` where *name* may be any of several."""
    if len(found) > 1:
        shown = ", ".join(f"{job.id} ({job.key[:12]})" for job in found[:_SHOWN_MAX])
        raise UsageError(f"'{name}' may be any of {len(found)} jobs: {shown}; give more digits of the key")
