"""The text of a manifest, and where its lines are. Reading the file happens here and in `files`."""

from __future__ import annotations

import codecs
import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from operator import itemgetter
from pathlib import Path

from pipeline.errors import InvalidManifest, UsageError
from pipeline.model import Issue, Position, SourceFile

SOURCE_LINE_MAX = 40_000
"""Longer lines are not carried in an issue."""

_BLOCK = 4_096
"""So many characters stand between two places whose line is kept: a text of line ends alone is indexed in no time."""
_LINE_END = re.compile(r"\r\n|\n|\r")
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]")
_OTHER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class Source:
    """A manifest's text. Places in it are offsets in characters; lines and columns are worked out when asked for."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self._lf_ends = text.count("\r") == text.count("\r\n")
        """Every line ends with a line feed, whatever stands before that."""
        self._last = (0, 1, 0)
        """A place whose line was looked for, the number of that line and where it begins: the next is often near."""

    def position(self, offset: int) -> Position:
        """The line and column of *offset*."""
        line, start = self._line_at(offset)
        return Position(file=self.name, line=line, column=offset - start + 1)

    def offset(self, position: Position) -> int:
        """Where *position*, which is one in this text, is."""
        block = bisect_right(self._blocks, position.line - 1, key=itemgetter(0)) - 1
        line, start = self._line_at(block * _BLOCK)
        while line < position.line:
            start = _LINE_END.search(self.text, start).end()  # type: ignore[union-attr]
            line += 1
        return start + position.column - 1

    def line_around(self, offset: int) -> str:
        """The line of *offset* as written, without its end; empty where it is too long to show."""
        _, start = self._line_at(offset)
        line = self.text[start : start + SOURCE_LINE_MAX + 2].split("\n", 1)[0].split("\r", 1)[0]
        return line if len(line) <= SOURCE_LINE_MAX else ""

    def _line_at(self, offset: int) -> tuple[int, int]:
        """The number of the line of *offset*, and where it begins."""
        at, line, start = self._last
        if not at <= offset < at + _BLOCK:
            ended, start = self._blocks[offset // _BLOCK]
            at, line = offset - offset % _BLOCK, 1 + ended
        if self._lf_ends:
            line += self.text.count("\n", at, offset)
            start = self.text.rfind("\n", at, offset) + 1 or start
        else:
            line += self._ends(at, offset)
            start = self._last_start(at, offset, start)
        self._last = (offset, line, start)
        return line, start

    @cached_property
    def _blocks(self) -> Sequence[tuple[int, int]]:
        """For the first character of every block: how many lines end before it, and where its own line begins."""
        return list(self._count())

    def _count(self) -> Iterator[tuple[int, int]]:
        ended = start = 0
        for at in range(0, len(self.text) + 1, _BLOCK):
            yield ended, start
            ended += self._ends(at, at + _BLOCK)
            start = self._last_start(at, at + _BLOCK, start)

    def _ends(self, start: int, stop: int) -> int:
        """How many lines end from *start* to before *stop*; where a CR LF does, its LF stands."""
        text = self.text
        return text.count("\n", start, stop) + text.count("\r", start, stop) - text.count("\r\n", start, stop + 1)

    def _last_start(self, start: int, stop: int, before: int) -> int:
        """Where the line of the character at *stop* begins; *before* where no line ends from *start* to there."""
        after_lf = self.text.rfind("\n", start, stop) + 1
        stop -= self.text.startswith("\r\n", stop - 1)
        after_cr = self.text.rfind("\r", max(start, after_lf), stop) + 1
        return max(after_lf, after_cr) or before


def read_bytes(path: Path, *, bytes_max: int) -> bytes:
    """The file's bytes, at most *bytes_max* + 1. Raises `UsageError` for a file that is not there or cannot be read."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name the manifest file in it")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is not a regular file")
    try:
        with path.open("rb") as file:
            return file.read(bytes_max + 1)
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error


def read_source(path: Path, *, bytes_max: int) -> tuple[Source, SourceFile]:
    """The manifest at *path* as text and as kept. Raises `UsageError`; `InvalidManifest` for bytes that are no text."""
    content = read_bytes(path, bytes_max=bytes_max)
    name = str(path)
    if len(content) > bytes_max:
        raise _refusal(name, "too-large", f"the file is larger than {bytes_max // 2**20} MiB; split it")
    source = source_of(name, content)
    return source, SourceFile(name=path.name, sha256=hashlib.sha256(content).hexdigest(), content=content)


def source_of(name: str, content: bytes) -> Source:
    """*content* as the text of the file called *name*. Raises `InvalidManifest` for bytes that are no text."""
    source = Source(name, _decode(name, content))
    found = _NOT_TEXT.search(source.text)
    if found:
        at = found.start()
        position = source.position(at)
        message = f"the control character U+{ord(found.group()):04X} does not belong in a text file"
        issue = Issue(position=position, message=message, code="control-character", source=source.line_around(at))
        raise InvalidManifest([issue])
    return source


def _decode(name: str, content: bytes) -> str:
    for mark, encoding in _OTHER_ENCODINGS:
        if content.startswith(mark):
            raise _refusal(name, "wrong-encoding", f"the file is {encoding}; save it as UTF-8")
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        source = Source(name, before + content[error.start : error.start + 200].decode("utf-8", "replace"))
        at = len(before)
        position = source.position(at)
        message = f"byte 0x{content[error.start]:02X} at offset {error.start} is not UTF-8; save the file as UTF-8"
        issue = Issue(position=position, message=message, code="wrong-encoding", source=source.line_around(at))
        raise InvalidManifest([issue]) from None


def _refusal(name: str, code: str, message: str) -> InvalidManifest:
    return InvalidManifest([Issue(position=Position(file=name, line=1, column=1), message=message, code=code)])
