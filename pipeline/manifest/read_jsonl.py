"""JSON lines: one object a line, one entry an object. Places are found by reading a line again, when one is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from pipeline.manifest import batch
from pipeline.manifest.document import Entry, Findings, Path, Unreadable, dotted
from pipeline.manifest.fields import DATA_FIELDS, MAPPING_FIELDS, NOT_HERE, NOT_OF_DATA, near_miss, shown
from pipeline.manifest.read_yaml import DEPTH_MAX, NAMES_MAX
from pipeline.manifest.scalars import typed
from pipeline.manifest.source import Source
from pipeline.model import JSON, NOTHING

_BLANK = re.compile(r"[ \t\r\n]*")
_LINE = re.compile("[^\n]+")
_DOUBTFUL = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_NOT_SENDABLE = re.compile("[\x00\ud800-\udfff]")
_KNOWN = frozenset((*DATA_FIELDS, *MAPPING_FIELDS))


class LinesDocument:
    """A JSONL file as a manifest."""

    literal = True

    def __init__(self, source: Source, findings: Findings, entry_schema: Mapping[str, Any]) -> None:
        self._source = source
        self._findings = findings
        self._fields: Mapping[str, Any] = entry_schema["properties"]
        self._doubled = False
        self._decoder = json.JSONDecoder(object_pairs_hook=self._object, parse_constant=_no_number)
        self._starts: list[int] = []
        self._is_batch: bool | None = None
        """Whether its lines are requests of an OpenAI batch: the first one says."""
        self._takes = batch.Takes()
        self.frame: JSON = {"jobs": [None]}
        self._names: set[str] = set()
        self._first: dict[str, int] = {}
        """By a name: the row that says it first."""
        self._is_read = False

    @property
    def names(self) -> Collection[str]:
        """What its lines call their values; those further down are looked through where that is asked before."""
        if not self._is_read:
            self._is_read = True
            self._names |= _names_in(self._source.text)
        return self._names

    def first_row(self, name: str) -> int:
        return self._first.get(name, 0)

    def entries(self) -> Iterator[Entry]:
        """The entries, typed; a line that cannot be read becomes an issue and is left out."""
        start = 0
        for line in self._source.text.split("\n"):
            if line.strip():
                value = self._read(line, start)
                if value is not None:
                    self._starts.append(start)
                    entry = self._entry(("jobs", len(self._starts) - 1), value)
                    if entry is not None:
                        yield entry
            start += len(line) + 1
        self._is_read = True
        if not self._starts and not len(self._findings):
            self._findings.at(0, "no-rows", "the file has no lines; a manifest needs at least one job")

    def offset(self, path: Path, *, key: bool = False) -> int:
        """Where *path* is written on its line; the line where it cannot be told."""
        if len(path) < 2 or not isinstance(path[1], int):
            return 0
        start = self._starts[path[1]]
        return _locate(self._source.text, start, _as_named(self._source.text, start, self._written(path)), key=key)

    def extent(self, path: Path) -> tuple[int, int]:
        return self.offset(path), self.offset(path)

    def label(self, path: Path) -> str:
        return dotted(self._written(path))

    def text(self, path: Path) -> str | None:  # noqa: ARG002 - no data row holds a field that is read as text
        return None

    def _written(self, path: Path) -> Path:
        """Where on its line the field at *path* stands."""
        return batch.written_at(path[2:]) if self._is_batch else path[2:]

    def _read(self, line: str, start: int) -> dict[str, JSON] | None:
        self._doubled = False
        try:
            value = self._decoder.decode(line)
        except json.JSONDecodeError as error:
            self._findings.at(start + min(error.pos, len(line)), "syntax", f"this line is not JSON: {error.msg}")
        except RecursionError:
            self._findings.at(start, "too-deep", f"nested deeper than {DEPTH_MAX} levels")
        except ValueError as error:
            self._findings.at(start, "syntax", f"this line is not JSON: {error}")
        else:
            return self._checked(value, line, start)
        return None

    def _checked(self, value: JSON, line: str, start: int) -> dict[str, JSON] | None:
        if not isinstance(value, dict):
            self._findings.at(start, "wrong-type", 'each line is an object: {"prompt": "…"}')
            return None
        excess = _excess(value)
        if excess is not None:
            self._findings.at(start, *excess)
            return None
        if self._doubled:
            self._report_doubled(start)
        if _DOUBTFUL.search(line) and not _sendable(value):
            self._findings.at(
                start, "bad-text", "this line holds U+0000 or half of a surrogate pair; neither can be sent"
            )
            return None
        return value

    def _entry(self, path: Path, value: dict[str, JSON]) -> Entry | None:
        """The entry on a line; `None` where the line is of another kind than the first one."""
        is_request = batch.is_request(value)
        if self._is_batch is None:
            self._is_batch = is_request
        if is_request is not self._is_batch:
            kinds = "an OpenAI Batch request", "a job of vidbatch"
            this, first = kinds if is_request else kinds[::-1]
            message = f"this line is {this} and the first one is {first}; a file has one kind of lines"
            self._findings.about(path, "mixed-lines", message)
            return None
        return self._request(path, value) if is_request else self._plain(path, value)

    def _request(self, path: Path, value: dict[str, JSON]) -> Entry | None:
        for fault in batch.faults_of(value):
            self._findings.about((*path, *fault.path), fault.code, fault.message, key=fault.key)
        if not isinstance(value.get("body"), dict):
            return None
        fields = {name: self._typed(name, field) for name, field in batch.fields_of(value).items()}
        return Entry(path=path, fields=fields, take=self._takes.number(fields))

    def _typed(self, name: str, field: JSON) -> JSON:
        return typed(field, self._fields[name], plain=False) if isinstance(field, str) else field

    def _plain(self, path: Path, value: dict[str, JSON]) -> Entry:
        fields: dict[str, JSON] = {}
        columns: dict[str, JSON] = {}
        for name, field in value.items():
            if name in _KNOWN:
                fields[name] = typed(field, self._fields[name], plain=False) if isinstance(field, str) else field
            elif name in NOT_OF_DATA:
                self._findings.about((*path, name), "bad-column", NOT_HERE.format(name), key=True)
            elif name == "vars":
                self._findings.about(
                    (*path, name),
                    "bad-column",
                    "there is no 'vars' in a row of data: every name beside the fields is a variable",
                    key=True,
                )
            elif near_miss(name):
                message = f"'{shown(name)}' looks like the field '{near_miss(name)}'; mend it, or put it into 'meta'"
                self._findings.about((*path, name), "near-miss", message, key=True)
                if near_miss(name) not in value:
                    fields[near_miss(name)] = self._typed(near_miss(name), field)  # to be judged as what was meant
            else:
                columns[name] = field
        if not value.keys() <= self._first.keys():
            self._names |= value.keys()
            self._first = {**dict.fromkeys(value, len(self._starts) - 1), **self._first}
        return Entry(path=path, fields=fields, columns=columns or NOTHING)

    def _object(self, pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
        value = dict(pairs)
        if len(value) != len(pairs):
            self._doubled = True
            value = dict(reversed(pairs))  # the first of two counts: that is where issues are placed
        return value

    def _report_doubled(self, start: int) -> None:
        """Find the key that stands twice; reading the line again, which is rare."""
        seen: dict[tuple[str | int, ...], int] = {}
        for path, place in _keys(self._source.text, start):
            if path in seen:
                self._findings.at(place, "duplicate-key", f"the key '{shown(path[-1])}' stands already on this line")
            seen.setdefault(path, place)


def read_jsonl(source: Source, findings: Findings, entry_schema: Mapping[str, Any]) -> LinesDocument:
    """The document in *source*. Raises `Unreadable` for an empty file."""
    if not source.text.strip():
        findings.at(0, "empty-file", "the file is empty; write one JSON object a line")
        raise Unreadable
    return LinesDocument(source, findings, entry_schema)


def _names_in(text: str) -> set[str]:
    """The names on all lines of *text* that are objects of their own, whatever else is wrong with them."""
    names: set[str] = set()
    for line in _LINE.finditer(text):
        try:
            value = json.loads(line.group())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and not batch.is_request(value):
            names |= value.keys()
    return names


def _no_number(word: str) -> JSON:
    raise ValueError(f"{word} is not a number in JSON")


def _excess(value: JSON) -> tuple[str, str] | None:
    """Code and message of what is too much in *value*, level by level: it may be deeper than we could recur."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEPTH_MAX:
            return "too-deep", f"nested deeper than {DEPTH_MAX} levels"
        below: list[JSON] = []
        for part in level:
            if isinstance(part, dict):
                if len(part) > NAMES_MAX:
                    return "too-many", f"more than {NAMES_MAX:,} names in one object"
                below.extend(part.values())
            elif isinstance(part, list):
                below.extend(part)
        level = below
    return None


