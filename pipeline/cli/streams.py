"""Standard output and standard error, made safe to write to."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TextIO


def prepare() -> None:
    """Give a closed stream a place to go, and show what an encoding lacks as `\\u65e5` instead of failing on it."""
    _fill_gaps()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _fill_gaps() -> None:
    """Under `2>&-`, the next file that is opened would be number 2, and whatever is written there would be in it."""
    with suppress(OSError):
        while (nowhere := os.open(os.devnull, os.O_RDWR)) <= 2:
            os.set_inheritable(nowhere, True)
        os.close(nowhere)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            with suppress(OSError):
                setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115


def say(text: str) -> None:
    """*text* as a line on standard error. There is nobody to tell where that fails."""
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def as_file(stream: TextIO) -> None:
    """Let *stream* take what a file of another program's shall be: UTF-8, with the line ends that are written."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", newline="")


def columns_of(stream: TextIO | None) -> int | None:
    """How wide the terminal at *stream* is; `None`: it is none, or does not say."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or None if stream is not None else None
    except (OSError, ValueError):
        return None


def give_up_output() -> None:
    """Send the rest of standard output nowhere, so that the interpreter's last flush cannot fail either."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
