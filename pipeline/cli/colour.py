"""Which of our streams want colour, and plans in it."""

from __future__ import annotations

import os
from typing import TextIO

from pipeline.ink import is_wanted, painted_plan


def use_color(stream: TextIO | None) -> bool:
    """Whether *stream* wants colour."""
    return stream is not None and is_wanted(os.environ, is_terminal=stream.isatty())


def plan_for(stream: TextIO | None, text: str) -> str:
    """The plan *text* as *stream* wants it."""
    return painted_plan(text) if use_color(stream) else text
