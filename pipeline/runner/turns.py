"""Whose turn it is to be submitted: what builds on a finished video first, since that expires; then what stands alone.

What builds on a video that is not there yet waits beside the line and holds up nobody.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import count
from typing import TYPE_CHECKING

from pipeline.chains import WAITS, Blocked, Ready, Standing, standing
from pipeline.lifecycle import Fact, State
from pipeline.plan import Step
from pipeline.runner.lanes import FOREVER

if TYPE_CHECKING:
    from pipeline.runner.board import Board


class Turns:
    """The jobs that are to be submitted; a job whose source ends without a video is blocked at once."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._alone: deque[Step] = deque()
        self._linked: list[tuple[float, int, Step]] = []
        """What builds on a video that is there; what expires first is first."""
        self._waiting: dict[str, list[Step]] = {}
        """What builds on a video that is not, by the source's key."""
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

    def put_back(self, step: Step) -> None:
        """It was not submitted after all, and is first again."""
        if step.job.source:
            self._place(step)
        else:
            self._alone.appendleft(step)

    def first(self) -> Step | None:
        """Whose turn it is; `None`: nobody's. What was settled meanwhile has none any more."""
        while self._linked:
            step = self._linked[0][-1]
            if self._board.is_due(step.job.key) and isinstance(self.standing(step), Ready):
                return step
            heapq.heappop(self._linked)
            self._place(step)
        while self._alone and not self._board.is_due(self._alone[0].job.key):
            self._alone.popleft()
        return self._alone[0] if self._alone else None

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
        return standing(source, now=board.now(), origin=board.origin, retention_s=board.profile.retention_s)

    def heard(self, key: str) -> None:
        """The state of a job has changed: what builds on it may be ready now, or blocked, and so on down the chain."""
        if key not in self._waiting:
            return
        self._news.append(key)
        if len(self._news) > 1:
            return  # told while an earlier one is being heard: it comes next
        while self._news:
            for step in self._waiting.pop(self._news[0], ()):
                self._place(step)
            self._news.popleft()

    def _place(self, step: Step) -> None:
        if not self._board.is_due(step.job.key):
            return
        match self.standing(step):
            case Ready(until=until):
                rank = FOREVER if until is None else until.timestamp()
                heapq.heappush(self._linked, (rank, next(self._ticket), step))
            case Blocked(reason=reason):
                self._block(step.job.key, reason)
            case _:
                self._waiting.setdefault(step.job.source, []).append(step)

    def _block(self, key: str, reason: str) -> None:
        """It has nothing to build on. One that may be paid for already stays uncertain: only its second try is off."""
        board = self._board
        if board.job(key).state is State.PENDING:
            board.record(Fact.BLOCKED, key, reason=reason)
        elif board.granted.pop(key, None):
            words = f"{board.job(key).id}: is not submitted again after all: {reason}"
            board.notice("settle", words, urgent=True)
