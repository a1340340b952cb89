"""What all observers of the command line have in common: none of them can end a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Self, TypeAlias

from pipeline.progress import Event

Clock: TypeAlias = Callable[[], float]
"""Monotonic seconds."""
Now: TypeAlias = Callable[[], datetime]
"""The time of day, in UTC."""
Clean: TypeAlias = Callable[[str], str]
"""Takes out of a provider's text what must not be shown."""


class Watcher:
    """An observer that shows what it is told. A closed terminal or a full disk is its own trouble, not the run's.

    Use it in a `with` block: leaving the block gives the terminal back.
    """

    def __call__(self, event: Event) -> None:
        with suppress(OSError, ValueError):  # ValueError: a closed stream, an encoding without the character
            self.note(event)

    def beat(self) -> None:
        """Nothing happened for a moment, but time went on."""
        with suppress(OSError, ValueError):
            self.show()

    def close(self) -> None:
        """Show nothing more."""
        with suppress(OSError, ValueError):
            self.finish()

    def note(self, event: Event) -> None:
        """Take *event* in, and show what is due; may raise `OSError` and `ValueError`."""

    def show(self) -> None:
        """Show what is due by now; may raise as `note` does."""

    def finish(self) -> None:
        """Leave the place tidy; may raise as `note` does."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Several(Watcher):
    """Tells each of *watchers*, in order."""

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self._watchers = tuple(watchers)

    def note(self, event: Event) -> None:
        for watcher in self._watchers:
            watcher(event)

    def show(self) -> None:
        for watcher in self._watchers:
            watcher.beat()

    def finish(self) -> None:
        for watcher in self._watchers:
            watcher.close()


async def keep_beating(watcher: Watcher, *, every_s: float = 1.0) -> None:
    """Beat until cancelled, so that times move on a screen while nothing else does. Runs beside a run, in its loop."""
    import anyio

    while True:
        await anyio.sleep(every_s)
        watcher.beat()
