"""One target's messages, carried one after the other in a thread of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import TypeAlias

from pipeline.cli.notify.targets import Command, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How a message fared."""

    target: Target
    failure: str = ""
    """Why it did not arrive; empty where it did."""
    said: str = ""
    """What the command said."""


Tell: TypeAlias = Callable[[Told], object]
"""Called in the courier's thread."""


class Courier:
    """Carries to *target*. Its thread is a daemon, begins with the first message, and ends with `finish`."""

    def __init__(self, target: Target, environment: Mapping[str, str], tell: Tell) -> None:
        from pipeline.cli.notify.program import Program

        self.target = target
        self._tell = tell
        self._program = Program(target.words, environment) if isinstance(target, Command) else None
        self._waiting: SimpleQueue[tuple[bytes, str] | None] = SimpleQueue()
        self._thread: Thread | None = None

    def send(self, body: bytes, event: str) -> None:
        """Let *body* be carried, in its turn. Never waits."""
        self._waiting.put((body, event))
        if self._thread is None:
            thread = Thread(target=self._work, name=f"notify {self.target.name}", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # this machine has no room for one more
                self._tell(Told(target=self.target, failure=str(error)))
            else:
                self._thread = thread

    def finish(self) -> None:
        """No message follows."""
        self._waiting.put(None)

    def is_done(self, within_s: float) -> bool:
        """Whether everything was carried, or given up; waits for that so long."""
        if self._thread is None:
            return True
        self._thread.join(max(within_s, 0.0))
        return not self._thread.is_alive()

    def abandon(self) -> None:
        """Be done with it now."""
        if self._program is not None:
            self._program.abandon()

    def _work(self) -> None:
        import anyio

        while (message := self._waiting.get()) is not None:
            self._tell(anyio.run(self._carry, *message))

    async def _carry(self, body: bytes, event: str) -> Told:
        from pipeline.cli.notify.post import post

        try:
            if self._program is not None:
                return Told(target=self.target, said=await self._program.tell(body, event))
            assert not isinstance(self.target, Command)
            await post(self.target.url, body, chance=random.Random())  # noqa: S311 - for the length of a pause
        except Exception as error:  # noqa: BLE001 - whatever it is: a notice that fails ends nothing
            return Told(target=self.target, failure=str(error) or type(error).__name__)
        return Told(target=self.target)
