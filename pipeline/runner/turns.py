"""Whose turn it is to be submitted: what builds on a finished video first, since that expires; then what stands alone.

What builds on a video that is not there yet waits beside the line and holds up nobody.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import anyio

from pipeline.chains import WAITS, Blocked, Ready, Standing, standing
from pipeline.lifecycle import Fact, State
from pipeline.model import Link
from pipeline.plan import Step
from pipeline.runner.lanes import FOREVER
from pipeline.text import listing, plain, plural

if TYPE_CHECKING:
    from pipeline.runner.board import Board

_MADE: Mapping[Link, str] = {Link.REMIX: "remixes", Link.EXTEND: "extensions", Link.EDIT: "edits"}


class Turns:
    """The jobs that are to be submitted; a job whose source ends without a video is blocked at once."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._alone: deque[Step] = deque()
        self._linked: list[tuple[float, int, Step]] = []
        """What builds on a video that is there; what expires first is first."""
        self._waiting: dict[str, list[Step]] = {}
        """What builds on a video that is not, by the source's key."""
        self._lost: dict[str, str] = {}
        """What the provider said of sources that it has no more, by their keys."""
        self._closed: dict[Link, str] = {}
        """Ways to make one video from another that are given up for this run, and why."""
        self._models: dict[str, str] = {}
        """So are models that are not to be had."""
        self._aside: list[Step] = []
        """What would be made so, or by these; it stays pending."""
        self._began = board.now() - timedelta(seconds=anyio.current_time())
        """The wall clock's time, as this run began with it, at the zero of the monotonic clock."""
        self._finished_s: dict[str, float] = {}
        """When this run saw a source finish that was waited for, by the monotonic clock."""
        self._ticket = count()
        self._news: deque[str] = deque()

    def __bool__(self) -> bool:
        """Whether there is a job whose turn may come without anything else happening."""
        return bool(self._alone or self._linked)

    @property
    def waiting(self) -> Iterator[Step]:
        """What waits for its source's video."""
        return (step for steps in self._waiting.values() for step in steps)

    @property
    def some_wait(self) -> bool:
        return bool(self._waiting)

    def add(self, steps: Iterable[Step]) -> None:
        """These are due, too."""
        for step in steps:
            if step.job.source:
                self._place(step)
            else:
                self._alone.append(step)

    def put_back(self, step: Step, *, last: bool = False) -> None:
        """It was not submitted after all, and is first again; *last*: after all that stands alone as it does."""
        if step.job.source:
            self._place(step)
        elif last:
            self._alone.append(step)
        else:
            self._alone.appendleft(step)

    @property
    def left_aside(self) -> str:
        """What is not submitted because its way or its model is given up, in words; empty where there is nothing."""
        if not self._aside:
            return ""
        names = listing([step.job.id for step in self._aside])
        reasons = "; ".join([*self._closed.values(), *self._models.values()])
        return f"{plural(len(self._aside), 'job')} not submitted, {names}: {reasons}"

    def first(self) -> Step | None:
        """Whose turn it is; `None`: nobody's. What was settled meanwhile has none any more."""
        while self._linked:
            step = self._linked[0][-1]
            if self._board.is_due(step.job.key) and self.source_of(step) is not None:
                return step
            heapq.heappop(self._linked)
            self._place(step)
        while self._alone:
            step = self._alone[0]
            if self._board.is_due(step.job.key) and not self.shut(step):
                return step
            self._alone.popleft()
            self._set_aside(step)
        return None

    def take(self) -> None:
        """The first has its turn."""
        if self._linked:
            heapq.heappop(self._linked)
        else:
            self._alone.popleft()

    def standing(self, step: Step) -> Standing:
        """What a job that builds on another may do now."""
        board = self._board
        source = board.ledger.state.jobs.get(step.job.source)
        if source is None:
            return WAITS
        if said := self._lost.get(source.key):
            return Blocked(reason=f"the provider has no video of its source {source.id} any more: {said}")
        finished_s = self._finished_s.get(source.key)
        return standing(
            source,
            now=self._now(),
            origin=board.origin,
            retention_s=board.profile.retention_s,
            seen_s=None if finished_s is None else anyio.current_time() - finished_s,
        )

    def source_of(self, step: Step) -> str | None:
        """The provider's id of the video that a job is to be made from now; `None`: it cannot be made now."""
        found = self.standing(step)
        return found.video_id if isinstance(found, Ready) and not self.shut(step) else None

    def shut(self, step: Step) -> str:
        """Why nothing is made in its way or by its model in this run; empty: it is."""
        way = step.job.link
        closed = "" if way is None else self._closed.get(way, "")
        return closed or self._models.get(step.job.model, "")

    def hindrance(self, step: Step) -> str:
        """Why a job will not be submitted in this run, whatever is allowed; empty: it may be."""
        if step.job.link is None:
            return self.shut(step)
        found = self.standing(step)
        return found.reason if isinstance(found, Blocked) else self.shut(step)

    def is_aged(self, step: Step) -> bool:
        """Whether its source was bought longer ago than the provider keeps a video, and so may be gone."""
        source = self._board.ledger.state.jobs.get(step.job.source)
        if source is None or source.accepted_at is None:
            return False
        return source.accepted_at + timedelta(seconds=self._board.profile.retention_s) <= self._now()

    def lose(self, step: Step, said: str) -> None:
        """The provider has no more what *step* builds on: nothing that does so is made in this run."""
        self._lost[step.job.source] = said

    def close(self, way: Link, reason: str) -> None:
        """Make no more videos from others in this way; what stands alone goes on."""
        if way not in self._closed:
            self._closed[way] = f"no more {_MADE[way]}: {reason}"
            self._board.notice("submit", self._closed[way], urgent=True)

    def close_model(self, model: str, reason: str) -> None:
        """Submit no more of this model; all others go on."""
        if model not in self._models:
            self._models[model] = f"no more of {plain(model)}: {reason}"
            self._board.notice("submit", self._models[model], urgent=True)

    def heard(self, key: str) -> None:
        """The state of a job has changed: what builds on it may be ready now, or blocked, and so on down the chain."""
        if key not in self._waiting:
            return
        if self._board.job(key).state is State.FINISHED:
            self._finished_s[key] = anyio.current_time()
        self._news.append(key)
        if len(self._news) > 1:
            return  # told while an earlier one is being heard: it comes next
        while self._news:
            for step in self._waiting.pop(self._news[0], ()):
                self._place(step)
            self._news.popleft()

    def _now(self) -> datetime:
        """The wall clock's time, had nobody set it since this run began."""
        return self._began + timedelta(seconds=anyio.current_time())

    def _place(self, step: Step) -> None:
        key = step.job.key
        if not self._board.is_due(key):
            return
        match self.standing(step):
            case Ready() if self.shut(step):
                self._set_aside(step)
            case Ready(until=until):
                rank = FOREVER if until is None else until.timestamp()
                heapq.heappush(self._linked, (rank, next(self._ticket), step))
            case Blocked(reason=reason):
                self._block(key, reason)
            case _:
                self._waiting.setdefault(step.job.source, []).append(step)

    def _set_aside(self, step: Step) -> None:
        """Its way or its model is given up; what was settled meanwhile needs neither."""
        key = step.job.key
        if self._board.job(key).state is State.PENDING:
            self._aside.append(step)
        elif key in self._board.granted:
            self._take_back(key, self.shut(step))
        if not self:
            self._board.bell.ring()  # it was perhaps the last that somebody waited for

    def _block(self, key: str, reason: str) -> None:
        """It has nothing to build on."""
        if self._board.job(key).state is State.PENDING:
            self._board.record(Fact.BLOCKED, key, reason=reason)
        else:
            self._take_back(key, reason)

    def _take_back(self, key: str, reason: str) -> None:
        """Its second try is off. The first may be paid for, so it stays uncertain, and is settled as if nobody had
        given leave.
        """
        board = self._board
        if board.granted.pop(key, None):
            words = f"{board.job(key).id}: is not submitted again after all: {reason}"
            board.notice("settle", words, urgent=True)
            board.doubt(key)
            board.bell.ring()
