"""Tells those who are away: listens to a run as every observer does, and sends what is worth it to each target."""

from __future__ import annotations

import os
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from pipeline.cli.notify.courier import Courier, Told
from pipeline.cli.notify.needs import Needs
from pipeline.cli.observers.choose import utc_now, without_secrets
from pipeline.cli.observers.tally import Tally
from pipeline.cli.observers.watcher import Clock, Watcher
from pipeline.cli.redact import holds_key, holds_secret, without_keys
from pipeline.progress import Ended, Event, Notice, Observer

if TYPE_CHECKING:
    from pipeline.cli.notify.message import Message, Standing
    from pipeline.cli.notify.targets import Target

END_S: Final = 70.0
"""So long a run that is over waits for its notices: a command may take sixty, an address half of it."""


def targets_for(words: Sequence[str]) -> list[Target]:
    """Whom the command line's *words* and the environment want told; from now on their addresses are secrets.

    Raises `UsageError` where one can be no target.
    """
    from pipeline.cli.notify.targets import VARIABLE, targets_of

    targets = targets_of(words, os.environ)
    holds_key(VARIABLE)
    holds_secret(*(secret for target in targets for secret in target.secrets))
    return targets


class Herald(Watcher):
    """Use it in a `with` block that ends when all is said: it waits for what is under way, but for no second Ctrl-C.

    *observer* is told of the first notice to a target that fails; *log* of the others, and of what a command says.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        *,
        clock: Clock,
        observer: Observer,
        log: Observer,
    ) -> None:
        self._clock = clock
        self._clean = without_secrets()
        self._observer = observer
        self._log = log
        self._tally = Tally()
        self._needs = Needs()
        self._ended: Ended | None = None
        self._told: SimpleQueue[Told] = SimpleQueue()
        self._failed: set[Target] = set()
        environment = without_keys(os.environ)
        self._couriers = [Courier(target, environment, self._told.put) for target in targets]

    def note(self, event: Event) -> None:
        self._tally.note(event, self._clock())
        if isinstance(event, Ended):
            self._ended = event
        elif isinstance(event, Notice):
            self._needs.note(event, self._clock())

    def show(self) -> None:
        """What is due, at a beat: what comes in one second is told together."""
        from pipeline.cli.notify.message import needs_person

        self._say_told()
        if self._couriers and self._tally.started and self._ended is None:
            for need in self._needs.due(self._clock()):
                self._send(needs_person(need, self._standing(), utc_now()))

    def say_ended(self, message: str, *, exit_code: int, stopped: str = "", commands: Sequence[str] = ()) -> None:
        """The run is over: say so, if it began."""
        if not self._couriers or self._tally.started is None:
            return
        from pipeline.cli.notify.message import Message

        told = Message(
            event="ended",
            standing=self._standing(),
            message=message,
            at=utc_now(),
            exit_code=exit_code,
            stopped=stopped or (self._ended.stopped if self._ended else ""),
            interrupted=bool(self._ended and self._ended.interrupted),
            next=commands,
        )
        self._send(told)

    def abandon(self) -> None:
        """Wait for nothing more, and leave nothing running."""
        for courier in self._couriers:
            courier.abandon()

    def __exit__(self, *ending: object) -> None:
        error = ending[1] if ending else None
        if isinstance(error, BaseException) and not isinstance(error, Exception):
            self.abandon()
            return
        try:
            if isinstance(error, Exception):
                self._say_failed(error)
            self._wait()
        except KeyboardInterrupt:  # the run is over, and its exit code is its own
            self.abandon()
        self._say_told()

    def _say_failed(self, error: Exception) -> None:
        from pipeline.cli.errors import BUG, code_of, leaves

        code = code_of(error)
        found = dict.fromkeys(str(leaf) or type(leaf).__name__ for leaf in leaves(error))
        why = "a bug of ours" if code == BUG else "; ".join(found)
        self.say_ended(f"ended by an error: {why}", exit_code=code, stopped=why)

    def _wait(self) -> None:
        until_s = self._clock() + END_S
        for courier in self._couriers:
            courier.finish()
        for courier in self._couriers:
            if not courier.is_done(until_s - self._clock()):
                courier.abandon()
                self._told.put(Told(target=courier.target, failure=f"it was not done within {END_S:g} s"))

    def _standing(self) -> Standing:
        from pipeline.cli.notify.message import Standing

        standing = Standing.of(self._tally, self._clock())
        return standing.at_end(self._ended) if self._ended else standing

    def _send(self, message: Message) -> None:
        body = message.as_bytes(self._clean)
        for courier in self._couriers:
            courier.send(body, message.event)

    def _say_told(self) -> None:
        while True:
            try:
                told = self._told.get_nowait()
            except Empty:
                return
            for line in told.said.splitlines():
                self._log(Notice(lane="notify", message=f"{told.target.name} says: {line}"))
            if told.failure:
                notice = Notice(lane="notify", message=f"{told.target.name} was not told: {told.failure}", urgent=True)
                tell = self._log if told.target in self._failed else self._observer
                self._failed.add(told.target)
                tell(notice)
