"""What this invocation will do, and why: the jobs of a manifest against what the ledger knows of them.

Pure: the ledger's knowledge, the prices and the occupied names arrive as arguments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase
from itertools import count
from types import MappingProxyType
from typing import Protocol

from pipeline.chains import WAITS, Source, Standing, blocked, with_sources
from pipeline.changes import Asked, Change, Wanted, edits, pairs
from pipeline.lifecycle import FINAL, State
from pipeline.model import Job
from pipeline.naming import beside
from pipeline.providers.pricing import total
from pipeline.waiting import waiting


class Action(StrEnum):
    """Why a job is in the plan, and what will be done for it."""

    SUBMIT = "new"
    CHANGED = "changed"  # new, in the place of one that the manifest asked for before
    RETRY = "retried"  # ended without a video; asked for again by the user
    RESUME = "resumes"  # bought earlier: watch it or fetch it
    STORED = "stored"  # nothing to do
    HELD = "uncertain"  # of unknown outcome: waits for a decision
    ENDED = "ended"  # failed, rejected, expired …: stays so until --retry names its state
    BLOCKED = "blocked"
    WAITS = "waits"  # builds on what is of unknown outcome, and that waits for a decision


BUYS = frozenset({Action.SUBMIT, Action.CHANGED, Action.RETRY})
"""What is done by paying for it."""


class Known(Source, Protocol):
    """What a plan needs to know of a job in the ledger."""

    @property
    def path(self) -> str: ...
    @property
    def price(self) -> Decimal | None: ...
    @property
    def wish(self) -> Wanted: ...


@dataclass(slots=True, kw_only=True)  # not frozen, as a `Job` is not
class Step:
    """One job of the manifest, and what will be done for it."""

    job: Job
    """Its `path` is the one in force: its own, or beside it where that name belongs to another video."""
    action: Action
    price: Decimal | None
    """Of one attempt; `None`: not known."""
    reason: str = ""
    """Why it is blocked or waits; empty where it does neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will be done, in the manifest's order."""

    steps: tuple[Step, ...]
    orphans: tuple[str, ...]
    """Keys in the ledger that the manifest no longer asks for, the changed ones' among them."""
    left_out: int
    """Jobs of the manifest that `--only` or `--limit` left out."""
    changes: Mapping[str, Change] = field(default_factory=dict)
    """What the jobs of the manifest that are edits of orphans were, by their new key."""
    renamed: int = 0
    """Jobs that the ledger has under another id: that is a label, and nothing is bought for it."""
    submits: tuple[Step, ...] = field(init=False, repr=False, compare=False)
    """What will be paid for."""
    counts: Mapping[Action, int] = field(init=False, repr=False, compare=False)
    """How many steps have each action; 0 for the others."""
    cost: Decimal | None = field(init=False, repr=False, compare=False)
    """Of what will be submitted; `None` where a price is not known."""

    def __post_init__(self) -> None:
        submits = tuple(step for step in self.steps if step.action in BUYS)
        counts = Counter(step.action for step in self.steps)
        object.__setattr__(self, "submits", self.steps if len(submits) == len(self.steps) else submits)
        object.__setattr__(self, "counts", counts)
        object.__setattr__(self, "cost", total(step.price for step in submits))

    def of(self, *actions: Action) -> tuple[Step, ...]:
        """The steps with one of these actions."""
        return tuple(step for step in self.steps if step.action in actions)

    def without_buying(self) -> Plan:
        """This, without all that is submitted or might have to be."""
        return replace(self, steps=self.of(*set(Action) - BUYS - {Action.WAITS, Action.HELD}))


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


_UNSENT = frozenset({State.PENDING, State.BLOCKED})


