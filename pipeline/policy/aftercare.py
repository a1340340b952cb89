"""What a stored video still owes, and what an answer means. All of it is free, may fail, and can be done again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Protocol, TypeAlias

from pipeline.chains import Source, kept_until
from pipeline.errors import ProviderError, Truncated
from pipeline.lifecycle import FINAL, State
from pipeline.model import Aftercare
from pipeline.providers.base import Observation, Problem, Refusal, Status
from pipeline.signature import picture_suffix

TRIES = 3
"""So often a run asks for one thing, where nothing definite is answered."""
PICTURE_BYTES_MAX = 16 << 20
"""No thumbnail or sprite sheet of a short clip is larger."""


class NoPicture(Exception):
    """What came in a picture's place; the message says what."""


class Stored(Source, Protocol):
    """What is known of a job that is stored."""

    @property
    def is_deleted(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What one stored video still owes."""

    variants: tuple[str, ...] = ()
    deletion: bool = False

    def __bool__(self) -> bool:
        return bool(self.variants) or self.deletion


NOTHING_OWED = Owed()


def owed(
    job: Stored, wish: Aftercare, *, origin: str, now: datetime, retention_s: float, has: Callable[[str], bool]
) -> Owed:
    """What *job* owes by *wish*, in a run at *origin*; *has*: whether a variant of that name is here already.

    Nothing is asked for that the provider keeps no longer: there is nothing to be had, and nothing to be deleted.
    """
    if job.state is not State.STORED or job.origin != origin or job.is_deleted or not job.video_id:
        return NOTHING_OWED
    until = kept_until(job, retention_s)
    if until is not None and until <= now:
        return NOTHING_OWED
    return Owed(variants=tuple(name for name in wish.variants if not has(name)), deletion=wish.delete_remote)


def needs_source(state: State, *, wanted: bool) -> bool:
    """Whether a job in *state* may still need the video that it builds on: it is to be made from it, or just is.

    One of unknown outcome may be settled with it. *wanted*: the manifest asks for it, so that it is submitted yet.
    """
    return state not in FINAL and (wanted or state not in (State.PENDING, State.BLOCKED))


class After(Enum):
    """What to do once the provider has answered."""

    DONE = "done"
    AGAIN = "again"  # soon, in this run
    NEVER = "never"  # it does not have it, or will not do it
    LATER = "later"  # a later run asks again


NoAnswer: TypeAlias = Refusal | ProviderError | Truncated | NoPicture
"""What came in the place of a picture, or of a receipt for a deletion."""

_GONE = (Problem.UNKNOWN_ID, Problem.GONE)
_NO_PICTURE = (*_GONE, Problem.NOT_READY, Problem.FAILED)
"""Of a stored video it is made already, or never will be."""
_PASSING = (Problem.THROTTLED, Problem.TROUBLE, Problem.STALE_LINK)


def after_picture(outcome: NoAnswer, tries: int) -> After:
    """What it means that a picture did not come, at the n-th try."""
    if isinstance(outcome, Refusal) and (outcome.problem in _NO_PICTURE or _is_refused(outcome)):
        return After.NEVER
    return _once_more(outcome, tries)


def after_deletion(outcome: NoAnswer | None, tries: int) -> After:
    """What the answer to a deletion means, at the n-th try; `None`: it was done. What is gone already is deleted.

    An unknown id alone proves nothing: see `unknown_to_both`.
    """
    if outcome is None or (isinstance(outcome, Refusal) and outcome.problem is Problem.GONE):
        return After.DONE
    if isinstance(outcome, Refusal) and (outcome.problem not in _PASSING or _is_refused(outcome)):
        return After.NEVER
    return _once_more(outcome, tries)


def unknown_to_both(refusal: Refusal, seen: Observation | Refusal) -> Refusal | None:
    """What a deletion has come to that was answered with an unknown id, by what a look has *seen* then.

    A server without that method says so, too. `None`: the look says the same, and the video is not there.
    """
    if isinstance(seen, Refusal):
        return None if seen.problem in _GONE else seen
    if seen.status is Status.EXPIRED:
        return None
    return replace(refusal, problem=Problem.REJECTED, message=f"{refusal.message}; and yet the video is there")


def _is_refused(outcome: Refusal) -> bool:
    """Whether the request itself is what it does not take (RFC 9110 §15.5): the next one would fare no better."""
    return outcome.problem is Problem.TROUBLE and 400 <= outcome.http < 500 and outcome.http != 408


def _once_more(outcome: NoAnswer, tries: int) -> After:
    passing = outcome.problem in _PASSING if isinstance(outcome, Refusal) else not isinstance(outcome, NoPicture)
    return After.AGAIN if passing and tries < TRIES else After.LATER


def suffix_of(content: bytes) -> str:
    """What the picture in *content* is called by, told by its first bytes. Raises `NoPicture`."""
    if suffix := picture_suffix(content):
        return suffix
    raise NoPicture(f"it begins with {content[:12]!r}, as no picture does" if content else "it is empty")
