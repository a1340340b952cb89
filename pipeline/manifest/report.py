"""How an issue looks: `file:line:column: message (path)`, the line as written and a caret; or for programs."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.ink import Ink, painted
from pipeline.model import JSON, Issue
from pipeline.text import cells, fit, wrap

_SOURCE_CELLS = 100
"""Columns of a source line that are shown where no width is known."""


def render_issue(issue: Issue, *, color: bool = False, width: int | None = None) -> str:
    """*issue* for people, over one or three lines, without a final newline.

    *width* are a terminal's columns: the message is broken between its words then, and less of a long line is shown.
    """
    paint = painted if color else _bare
    place = paint(_visible(str(issue.position)), Ink.BOLD)
    kind = f"{paint('warning', Ink.YELLOW)}: " if issue.warning else ""
    where = paint(f" ({issue.path})", Ink.DIM) if issue.path else ""
    first = f"{place}: {kind}{_visible(issue.message)}{where}{_more(issue)}"
    if width is not None:
        first = wrap(first, width, indent="  ", cut=False)
    if not issue.source.strip():
        return first
    margin = str(issue.position.line)
    room = _SOURCE_CELLS if width is None else max(1, width - len(f" {margin} | ……"))
    text, indent = _window(issue.source, issue.position.column - 1, room)
    caret = paint("^", Ink.YELLOW if issue.warning else Ink.RED)
    beside, below = (paint(f" {shown} |", Ink.DIM) for shown in (margin, " " * len(margin)))
    return f"{first}\n{beside} {text}\n{below} {' ' * indent}{caret}"


def issue_command(issue: Issue) -> str:
    """*issue* as a workflow command of GitHub Actions, which shows it beside the line it is about."""
    kind = "warning" if issue.warning else "error"
    properties = {
        "file": issue.position.file,
        "line": issue.position.line,
        "col": issue.position.column,
        "title": issue.code,
    }
    stated = ",".join(f"{name}={_escaped(str(value), _IN_PROPERTIES)}" for name, value in properties.items())
    where = f" ({issue.path})" if issue.path else ""
    return f"::{kind} {stated}::{_escaped(f'{issue.message}{where}{_more(issue)}', _IN_MESSAGES)}"


def issue_json(issue: Issue) -> dict[str, JSON]:
    """*issue* as a JSON object."""
    return {
        "file": issue.position.file,
        "line": issue.position.line,
        "column": issue.position.column,
        "path": issue.path,
        "code": issue.code,
        "message": issue.message,
        "warning": issue.warning,
        "more": issue.more,
        "source": issue.source,
    }


_IN_MESSAGES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTIES = {**_IN_MESSAGES, ":": "%3A", ",": "%2C"}
"""As GitHub's toolkit escapes them (`@actions/core`, command.ts)."""


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(c) or (c if c.isprintable() else "·") for c in text)


def _more(issue: Issue) -> str:
    return f"; and {issue.more:,} more like it" if issue.more else ""


def _window(line: str, at: int, room: int) -> tuple[str, int]:
    """The part of *line* around *at* that *room* columns show, and how many columns stand before *at* in it."""
    if len(line) <= room and cells(whole := _visible(line)) <= room:
        return whole, cells(whole[:at])
    before = fit(_visible(line[max(0, at - room) : at])[::-1], room * 3 // 5)[::-1]
    after = fit(_visible(line[at : at + room]), room - cells(before))
    head = "…" if len(before) < at else ""
    tail = "…" if at + len(after) < len(line) else ""
    return f"{head}{before}{after}{tail}", cells(head + before)


def _visible(text: str) -> str:
    """*text* on one line, with nothing in it that a terminal would obey."""
    return "".join(" " if c == "\t" else c if c.isprintable() else "·" for c in text)


def _bare(text: str, ink: Ink) -> str:  # noqa: ARG001 - the other of the two painters
    return text
