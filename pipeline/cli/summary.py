"""What a run leaves to say: what was made, what was not and why, what it cost, where it is, and what to type next."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from pipeline.chains import root_of
from pipeline.lifecycle import ENDED_WITHOUT_VIDEO, FINAL, State
from pipeline.text import PLAY_MONEY, WIDTH, cells, duration, fit, listing, money, plain, plural, spent_money, wrap

REASON_WIDTH_MAX = 160
_BELOW = " " * 6


class JobRow(Protocol):
    """What the summary needs to know of a job; the ledger's `JobState` knows it all."""

    @property
    def id(self) -> str: ...
    @property
    def state(self) -> State: ...
    @property
    def cost(self) -> Decimal | None:
        """What its attempts cost or may have cost; `None` where the price is not known."""

    @property
    def reason(self) -> str:
        """Why there is no video, in the provider's words or ours."""

    @property
    def submitted_at(self) -> datetime | None: ...
    @property
    def expires_at(self) -> datetime | None:
        """When the provider deletes its video, where it said so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLine:
    """A `JobRow` and nothing else."""

    id: str
    state: State
    cost: Decimal | None = None
    reason: str = ""
    submitted_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an invocation of `vidbatch run` ended."""

    run: str
    folder: str
    words: Sequence[str]
    """What stands after `vidbatch run` to name this run: the manifest, and `--outputs` or `--provider` if given."""
    jobs: Sequence[JobRow]
    spent: Decimal
    """By the whole run, over all invocations."""
    currency: str
    unpriced: int = 0
    """So many submits besides, whose price is not known."""
    gallery: str = ""
    """Where its page is, or why none was written; empty where none was asked for."""
    budget: Decimal | None = None
    retention_s: float | None = None
    """How long the provider keeps a video, where known."""
    stored_before: int = 0
    """Videos that were here when it began."""
    elapsed_s: float = 0.0
    stopped: str = ""
    """Why it stopped early; empty where it did not."""
    interrupted: bool = False
    bills: bool = True
    """False: the amounts are play money."""
    declined: int = 0
    """So many videos were not bought because a person, asked, said no; they are none of *jobs*."""
    retry: Collection[str] = ()
    """The states that `--retry` named."""
    waiting: int = 0
    """So many pending jobs are submitted only when what they build on is settled by `vidbatch resolve`."""
    settled_by_key: int = 0
    """So many uncertain submits were not settled because this run bought nothing; the next repeats their keys."""
    held_by_ceiling: int = 0
    """So many uncertain submits were not sent again because `--max-duplicate-cost` would have been passed."""
    deviating: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The ids of stored videos that are not as they should be, by what is not, in words."""
    unjudged: Sequence[str] = ()
    """The ids of stored videos that a strict run could not examine."""
    deleted: int = 0
    """So many videos, stored here, the provider deleted as it was asked to."""
    places: tuple[int, int] | None = None
    """So many places in flight were left at the end, of so many; `None`: half of them or more."""


LEFT = {
    State.PENDING: "not submitted",
    State.SUBMITTING: "in the middle of being submitted",
    State.IN_FLIGHT: "still being rendered by the provider",
    State.FINISHED: "rendered, not downloaded yet",
    State.STALLED: "past the deadline without an end; the next run looks again",
    State.UNCERTAIN: "of unknown outcome: perhaps accepted and billed, and not submitted again by itself",
    State.BLOCKED: "blocked: the job it builds on has no video",
}
"""What is said of a state that a job should not stay in; the others are called by their name."""


def exit_code(counts: Mapping[State, int], stopped: bool, interrupted: bool, unjudged: bool = False) -> int:
    """The exit code of a run: 130 interrupted, 3 stopped early, 4 uncertain jobs, 1 jobs without a video (or with one
    that a strict run could not examine: *unjudged*), 0 all stored.

    The first that applies, in this order. *counts* is of the jobs this run was about; one that is still pending
    although nothing stopped the run was not asked for (`--limit`).
    """
    if interrupted:
        return 130
    if stopped:
        return 3
    if counts.get(State.UNCERTAIN, 0):
        return 4
    missing = sum(count for state, count in counts.items() if state not in {State.STORED, State.PENDING})
    return 1 if missing or unjudged else 0


def summary(outcome: Outcome) -> str:
    """*outcome* for a person, in a few lines, without a line break at its end."""
    blocks = [
        [wrap(heading(outcome), WIDTH, indent="  ", cut=False)],
        [*_missing(outcome), *_deviating(outcome), *_unjudged(outcome), *_deleted(outcome)],
        list(_closing(outcome)),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def heading(outcome: Outcome) -> str:
    """What became of it, in a sentence."""
    stored = sum(job.state is State.STORED for job in outcome.jobs)
    made = stored - outcome.stored_before
    here = f"{outcome.run}: {stored:,} of {plural(len(outcome.jobs) + outcome.declined, 'video')} stored"
    if outcome.stored_before and made > 0:
        here += f", {made:,} of them now"
    if outcome.declined:
        here += f"; {outcome.declined:,} not bought, as you said"
    if outcome.interrupted:
        return f"{here}; interrupted"
    if outcome.stopped:
        return f"{here}; stopped: {plain(outcome.stopped)}"
    idle = stored == len(outcome.jobs) == outcome.stored_before and not outcome.declined
    return f"{here}; nothing was left to do" if idle else here


def _missing(outcome: Outcome) -> Iterator[str]:
    """Groups of jobs without a video, by state and reason, the largest group of a state first.

    Of a chain the reason is told once, with the job that has no video for it.
    """
    groups: dict[tuple[State, str], list[JobRow]] = {}
    for job in outcome.jobs:
        if job.state is not State.STORED:
            reason = root_of(job.reason).partition(": ")[0] if job.state is State.BLOCKED else job.reason
            groups.setdefault((job.state, plain(reason)), []).append(job)
    order = list(State)
    for (state, reason), jobs in sorted(groups.items(), key=lambda g: (order.index(g[0][0]), -len(g[1]))):
        words = f"{LEFT.get(state, state)}{_because(reason)}"
        yield wrap(words, WIDTH, first=f"  {len(jobs):,} ", indent=_BELOW, cut=False)
        if state is State.UNCERTAIN:
            yield f"{_BELOW}{_at_stake(jobs, outcome)}"
        if state is State.EXPIRED:
            yield f"{_BELOW}paid for, and gone: {_price(jobs, outcome)}"
        yield wrap(listing([job.id for job in jobs]), WIDTH, first=_BELOW, indent=_BELOW, cut=False)


def _deviating(outcome: Outcome) -> Iterator[str]:
    """What came and is not what was asked for."""
    for what, ids in outcome.deviating.items():
        words = f"stored, but not as it should be{_because(what)}"
        yield wrap(words, WIDTH, first=f"  {len(ids):,} ", indent=_BELOW, cut=False)
        yield wrap(listing(ids), WIDTH, first=_BELOW, indent=_BELOW, cut=False)


def _unjudged(outcome: Outcome) -> Iterator[str]:
    """What a strict run asked about in vain."""
    if outcome.unjudged:
        words = "stored, but without the verdict that --strict-media demands: nobody could tell"
        yield wrap(words, WIDTH, first=f"  {len(outcome.unjudged):,} ", indent=_BELOW, cut=False)
        yield wrap(listing(outcome.unjudged), WIDTH, first=_BELOW, indent=_BELOW, cut=False)


def _deleted(outcome: Outcome) -> Iterator[str]:
    if outcome.deleted:
        yield f"  {outcome.deleted:,} deleted at the provider, as asked"


def _because(reason: str) -> str:
    if not reason:
        return ""
    short = fit(reason, REASON_WIDTH_MAX)
    return f" ({short}{'…' if short != reason else ''})"


def _at_stake(jobs: Sequence[JobRow], outcome: Outcome) -> str:
    """What uncertain jobs may have cost, and until when their videos, if there are any, can be fetched for sure."""
    known = all(job.cost is not None for job in jobs)
    price = f"up to {_price(jobs, outcome)}" if known else "at an unknown price"
    expiries = [at for job in jobs if (at := _kept_until(job, outcome.retention_s)) is not None]
    until = f"; kept by the provider until about {min(expiries):%Y-%m-%d %H:%M} UTC" if expiries else ""
    return f"{price}{until}"


def _price(jobs: Sequence[JobRow], outcome: Outcome) -> str:
    """What the attempts of *jobs* cost in all."""
    known = [job.cost for job in jobs if job.cost is not None]
    at_least = "" if len(known) == len(jobs) else "at least "
    return at_least + money(sum(known, Decimal(0)), outcome.currency)


def _kept_until(job: JobRow, retention_s: float | None) -> datetime | None:
    """The earliest moment at which the provider may delete the video; rendering it only makes that later."""
    if job.expires_at is not None or job.submitted_at is None or retention_s is None:
        return job.expires_at
    return job.submitted_at + timedelta(seconds=retention_s)


def _closing(outcome: Outcome) -> Iterator[str]:
    budget = "" if outcome.budget is None else f" of {money(outcome.budget, outcome.currency)}"
    spent = spent_money(outcome.spent, outcome.currency, outcome.unpriced)
    yield f"spent   {spent}{budget}{'' if outcome.bills else PLAY_MONEY}"
    yield f"took    {duration(outcome.elapsed_s)}"
    if outcome.places is not None:
        left, asked = outcome.places
        yield f"pace    {left:,} of {asked:,} places in flight at the end: the provider said 'not now' (429)"
    yield f"folder  {outcome.folder}"
    if outcome.gallery:
        yield f"gallery {plain(outcome.gallery)}"
    label = "next"
    for command, purpose in next_commands(outcome):
        line = f"{label:<8}{command}   # {purpose}"
        fits = cells(line) <= WIDTH
        yield from [line] if fits else [f"{label:<8}{command}", f"{'':<8}# {purpose}"]
        label = ""


def next_commands(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """What to type next, the most urgent first, and what it is for."""
    counts = Counter(job.state for job in outcome.jobs)
    again = shlex.join(["vidbatch", "run", *outcome.words])
    if counts[State.UNCERTAIN] > outcome.settled_by_key:
        yield shlex.join(["vidbatch", "resolve", outcome.folder]), "settle what may have been billed"
    if outcome.held_by_ceiling:
        yield _with_amount(outcome, "--max-duplicate-cost"), "or let more be paid twice"
    waiting = {State.PENDING} if counts[State.PENDING] == outcome.waiting else set()
    unfinished = set(counts) - FINAL - {State.UNCERTAIN, State.BLOCKED} - waiting
    if outcome.declined:
        retry = ["--retry", ",".join(sorted(outcome.retry))] if outcome.retry else []
        yield shlex.join(["vidbatch", "run", *outcome.words, *retry]), "asks again, and buys them after a yes"
    elif unfinished:
        yield _go_on(outcome)
    ended = set(counts) & ENDED_WITHOUT_VIDEO - {State.DROPPED}
    if paid := sorted(ended - {State.REJECTED}):
        yield f"{again} --retry {','.join(paid)}", "try these again, and pay for them again"
    if State.REJECTED in ended:
        yield f"{again} --retry rejected", "once you have edited them: what was refused cost nothing"


def _go_on(outcome: Outcome) -> tuple[str, str]:
    again = shlex.join(["vidbatch", "run", *outcome.words])
    if not outcome.stopped.startswith("the budget"):
        return again, "go on"
    if "could not be kept" in outcome.stopped:
        return again, "go on, once provider.price_per_second is stated or the budget left out"
    return _with_amount(outcome, "--budget"), "go on, with a larger budget"


def _with_amount(outcome: Outcome, option: str) -> str:
    """The run's command with another amount for *option*, to be filled in."""
    words = [*outcome.words]
    if option in words:
        words[words.index(option) + 1] = "AMOUNT"
    else:
        words += [option, "AMOUNT"]
    return shlex.join(["vidbatch", "run", *words])
