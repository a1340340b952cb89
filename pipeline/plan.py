"""What this invocation will do, and why: the jobs of a manifest against what the ledger knows of them.

Pure: the ledger's knowledge, the prices and the occupied names arrive as arguments.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase
from itertools import count
from pathlib import Path
from typing import Protocol

from pipeline.lifecycle import FINAL, State
from pipeline.model import Job, Limits, Manifest, Pace
from pipeline.naming import beside
from pipeline.policy.unknown import settles
from pipeline.providers.pricing import total


class Action(StrEnum):
    """Why a job is in the plan, and what will be done for it."""

    SUBMIT = "new"
    RETRY = "retried"  # ended without a video; asked for again by the user
    RESUME = "resumes"  # bought earlier: watch it or fetch it
    STORED = "stored"  # nothing to do
    HELD = "uncertain"  # of unknown outcome: waits for a decision
    ENDED = "ended"  # failed, rejected, expired …: stays so until --retry names its state
    BLOCKED = "blocked"


class Known(Protocol):
    """What a plan needs to know of a job in the ledger."""

    @property
    def id(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def state(self) -> State: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One job of the manifest, and what will be done for it."""

    job: Job
    """Its `path` is the one in force: its own, or beside it where that name belongs to another video."""
    action: Action
    price: Decimal | None
    """Of one attempt; `None`: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will be done, in the manifest's order."""

    steps: tuple[Step, ...]
    orphans: tuple[str, ...]
    """Keys in the ledger that the manifest no longer asks for."""
    left_out: int
    """Jobs of the manifest that `--only` or `--limit` left out."""

    def of(self, *actions: Action) -> tuple[Step, ...]:
        """The steps with one of these actions."""
        return tuple(step for step in self.steps if step.action in actions)

    @property
    def submits(self) -> tuple[Step, ...]:
        """What will be paid for."""
        return self.of(Action.SUBMIT, Action.RETRY)

    @property
    def cost(self) -> Decimal | None:
        """Of what will be submitted; `None` where a price is not known."""
        return total(step.price for step in self.submits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """The submits of unknown outcome that earlier runs left, and what becomes of them."""

    count: int = 0
    cost: Decimal | None = Decimal(0)
    """What they may have cost; `None` where a price is not known."""
    asked: int = 0
    """About so many of them the provider is asked first: its list, or its memory of a key."""
    again: int = 0
    """So many of them may be submitted again, where nothing is proven of them; the others wait for a decision."""
    again_cost: Decimal | None = Decimal(0)
    """Of submitting these again; `None` where a price is not known."""
    over_ceiling: int = 0
    """So many are not submitted again because of the ceiling alone."""
    paid_twice: Decimal | None = Decimal(0)
    """By what was submitted again before; `None` where a price is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A plan, with what it will lean on and cost."""

    manifest: Manifest
    folder: Path
    plan: Plan
    limits: Limits
    spent: Decimal
    """By earlier runs in this folder."""
    currency: str
    max_duplicate_cost: Decimal | None = None
    """So much may be paid twice for submits of unknown outcome; `None`: none of them is sent again."""
    doubts: Doubts = Doubts()

    @property
    def settles(self) -> bool:
        """Whether a run finds out by itself what became of a submit of unknown outcome, or may send it again."""
        return settles(self.manifest.profile, self.max_duplicate_cost)


_ACTION_IN: Mapping[State, Action] = {
    State.PENDING: Action.SUBMIT,
    State.SUBMITTING: Action.HELD,  # another runner's, or a crash that the next run will settle
    State.IN_FLIGHT: Action.RESUME,
    State.FINISHED: Action.RESUME,
    State.STALLED: Action.RESUME,
    State.STORED: Action.STORED,
    State.UNCERTAIN: Action.HELD,
    State.BLOCKED: Action.BLOCKED,
    **dict.fromkeys(FINAL - {State.STORED}, Action.ENDED),
}


def make_plan(
    jobs: Sequence[Job],
    known: Mapping[str, Known],
    *,
    price_of: Callable[[Job], Decimal | None],
    occupied: Callable[[str], bool] = lambda path: False,  # noqa: ARG005 - an empty disk
    retry: Container[State] = frozenset(),
    only: str = "",
    limit: int | None = None,
) -> Plan:
    """The plan for *jobs*.

    *occupied* tells whether a path on disk is taken by a file that the ledger does not know. *only* is a glob on ids
    and groups, *limit* takes the first so many of what is left: asking for the same again is the same plan.
    """
    chosen = [job for job in jobs if not only or fnmatchcase(job.id, only) or fnmatchcase(job.group, only)]
    chosen = chosen if limit is None else chosen[:limit]
    actions = {job.key: _action(known.get(job.key), retry) for job in chosen}
    paths = _paths(chosen, actions, known, occupied)
    return Plan(
        steps=tuple(
            Step(
                job=job if job.path == paths[job.key] else replace(job, path=paths[job.key]),
                action=actions[job.key],
                price=price_of(job),
            )
            for job in chosen
        ),
        orphans=_orphans(jobs, known),
        left_out=len(jobs) - len(chosen),
    )


def _action(job: Known | None, retry: Container[State]) -> Action:
    if job is None:
        return Action.SUBMIT
    action = _ACTION_IN[job.state]
    return Action.RETRY if action is Action.ENDED and job.state in retry else action


def _paths(
    jobs: Sequence[Job],
    actions: Mapping[str, Action],
    known: Mapping[str, Known],
    occupied: Callable[[str], bool],
) -> dict[str, str]:
    """The paths in force, by key. What was sent for keeps its name; what will be, in order, takes a free one.

    A job in the ledger that was never sent for holds no name: there is nothing that it could be the name of.
    """
    anew = {key for key, action in actions.items() if action in (Action.SUBMIT, Action.RETRY)}
    held = {key: job.path for key, job in known.items() if key not in anew and job.state is not State.PENDING}
    taken = {path.casefold() for path in held.values()}
    for job in jobs:
        if job.key in anew and job.key not in held:
            path = next(p for p in _names(job) if p.casefold() not in taken and not occupied(p))
            held[job.key] = path
            taken.add(path.casefold())
    return held


def _names(job: Job) -> Iterator[str]:
    """The job's own path, then ever more particular ones beside it."""
    yield job.path
    yield beside(job.path, job.key[:8])
    for n in count(1):
        yield beside(job.path, f"{job.key}-{n}")


def _orphans(jobs: Iterable[Job], known: Mapping[str, Known]) -> tuple[str, ...]:
    wanted = {job.key for job in jobs}
    return tuple(key for key in known if key not in wanted)


def duration_s(submits: int, resumes: int, limits: Limits, pace: Pace) -> float:
    """How long a run will take at the limits in force and the profile's usual render time, roughly."""
    if not submits and not resumes:
        return 0.0
    by_rate_s = max(submits - 1, 0) * 60.0 / limits.submits_per_minute
    by_room_s = math.ceil((submits + resumes) / limits.in_flight) * pace.typical_s
    return max(by_rate_s + pace.typical_s, by_room_s)
