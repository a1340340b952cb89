"""Being asked to end: SIGTERM and the loss of the terminal mean what Ctrl-C does, where a command has to tidy up."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


@contextmanager
def ended_like_ctrl_c() -> Iterator[Callable[[], None]]:
    """Within it these raise `KeyboardInterrupt`. Yields what takes them up once more, after an event loop that listened
    to them itself has let go of them.
    """
    numbers = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
    taken: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise KeyboardInterrupt

    def heed() -> None:
        for number in numbers:
            if signal.getsignal(number) is signal.SIG_DFL:  # nohup has hang-ups ignored, and so it stays
                signal.signal(number, interrupt)
                taken.append(number)

    heed()
    try:
        yield heed
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)
