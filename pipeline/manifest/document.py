"""What every format is read into: fields and entries as values, and a way back to where each was written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from pipeline.manifest.fields import shown
from pipeline.manifest.source import Source
from pipeline.model import JSON, NOTHING, Issue

Path: TypeAlias = tuple[str | int, ...]
"""Where in the document: `("jobs", 3, "seconds")`. Rows of a data file are `jobs` too."""


@dataclass(slots=True, kw_only=True)  # not frozen: there are a million of them, each for a moment
class Entry:
    """One item of `jobs`, as written. Form is not checked yet, so `fields` may be anything."""

    path: Path
    fields: JSON
    columns: Mapping[str, JSON] = field(default_factory=lambda: NOTHING)
    """What a data row says beyond the fields: variables of its own."""


_WORD = re.compile(r"[A-Za-z0-9_$.-]{1,60}")


class Document(Protocol):
    """A manifest that could be read."""

    literal: bool
    """A data file: its strings are data, never templates."""

    @property
    def frame(self) -> JSON:
        """The whole document; `jobs` as far as it is needed to judge everything around the entries."""

    def entries(self) -> Iterable[Entry]:
        """The entries in reading order. A data file adds issues of reading as it goes."""

    def offset(self, path: Path, *, key: bool = False) -> int:
        """Where *path* is written: its value, or its key. Falls back on what is written around it."""

    def extent(self, path: Path) -> tuple[int, int]:
        """Where the text at *path* begins and ends."""

    def label(self, path: Path) -> str:
        """*path* as an issue shows it."""

    def text(self, path: Path) -> str | None:
        """The characters of the scalar at *path*, before they got a type."""


_KEY = re.compile(r"\bsk-[\w-]{8,}")
"""The common shape of a key: not repeated in a message either."""
_SECRET = re.compile(r"\bsk-[\w-]{8,}|(?:api_?key|token|secret|password)[\"']?\s*[:=,]\s*[\"']?\S{8,}", re.IGNORECASE)
"""A line that may hold a key: it is not repeated, whatever is wrong with it."""


class Findings:
    """The issues found so far; the same one is kept once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.document: Document | None = None
        self._found: dict[tuple[int, str, str], Issue] = {}

    def at(
        self, offset: int, code: str, message: str, *, label: str = "", warning: bool = False, hidden: bool = False
    ) -> None:
        """Add an issue at *offset*. *hidden* keeps the line out of it: it may hold a secret."""
        message = _KEY.sub("[a key]", message)
        known = (offset, code, message)
        if known in self._found:
            return
        position = self.source.position(offset)
        line = self.source.line(position.line)
        line = "" if hidden or _SECRET.search(line) else line
        self._found[known] = Issue(
            position=position, message=message, path=label, code=code, source=line, warning=warning
        )

    def about(
        self, path: Path, code: str, message: str, *, key: bool = False, warning: bool = False, hidden: bool = False
    ) -> None:
        """Add an issue with what is written at *path*, or with its key."""
        assert self.document is not None, "an issue about a path needs a document"
        offset, label = self.document.offset(path, key=key), self.document.label(path)
        self.at(offset, code, message, label=label, warning=warning, hidden=hidden)

    def in_order(self, *, warning: bool) -> Sequence[Issue]:
        """The issues that stop a run, or those that do not, in reading order."""
        found = sorted(self._found.items(), key=lambda pair: pair[0][0])
        return [issue for _, issue in found if issue.warning is warning]

    def __len__(self) -> int:
        return len(self._found)


class Unreadable(Exception):
    """Reading cannot go on; what is wrong is among the findings already."""


def dotted(path: Path) -> str:
    """*path* as people write it: `jobs[3].seconds`."""
    return "".join(map(_step, path)).removeprefix(".")


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if _WORD.fullmatch(part) else f'["{shown(part)}"]'
