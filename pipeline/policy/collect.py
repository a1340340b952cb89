"""The collect lane's rows: fetching is free, but what is fetched expires."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from pipeline.errors import ArtifactError, Misled, NotAVideo, ProviderError, Untrusted
from pipeline.lifecycle import Fact
from pipeline.pacing import retry_after_s
from pipeline.policy.verdict import Backoff, Stop, Verdict, pause_after, words_of
from pipeline.providers.base import Problem, Refusal

WRONG_CONTENT_TRIES = 8
"""So often a whole download may turn out to be no video, before it is left to a later run."""
FETCH_S_MIN, FETCH_S_MAX = 600.0, 86_400.0
"""So long a run tries for a video: at least, whatever the clocks say; at most, whatever the provider promises."""
LAST_TRY_S = 15.0
"""So long before its end a video is tried for once more, however long the wait would be otherwise."""
WHOLE_S_MIN, BYTES_PER_S_MIN = 600.0, 50_000
"""A download has so long at least, and so much longer as it brings at least so many bytes a second."""
UNANNOUNCED_BYTES = 90_000_000
"""What does not say how long it is, is taken to be so long."""
NO_CONTENT_TRIES = 3
NEW_LINKS = 3
"""So often a new link is asked for, where whoever keeps the content refuses the old one."""
ABSENT_PATIENCE = 100.0
"""So much longer is the wait after "not there": a gateway's store may lag behind its own status by minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetches:
    """What the collect lane has been through with one video, in this run."""

    tries: int = 0
    """Tries that ended without the whole video, before this one."""
    absent: int = 0
    """Of these, answers that the content is not there."""
    wrong: int = 0
    """Of these, whole downloads that were no video."""
    links: int = 0
    """Of these, links that were refused where they led."""

    def after(self, outcome: NoVideo) -> Fetches:
        """The same with one more."""
        problem = outcome.problem if isinstance(outcome, Refusal) else None
        return Fetches(
            tries=self.tries + 1,
            absent=self.absent + (problem is Problem.UNKNOWN_ID),
            wrong=self.wrong + isinstance(outcome, NotAVideo),
            links=self.links + (problem is Problem.STALE_LINK),
        )


NoVideo: TypeAlias = Refusal | ProviderError | ArtifactError | OSError
"""What a download came to instead; an `OSError` is our own disk's."""


def fetching_s(kept_s: float) -> float:
    """How long to try for a video that the provider keeps for so long, by its word and the wall clock."""
    return min(max(kept_s, FETCH_S_MIN), FETCH_S_MAX)


def whole_s(length: int | None) -> float:
    """How long a download of so many bytes may take in all; `None`: not announced."""
    return max(WHOLE_S_MIN, (UNANNOUNCED_BYTES if length is None else length) / BYTES_PER_S_MIN)


def after_fetch(
    outcome: NoVideo, fetches: Fetches, *, left_s: float, kept_s: float, backoff: Backoff, now: datetime, spread: float
) -> Verdict:
    """What a download that did not end with a video means, *left_s* before its time is up.

    The provider should keep it for *kept_s* yet, by its word and the wall clock.
    """
    reason = words_of(outcome)
    give_up = Verdict(fact=Fact.DOWNLOAD_FAILED, reason=reason)
    end_s = left_s - LAST_TRY_S if left_s > LAST_TRY_S else left_s
    wait_s = min(pause_after(backoff, fetches.tries + 1, spread), end_s)  # one more try just before the end
    again = Verdict(fact=None, reason=reason, again_s=wait_s) if left_s > 0 else give_up
    if isinstance(outcome, Refusal):
        return _after_refused_fetch(outcome, fetches, again, left_s=left_s, kept_s=kept_s, backoff=backoff, now=now)
    if isinstance(outcome, Untrusted):
        return replace(give_up, stop=Stop.RUN)
    if isinstance(outcome, Misled):
        return give_up
    if isinstance(outcome, NotAVideo) and fetches.wrong + 1 >= WRONG_CONTENT_TRIES:
        return give_up
    return replace(again, stop=Stop.SUBMITS) if isinstance(outcome, OSError) else again


def _after_refused_fetch(
    outcome: Refusal, fetches: Fetches, again: Verdict, *, left_s: float, kept_s: float, backoff: Backoff, now: datetime
) -> Verdict:
    match outcome.problem:
        case Problem.BAD_KEY:
            return Verdict(fact=None, reason=again.reason, stop=Stop.RUN)
        case Problem.GONE:
            return Verdict(fact=Fact.EXPIRED, reason=again.reason)
        case Problem.FAILED:  # its word on what it called finished: believed for good when it would be gone anyway
            return Verdict(fact=_given_up(kept_s), reason=again.reason)
        case Problem.UNKNOWN_ID if fetches.absent + 1 >= NO_CONTENT_TRIES:
            return Verdict(fact=_given_up(kept_s), reason=again.reason)
        case Problem.UNKNOWN_ID:
            again_s = ABSENT_PATIENCE * pause_after(backoff, fetches.absent + 1, 1.0)  # five minutes, and no less
            return Verdict(fact=None, reason=again.reason, again_s=again_s)
        case Problem.THROTTLED:
            asked_s = retry_after_s(outcome.retry_after, now=now) or 0.0
            return replace(again, pause_s=min(asked_s, max(left_s, 0.0)))
        case Problem.STALE_LINK if fetches.links >= NEW_LINKS:
            return Verdict(fact=_given_up(kept_s), reason=again.reason)
        case Problem.WRONG_ADDRESS:
            return Verdict(fact=Fact.DOWNLOAD_FAILED, reason=again.reason)
        case _:
            return again


def _given_up(kept_s: float) -> Fact:
    """What a video is that is said not to be there. While it should be kept a later run asks again: a store may lag,
    and another account knows no id of ours.
    """
    return Fact.DOWNLOAD_FAILED if kept_s > 0.0 else Fact.EXPIRED
