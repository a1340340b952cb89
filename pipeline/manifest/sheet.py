"""A file of a manifest as it was read."""

from __future__ import annotations

import posixpath
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.manifest.document import Document, Entry, Findings, Path, Place
from pipeline.manifest.fields import LINK_FIELDS
from pipeline.manifest.patterns import literal
from pipeline.manifest.settings import Ground
from pipeline.manifest.texts import is_plain
from pipeline.manifest.wording import Fault
from pipeline.model import JSON, Position

_TEXTS = ("id", "group")
"""Texts that most entries say once for all their cells."""
_SAY_NAMES = ("matrix", "vars")
_SAY_ANYTHING = ("from", *LINK_FIELDS)
"""What they mean stands elsewhere."""
SOURCES_OF_NAMES = frozenset({*_SAY_NAMES, *_SAY_ANYTHING})
"""The fields that say variables, or fields of single jobs."""
ANY = "*"
"""Among what is left out of an entry: it might have said whatever there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One file: the manifest itself, one that it includes, or one with data."""

    document: Document
    findings: Findings
    ground: Ground
    base: str = ""
    """The folder, relative to the manifest's, that the names of files in it begin at."""

    def name_of(self, file: str) -> str:
        """*file*, as it is named in this file, relative to the manifest's folder."""
        plain = not self.base and "./" not in file
        return file if plain else posixpath.normpath(posixpath.join(self.base, file))

    def pattern_of(self, pattern: str) -> str:
        """The same for a *pattern* of names."""
        return posixpath.normpath(posixpath.join(literal(self.base), pattern))


@dataclass(slots=True, kw_only=True)  # not frozen: there are a million of them, each for a moment
class Written:
    """An entry or a data row, and where it stands."""

    sheet: Sheet
    entry: Entry
    fields: Mapping[str, Any]
    """Those whose form is right."""
    wrong: frozenset[str] = frozenset()
    """What the others might have said: fields and variables, by name, or `ANY`. It makes no job, and is looked at for
    what else is wrong with it."""
    mark: tuple[Hashable, ...] | None = None
    """What it says but for its texts, once somebody asked."""
    plain: dict[str, str] | None = None
    """Those of its texts that are no templates and can be sent, as far as somebody asked."""

    @classmethod
    def judged(cls, sheet: Sheet, entry: Entry, fields: Mapping[str, Any], faults: Sequence[Fault]) -> Written:
        """*entry* with these *fields*; its *faults* become issues."""
        if not faults:
            return cls(sheet=sheet, entry=entry, fields=fields)
        report(sheet.findings, [fault.below(entry.path) for fault in faults])
        named = {fault.field for fault in faults}
        sound = {name: value for name, value in fields.items() if name not in named}
        wrong = {said for fault in faults for said in left_out(fault.meant or fault.field, fields.get(fault.field))}
        return cls(sheet=sheet, entry=entry, fields=sound, wrong=frozenset(named | wrong))

    @property
    def literal(self) -> bool:
        """It is data: none of its strings is a template."""
        return self.sheet.document.literal

    def place(self, *below: str | int) -> Place:
        """The entry, or what stands below it."""
        path: Path = (*self.entry.path, *below)
        return Place(self.sheet.findings, path)

    def position(self) -> Position:
        """Where it begins."""
        return self.sheet.findings.source.position(self.sheet.document.offset(self.entry.path))

    def plain_text(self, name: str) -> str | None:
        """What it says as *name*; `None`: that is a template, or cannot be sent."""
        if self.plain is None:
            self.plain = {name: text for name in _TEXTS if is_plain(text := self.fields.get(name, ""))}
        return self.plain.get(name)

    def states(self, name: str, part: str = "") -> bool:
        """Whether it states the field *name* (or its *part*) itself."""
        return name in self.fields and (not part or part in self.fields[name])

    def holds(self, axis: str) -> bool:
        """Whether it says what an *axis* of this name would say."""
        head, dot, part = axis.partition(".")
        return axis in self.fields or axis in self.entry.columns or (bool(dot) and self.states(head, part))


def left_out(name: str, value: JSON) -> Iterator[str]:
    """What the field *name* might have said, whose *value* is not heard."""
    yield name
    if name in _SAY_NAMES and isinstance(value, dict):
        yield from _keys(value)
    elif name in SOURCES_OF_NAMES:
        yield ANY


def _keys(value: JSON) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(below)


def report(findings: Findings, faults: Sequence[Fault]) -> None:
    """Make issues of *faults* in a document."""
    for fault in faults:
        findings.about(fault.path, fault.code, fault.message, key=fault.key, hidden=fault.hidden)
