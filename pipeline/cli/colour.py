"""Which of our streams want colour, and plans and issues as they want them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TextIO

from pipeline.cli.streams import columns_of
from pipeline.ink import is_wanted, painted_plan, painted_status

if TYPE_CHECKING:
    from pipeline.model import Issue


def use_color(stream: TextIO | None) -> bool:
    """Whether *stream* wants colour."""
    return stream is not None and is_wanted(os.environ, is_terminal=stream.isatty())


def plan_for(stream: TextIO | None, text: str) -> str:
    """The plan *text* as *stream* wants it."""
    return painted_plan(text) if use_color(stream) else text


def status_for(stream: TextIO | None, text: str) -> str:
    """The status *text* as *stream* wants it."""
    return painted_status(text) if use_color(stream) else text


def issue_for(stream: TextIO | None, issue: Issue) -> str:
    """*issue* as *stream* wants it: at a terminal, in lines that fit."""
    from pipeline.manifest.report import render_issue

    return render_issue(issue, color=use_color(stream), width=columns_of(stream))