def _sendable(value: JSON) -> bool:
    if isinstance(value, str):
        return _NOT_SENDABLE.search(value) is None
    inner = (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(map(_sendable, inner))


def _blank(text: str, start: int) -> int:
    match = _BLANK.match(text, start)
    return match.end() if match else start


def _members(text: str, start: int) -> Iterator[tuple[str | int, int, int]]:
    """The members of the sound JSON object or list that begins at *start*: name, its place, its value's place."""
    decoder = json.JSONDecoder()
    closing, at, number = {"{": "}", "[": "]"}[text[start]], _blank(text, start + 1), 0
    while text[at] != closing:
        name: str | int = number
        place = at
        if closing == "}":
            name, end = scanstring(text, at + 1, True)
            at = _blank(text, _blank(text, end) + 1)
        yield name, place, at
        at = _blank(text, decoder.raw_decode(text, at)[1])
        at = _blank(text, at + 1) if text[at] == "," else at
        number += 1


def _as_named(text: str, start: int, path: Path) -> Path:
    """*path* with the name that stands on the line at *start*, where that misses the field's by a letter."""
    start = _blank(text, start)
    if not path or text[start] != "{":
        return path
    names = [name for name, _, _ in _members(text, start)]
    if path[0] in names:
        return path
    return (next((name for name in names if near_miss(str(name)) == path[0]), path[0]), *path[1:])


def _locate(text: str, start: int, path: Path, *, key: bool) -> int:
    start = _blank(text, start)
    if not path or text[start] not in "{[":
        return start
    for name, place, value in _members(text, start):
        if name == path[0]:
            return place if key and len(path) == 1 else _locate(text, value, path[1:], key=key)
    return start


def _keys(text: str, start: int, above: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """Every key of the sound JSON value at *start*, with its path and place."""
    start = _blank(text, start)
    if text[start] not in "{[":
        return
    for name, place, value in _members(text, start):
        path = (*above, name)
        if text[start] == "{":
            yield path, place
        yield from _keys(text, value, path)
