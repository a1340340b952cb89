"""The files of a manifest, read one after the other, each with what is wrong in it."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, Final

from pipeline.errors import InvalidManifest
from pipeline.manifest.columns import idle_names
from pipeline.manifest.document import Document, Findings, Place, Unreadable, Witness
from pipeline.manifest.fields import MAPPING_FIELDS, shown
from pipeline.manifest.files import BadFile, Files
from pipeline.manifest.form import Form
from pipeline.manifest.patterns import is_pattern
from pipeline.manifest.read_csv import read_csv
from pipeline.manifest.read_jsonl import read_jsonl
from pipeline.manifest.read_yaml import read_yaml
from pipeline.manifest.sheet import Sheet, Written, left_out
from pipeline.manifest.source import Source, source_of
from pipeline.model import Issue

YAML: Final = (".yaml", ".yml")
CSV: Final = (".csv", ".tsv")
JSONL: Final = (".jsonl", ".ndjson")
BYTES_MAX = 64 * 2**20
LARGE_BYTES_MAX = 512 * 2**20
"""A data file may have so many with `--allow-large`."""
ALL_BYTES_MAX = 4 * BYTES_MAX
LARGE_ALL_BYTES_MAX = 4 * LARGE_BYTES_MAX
"""So many may the data files and included manifests have together."""


class Reading:
    """Reads files into documents, and keeps what was found in them, in reading order."""

    def __init__(self, *, files: Files, form: Form, folder: str, large: bool, witness: Witness | None = None) -> None:
        self._files = files
        self._form = form
        self._folder = folder
        self._large = large
        self._witness = witness
        self._findings: list[Findings] = []
        self._alone: list[Findings] = []
        """Of the manifests among them."""
        self._refused: list[Issue] = []
        self._stated: dict[Findings, Collection[str]] = {}
        """By data file: what its rows have where they say nothing."""
        self._bytes = 0

    def bytes_max(self, name: str) -> int:
        """How long a file called *name* may be."""
        return LARGE_BYTES_MAX if self._large and suffix(name) not in YAML else BYTES_MAX

    def document(self, name: str, source: Source, *, alone: bool = True) -> tuple[Document | None, Findings]:
        """The file *name* with the text *source*, and what is wrong with it; no document where it cannot be read.

        *alone*: it is a manifest by itself, so a data file has to hold the prompts.
        """
        findings = Findings(source, self._witness)
        self._findings.append(findings)
        if alone:
            self._alone.append(findings)
        try:
            findings.document = document = self._read(suffix(name), source, findings, alone=alone)
        except Unreadable:
            return None, findings
        return document, findings

    def open(self, name: str, place: Place, *, alone: bool) -> tuple[Document, Findings] | None:
        """The same for a file that is named at *place*; `None`: it cannot be read, which is an issue there or in it."""
        try:
            content = self._files.read(name, bytes_max=self.bytes_max(name)).content
            self._count(len(content))
            source = source_of(name if self._folder == "." else posixpath.join(self._folder, name), content)
        except BadFile as fault:
            place.about(fault.code, str(fault))
            return None
        except InvalidManifest as refused:
            self._refused += refused.issues
            return None
        document, findings = self.document(name, source, alone=alone)
        return None if document is None else (document, findings)

    def refuse(self, issues: Sequence[Issue]) -> None:
        """Keep what is wrong in a file that was read elsewhere."""
        self._refused += issues

    def _count(self, length: int) -> None:
        """Read so many bytes more, be they the same ones as before. Raises `BadFile`."""
        most = LARGE_ALL_BYTES_MAX if self._large else ALL_BYTES_MAX
        self._bytes += length
        if self._bytes > most:
            words = f"this is more than {most // 2**20:,} MiB in all, each file counted as often as it is named"
            raise BadFile("too-large", words if self._large else f"{words}; --allow-large reads more")

    def rows(self, entry: Written) -> Iterator[Written]:
        """The data rows of *entry*: of every file that its `from` names, in order."""
        stated = entry.fields["from"]
        patterns: Sequence[str] = [stated] if isinstance(stated, str) else stated
        for number, pattern in enumerate(patterns):
            place = entry.place("from", number) if isinstance(stated, list) else entry.place("from")
            for name in self.names(entry.sheet, pattern, place, (*CSV, *JSONL)):
                yield from self._rows_of(entry, name, place)

    def names(self, sheet: Sheet, pattern: str, place: Place, kinds: Sequence[str]) -> Sequence[str]:
        """The files that *pattern*, written at *place*, names; those of other kinds are issues."""
        name = sheet.name_of(pattern)
        try:
            literal = not is_pattern(pattern) or self._files.holds(name)
            named = [name] if literal else self._files.names(sheet.pattern_of(pattern))
        except BadFile as fault:
            place.about(fault.code, str(fault))
            return ()
        if wrong := [name for name in named if suffix(name) not in kinds]:
            place.about("unknown-kind", f"'{shown(wrong[0])}': the name of such a file ends in {', '.join(kinds)}")
        return [name for name in named if suffix(name) in kinds]

    def judged(self, sheet: Sheet, document: Document) -> Iterator[Written]:
        """The rows of a data file; what is wrong with their form is found."""
        for entry in document.entries():
            assert isinstance(entry.fields, dict), "a row is a mapping"
            yield Written.judged(sheet, entry, entry.fields, self._form.judge_fields(entry.fields))

    def warn_of_columns(self, asked: Container[str], *, alone: bool) -> None:
        """Warn of values in data files that look like a field, and that none of the variables *asked* for is.

        *alone*: only in data files that are manifests. Of an entry at fault nobody knows what it would have asked for.
        """
        for findings in self._alone if alone else self._findings:
            if findings.document is not None and findings.document.literal:
                stated = self._stated.get(findings, ())
                told = ["prompt"] if findings.is_settled("missing-prompt") else []
                for name, message in idle_names(findings.document.names, asked, {*told, *stated}):
                    row = findings.document.first_row(name)
                    findings.about(("jobs", row, name), "idle-column", message, key=True, warning=True)

    def issues(self, *, warning: bool | None = None) -> Sequence[Issue]:
        """What was found so far, file by file in reading order: what stops a run, or does not, or (`None`) all."""
        found = [issue for findings in self._findings for issue in findings.in_order(warning=warning)]
        known = dict.fromkeys(found if warning else [*found, *self._refused])
        return list(known)

    def _rows_of(self, entry: Written, name: str, place: Place) -> Iterator[Written]:
        opened = self.open(name, place, alone=False)
        if opened is None:
            return
        document, findings = opened
        self._stated[findings] = {*_names_of(entry.fields)}
        yield from self.judged(replace(entry.sheet, document=document, findings=findings), document)

    def _read(self, kind: str, source: Source, findings: Findings, *, alone: bool) -> Document:
        if kind in CSV:
            findings.document = document = read_csv(source, findings, self._form.entry_schema, alone=alone)
            return document
        if kind in JSONL:
            return read_jsonl(source, findings, self._form.entry_schema)
        return read_yaml(source, findings, self._form.schema)


def _names_of(fields: Mapping[str, Any]) -> Iterator[str]:
    """What *fields* state: each by its name, those of `params` and `meta` and the axes too."""
    for name, value in fields.items():
        below = (f"{name}.{part}" for part in value) if name in MAPPING_FIELDS else left_out(name, value)
        yield from below


def suffix(name: str) -> str:
    """What tells a file's kind."""
    return PurePosixPath(name).suffix.lower()