def make_plan(
    jobs: Sequence[Job],
    known: Mapping[str, Known],
    *,
    price_of: Callable[[Job], Decimal | None],
    occupied: Callable[[str], bool] = lambda path: False,  # noqa: ARG005 - an empty disk
    retry: Container[State] = frozenset(),
    only: str = "",
    limit: int | None = None,
    standing_of: Callable[[Known], Standing] = lambda source: WAITS,  # noqa: ARG005 - whatever it builds on may come
    unsettled: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """The plan for *jobs*.

    *occupied* tells whether a path on disk is taken by a file that the ledger does not know. *only* is a glob on ids
    and groups, *limit* takes the first so many of what is left: asking for the same again is the same plan.
    *standing_of* says whether a job in the ledger has a video that another can be built on. *unsettled* are those that
    only a person can settle, by key, and why what builds on them waits.
    """
    chosen = choose(jobs, only=only, limit=limit)
    held_up = _held_up(chosen, known, retry, standing_of, unsettled)
    orphans = _orphans(jobs, known)
    changes = _changes(jobs, known, orphans)
    taken = _taken(chosen, known, retry)
    steps, renamed = [], 0
    for job in chosen:
        before = known.get(job.key)
        action, reason = _action(before, retry), ""
        if job.key in held_up:
            action, reason = held_up[job.key]
        elif action in (Action.SUBMIT, Action.BLOCKED):  # it was blocked, and its source can be had again
            action = Action.CHANGED if job.key in changes else Action.SUBMIT
        if before is not None:
            renamed += before.id != job.id
        path = before.path if before is not None and _holds_name(before, retry) else _free(job, taken, occupied)
        placed = job if path == job.path else replace(job, path=path)
        steps.append(Step(job=placed, action=action, price=price_of(job), reason=reason))
    return Plan(steps=tuple(steps), orphans=orphans, left_out=len(jobs) - len(steps), changes=changes, renamed=renamed)


def choose(jobs: Sequence[Job], *, only: str = "", limit: int | None = None) -> Sequence[Job]:
    """Those of *jobs* that `--only` and `--limit` leave, and what these build on."""
    if not only and limit is None:
        return jobs
    chosen = [job for job in jobs if fnmatchcase(job.id, only) or fnmatchcase(job.group, only)] if only else jobs
    return with_sources(chosen if limit is None else chosen[:limit], jobs)


def _action(job: Known | None, retry: Container[State]) -> Action:
    if job is None:
        return Action.SUBMIT
    action = _ACTION_IN[job.state]
    return Action.RETRY if action is Action.ENDED and job.state in retry else action


def _held_up(
    chosen: Sequence[Job],
    known: Mapping[str, Known],
    retry: Container[State],
    standing_of: Callable[[Known], Standing],
    unsettled: Mapping[str, str],
) -> Mapping[str, tuple[Action, str]]:
    """What jobs, by key, cannot be submitted now, and why: their source has no video, or a person is asked about it."""
    if not any(job.source for job in chosen):
        return {}
    wanting = {*BUYS, Action.BLOCKED}
    due = {job.key for job in chosen if _action(known.get(job.key), retry) in wanting}
    waits, stopped = waiting(chosen, due, unsettled), blocked(chosen, due, known, standing_of)
    return {
        **{key: (Action.WAITS, why) for key, why in waits.items()},
        **{key: (Action.BLOCKED, why) for key, why in stopped.items()},
    }


def _taken(chosen: Iterable[Job], known: Mapping[str, Known], retry: Container[State]) -> set[str]:
    """The names that are others' for good, without their case: what was sent for keeps its name."""
    if not known:
        return set()
    anew = {job.key for job in chosen if job.key in known and not _holds_name(known[job.key], retry)}
    return {job.path.casefold() for key, job in known.items() if key not in anew and _holds_name(job, ())}


def _holds_name(job: Known, retry: Container[State]) -> bool:
    """Whether a job in the ledger keeps its name: what was never sent for, or is made anew, is no file's."""
    return job.state not in _UNSENT and _action(job, retry) is not Action.RETRY


def _free(job: Job, taken: set[str], occupied: Callable[[str], bool]) -> str:
    """The first of the job's names that nobody has. It is taken from now on."""
    for path in _names(job):
        folded = path.casefold()
        if folded not in taken and not occupied(path):
            taken.add(path if folded == path else folded)  # one text less to keep
            return path
    raise AssertionError("there is always one name more")


def _names(job: Job) -> Iterator[str]:
    """The job's own path, then ever more particular ones beside it."""
    yield job.path
    yield beside(job.path, job.key[:8])
    for n in count(1):
        yield beside(job.path, f"{job.key}-{n}")


def _orphans(jobs: Iterable[Job], known: Mapping[str, Known]) -> tuple[str, ...]:
    if not known:
        return ()
    wanted = {job.key for job in jobs}
    return tuple(key for key in known if key not in wanted)


def _changes(jobs: Iterable[Job], known: Mapping[str, Known], orphans: Sequence[str]) -> dict[str, Change]:
    """What jobs that nobody has paid for yet were before they were edited, by their key."""
    if not orphans:
        return {}
    fresh = {job.key: job for job in jobs if job.key not in known or known[job.key].state in _UNSENT}
    new = (Asked(job.key, job.id, job) for job in fresh.values())
    old = (Asked(key, known[key].id, known[key].wish) for key in orphans)
    return {
        key: Change(was=was.key, was_id=was.id, was_price=known[was.key].price, edits=edits(was.wish, fresh[key]))
        for key, was in pairs(new, old, waiting=known).items()
    }
