"""How an issue looks: `file:line:column: message (path)`, the line as written and a caret; or as JSON."""

from __future__ import annotations

import unicodedata

from pipeline.model import JSON, Issue

_WIDTH = 100
"""Columns of a source line that are shown."""
_BEFORE = 60
_RED, _YELLOW, _BOLD, _DIM, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[1m", "\x1b[2m", "\x1b[0m"


def render_issue(issue: Issue, *, color: bool = False) -> str:
    """*issue* for a terminal, over one or three lines, without a final newline."""
    paint = _painted if color else _bare
    place = paint(_visible(str(issue.position)), _BOLD)
    kind = f"{paint('warning', _YELLOW)}: " if issue.warning else ""
    where = paint(f" ({issue.path})", _DIM) if issue.path else ""
    more = f"; and {issue.more:,} more like it" if issue.more else ""
    first = f"{place}: {kind}{_visible(issue.message)}{where}{more}"
    if not issue.source.strip():
        return first
    text, indent = _window(issue.source, issue.position.column - 1)
    margin = str(issue.position.line)
    caret = paint("^", _YELLOW if issue.warning else _RED)
    return f"{first}\n {margin} | {text}\n {' ' * len(margin)} | {' ' * indent}{caret}"


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


def _window(line: str, at: int) -> tuple[str, int]:
    """The part of *line* around *at* that is shown, and how many columns stand before *at* in it."""
    start = max(0, at - _BEFORE) if len(line) > _WIDTH else 0
    shown = line[start : start + _WIDTH]
    head = "…" if start else ""
    tail = "…" if start + _WIDTH < len(line) else ""
    return f"{head}{_visible(shown)}{tail}", sum(_columns(c) for c in head + _visible(line[start:at]))


def _visible(text: str) -> str:
    """*text* on one line, with nothing in it that a terminal would obey."""
    return "".join(" " if c == "\t" else c if c.isprintable() else "·" for c in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _painted(text: str, paint: str) -> str:
    return f"{paint}{text}{_PLAIN}"


def _bare(text: str, paint: str) -> str:  # noqa: ARG001 - the other of the two painters
    return text
