"""What of a video is not as it should be. A price was paid all the same: nothing is made anew for it by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.ledger.claims import in_all
from pipeline.ledger.media import SECONDS_APART
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState, Wish
from pipeline.lifecycle import State

GROUPS_MAX = 8
"""So many ways of being amiss are told apart."""
_PIXELS = re.compile(r"[1-9]\d*x[1-9]\d*", re.ASCII)


def deviation(wish: Wish, *, seconds: float | None, size: str) -> dict[str, str]:
    """What of a video of these *seconds* and of this *size* is not as in *wish*, by the name of the setting, in words.

    What is not known, as `None`, 0 or `0x0`, never deviates.
    """
    other = {}
    if _PIXELS.fullmatch(size) and _PIXELS.fullmatch(wish.size) and size != wish.size:
        other["size"] = f"it is {size}, not {wish.size}"
    if seconds and wish.seconds and abs(seconds - wish.seconds) > SECONDS_APART:
        other["seconds"] = f"it is {round(seconds, 1):g} s long, not {wish.seconds:g}"
    return other


def amiss(job: JobState, state: RunState) -> tuple[str, ...]:
    """What is not as it should be with the file of a stored job: not as asked for, or wrong in itself; in words."""
    return (*_differs(job, state), *(job.media.problems if job.media else ()))


def _differs(job: JobState, state: RunState) -> tuple[str, ...]:
    return (*deviation(in_all(job, state), seconds=job.media_seconds, size=job.media_size).values(),)


def unfitness(job: JobState, state: RunState) -> tuple[str, ...]:
    """What of that is proved, so that a strict run may refuse it: that nobody here can decode it proves nothing."""
    return () if job.media and job.media.decodes is None and not _differs(job, state) else amiss(job, state)


def is_judged(job: JobState) -> bool:
    """Whether its file was decoded, and found sound or not."""
    return job.media is not None and job.media.decodes is not None


def deviating(jobs: Iterable[JobState], state: RunState) -> dict[str, list[str]]:
    """The ids of those of *jobs* that are stored and not as they should be, by what is not, in words; the largest group
    first, and beyond the first few all others as one.
    """
    found: dict[str, list[str]] = {}
    for job in jobs:
        if job.state is State.STORED and (words := amiss(job, state)):
            found.setdefault("; ".join(words), []).append(job.id)
    groups = sorted(found.items(), key=lambda group: -len(group[1]))
    if len(groups) <= GROUPS_MAX:
        return dict(groups)
    others = [name for _, ids in groups[GROUPS_MAX - 1 :] for name in ids]
    return {**dict(groups[: GROUPS_MAX - 1]), "in other ways: see `differs` and `problems` in their sidecars": others}
