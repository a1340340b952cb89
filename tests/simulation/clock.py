"""Virtual time: one seed plays one history, hours of it in milliseconds.

- trio's `MockClock` jumps to the next deadline whenever every task waits.
- trio shuffles the tasks that are ready; with its switch for hypothesis (`trio/_core/_run.py`,
  `_ALLOW_DETERMINISTIC_SCHEDULING`) they are sorted first, and shuffled by a random number generator that we seed:
  another seed is another order of events, the same seed the same.
- Threads would end whenever the machine likes. In here, what the product sends to a thread is done inline, after a
  while of virtual time that the seed draws, so that other tasks come in between as they do in life.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from unittest.mock import patch

import anyio
import anyio.lowlevel
import anyio.to_thread
import trio._core._run as trio_loop
from trio.testing import MockClock

T = TypeVar("T")

BEGINNING = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)
THREAD_S = 0.02
"""So long at most a thread is busy with a write, a sync or a check."""
NIGHT_S = 48 * 3600.0
"""A run that is not over by then never will be."""


class Times:
    """What the clocks of one sequence say: the true time, which is the provider's, and ours on the wall."""

    def __init__(self) -> None:
        self._base_s = 0.0
        self._running = False
        self.ahead_s = 0.0
        """How far our wall clock is ahead of the truth."""

    @property
    def true_s(self) -> float:
        """Since the sequence began."""
        return self._base_s + (anyio.current_time() if self._running else 0.0)

    def now(self) -> datetime:
        """Our wall clock."""
        return BEGINNING + timedelta(seconds=self.true_s + self.ahead_s)

    def pass_by(self, seconds: float) -> None:
        """Time passes that no monotonic clock of ours sees: nothing runs, or the machine sleeps."""
        self._base_s += seconds

    def live(self, night: Callable[[], Awaitable[None]], *, seed: int) -> None:
        """Play *night* in virtual time, in the order of *seed*. Raises `TimeoutError` where it has no end."""

        async def bounded() -> None:
            self._running = True
            try:
                with anyio.fail_after(NIGHT_S):
                    await night()
            finally:
                self._running, self._base_s = False, self.true_s

        chance = random.Random(seed)
        with _in_one_order(chance), _threads_inline(chance):
            anyio.run(bounded, backend="trio", backend_options={"clock": MockClock(autojump_threshold=0)})

    def back_to(self, true_s: float) -> None:
        """The run ended at that moment; what its tasks slept on after it did not happen."""
        self._base_s = true_s


@contextmanager
def _in_one_order(chance: random.Random) -> Iterator[None]:
    order = random.Random(chance.getrandbits(64))
    with patch.object(trio_loop, "_ALLOW_DETERMINISTIC_SCHEDULING", True), patch.object(trio_loop, "_r", order):
        yield


@contextmanager
def _threads_inline(chance: random.Random) -> Iterator[None]:
    async def inline(function: Callable[..., T], *arguments: Any, **_: Any) -> T:
        await anyio.lowlevel.checkpoint()
        with anyio.CancelScope(shield=True):  # a thread that was begun is waited for
            await anyio.sleep(chance.random() * THREAD_S)
        try:
            return function(*arguments)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(chance.random() * THREAD_S)

    with patch.object(anyio.to_thread, "run_sync", inline):
        yield
