"""What every format is read into: fields and entries as values, and a way back to where each was written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, Protocol, TypeAlias

from pipeline.manifest.classes import CLASSES
from pipeline.manifest.fields import shown
from pipeline.manifest.source import Source
from pipeline.model import JSON, NOTHING, Issue, Position

Path: TypeAlias = tuple[str | int, ...]
"""Where in the document: `("jobs", 3, "seconds")`. Rows of a data file are `jobs` too."""


@dataclass(slots=True, kw_only=True)  # not frozen: there are a million of them, each for a moment
class Entry:
    """One item of `jobs`, as written. Form is not checked yet, so `fields` may be anything."""

    path: Path
    fields: JSON
    columns: Mapping[str, JSON] = field(default_factory=lambda: NOTHING)
    """What a data row says beyond the fields: variables of its own."""
    take: int = 1
    """The number of its first take. A batch says a wish again where another take of it is meant."""


_WORD = re.compile(r"[A-Za-z0-9_$.-]{1,60}")


class Document(Protocol):
    """A manifest that could be read."""

    literal: bool
    """A data file: its strings are data, never templates."""

    @property
    def names(self) -> Collection[str]:
        """What the rows of a data file call their values."""

    def first_row(self, name: str) -> int:
        """The number of the row of a data file that calls a value *name* first."""

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


_Kind: TypeAlias = tuple[str, str, bool]
"""Code, place without its numbers, and whether it is a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    offset: int
    kind: _Kind
    issue: Issue


ALIKE_MAX = 20
"""So many issues of one kind are told; of the others, how many there are."""
_ONCE = frozenset({"missing-extra"})
"""What one place tells of all the others: nothing in the file is at fault."""
_NUMBER = re.compile(r"\[\d+\]")

Witness: TypeAlias = Callable[[Source, int, str, str], None]
"""Is told of every issue that stops a run, however many are alike: its file, offset, label and message."""


class Findings:
    """The issues found so far; the same one is kept once, and of those alike the first few."""

    def __init__(self, source: Source, witness: Witness | None = None) -> None:
        self.source = source
        self.document: Document | None = None
        self._witness = witness
        self._settled: set[str] = set()
        self._found: list[_Finding] = []
        self._known: set[int] = set()
        self._grave = 0
        self._alike: Counter[_Kind] = Counter()

    def at(
        self, offset: int, code: str, message: str, *, label: str = "", warning: bool = False, hidden: bool = False
    ) -> None:
        """Add an issue at *offset*. *hidden* keeps the line out of it: it may hold a secret."""
        assert code in CLASSES, f"the class of issues '{code}' stands not in pipeline/manifest/classes.py"
        if code in self._settled:
            return
        message = _KEY.sub("[a key]", message)
        known = hash((offset, code, message))
        if known in self._known:
            return
        self._known.add(known)
        self._grave += not warning
        if code in _ONCE:
            self.settle(code)
        if self._witness is not None and not warning:
            self._witness(self.source, offset, label, message)
        kind = (code, _NUMBER.sub("[]", label), warning)
        self._alike[kind] += 1
        if self._alike[kind] > ALIKE_MAX:
            return
        line = self.source.line_around(offset)
        issue = Issue(
            position=self.source.position(offset),
            message=message,
            path=label,
            code=code,
            source="" if hidden or _SECRET.search(line) else line,
            warning=warning,
        )
        self._found.append(_Finding(offset=offset, kind=kind, issue=issue))

    def about(
        self, path: Path, code: str, message: str, *, key: bool = False, warning: bool = False, hidden: bool = False
    ) -> None:
        """Add an issue with what is written at *path*, or with its key."""
        assert self.document is not None, "an issue about a path needs a document"
        offset, label = self.document.offset(path, key=key), self.document.label(path)
        self.at(offset, code, message, label=label, warning=warning, hidden=hidden)

    def settle(self, code: str) -> None:
        """One issue of this class is said of the whole file: no more of them are added."""
        self._settled.add(code)

    def is_settled(self, code: str) -> bool:
        """Whether an issue of this class is said of the whole file."""
        return code in self._settled

    def in_order(self, *, warning: bool | None = None) -> Sequence[Issue]:
        """The issues that stop a run, or those that do not, or (`None`) all of them, in reading order."""
        found = sorted((f for f in self._found if warning in (None, f.issue.warning)), key=attrgetter("offset"))
        last = {finding.kind: n for n, finding in enumerate(found)}
        return [
            replace(finding.issue, more=max(0, self._alike[finding.kind] - ALIKE_MAX))
            if last[finding.kind] == n
            else finding.issue
            for n, finding in enumerate(found)
        ]

    def __len__(self) -> int:
        """How many stop a run."""
        return self._grave


@dataclass(slots=True)
class Place:
    """What stands at a path in a file, for an issue to be about."""

    findings: Findings
    """Of the file."""
    path: Path

    def below(self, *path: str | int) -> Place:
        """What stands at *path* in it."""
        return Place(self.findings, (*self.path, *path))

    @property
    def literal(self) -> bool:
        """It is data."""
        return self._document.literal

    def position(self) -> Position:
        """Its line and column."""
        return self.findings.source.position(self._document.offset(self.path))

    @property
    def _document(self) -> Document:
        document = self.findings.document
        assert document is not None, "a place is one in a document"
        return document

    def about(self, code: str, message: str, *, key: bool = False, warning: bool = False, hidden: bool = False) -> None:
        """Add an issue about what is written here."""
        self.findings.about(self.path, code, message, key=key, warning=warning, hidden=hidden)


class Unreadable(Exception):
    """Reading cannot go on; what is wrong is among the findings already."""


def without(frame: Mapping[str, Any], wrong: Collection[Path]) -> Mapping[str, Any]:
    """*frame* without what stands at the paths in *wrong*."""
    above = {path[:length] for path in wrong for length in range(len(path))}

    def sound(value: Any, path: Path) -> Any:
        if path not in above:
            return value
        if isinstance(value, dict):
            return {key: sound(below, (*path, key)) for key, below in value.items() if (*path, key) not in wrong}
        if isinstance(value, list):
            return [sound(below, (*path, n)) for n, below in enumerate(value) if (*path, n) not in wrong]
        return value

    result: Mapping[str, Any] = sound(frame, ())
    return result


def dotted(path: Path) -> str:
    """*path* as people write it: `jobs[3].seconds`."""
    return "".join(map(_step, path)).removeprefix(".")


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if _WORD.fullmatch(part) else f'["{shown(part)}"]'
