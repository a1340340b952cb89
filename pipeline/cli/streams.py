"""Standard output and standard error, made safe to write to."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress


def prepare() -> None:
    """Show what the terminal's encoding lacks as `\\u65e5` instead of failing on it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """*text* as a line on standard error. There is nobody to tell where that fails."""
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def give_up_output() -> None:
    """Send the rest of standard output nowhere, so that the interpreter's last flush cannot fail either."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
