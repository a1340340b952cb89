"""The text of a manifest, and where its lines are. Reading the file happens here and in `prompts`."""

from __future__ import annotations

import codecs
import hashlib
import re
from bisect import bisect_right
from functools import cached_property
from pathlib import Path

from pipeline.errors import InvalidManifest, UsageError
from pipeline.model import Issue, Position, SourceFile

SOURCE_LINE_MAX = 40_000
"""Longer lines are not carried in an issue."""

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

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset of every line's first character."""
        return [0, *(end.end() for end in _LINE_END.finditer(self.text))]

    def position(self, offset: int) -> Position:
        """The line and column of *offset*."""
        line = bisect_right(self.line_starts, offset)
        return Position(file=self.name, line=line, column=offset - self.line_starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """Line *number* as written, without its end; empty where it is too long to show."""
        start = self.line_starts[number - 1]
        end = self.line_starts[number] if number < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n") if end - start <= SOURCE_LINE_MAX else ""


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
    text = _decode(name, content)
    found = _NOT_TEXT.search(text)
    source = Source(name, text)
    if found:
        position = source.position(found.start())
        message = f"the control character U+{ord(found.group()):04X} does not belong in a text file"
        issue = Issue(position=position, message=message, code="control-character", source=source.line(position.line))
        raise InvalidManifest([issue])
    return source, SourceFile(name=path.name, sha256=hashlib.sha256(content).hexdigest(), content=content)


def _decode(name: str, content: bytes) -> str:
    for mark, encoding in _OTHER_ENCODINGS:
        if content.startswith(mark):
            raise _refusal(name, "wrong-encoding", f"the file is {encoding}; save it as UTF-8")
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        source = Source(name, before + content[error.start : error.start + 200].decode("utf-8", "replace"))
        position = source.position(len(before))
        message = f"byte 0x{content[error.start]:02X} at offset {error.start} is not UTF-8; save the file as UTF-8"
        issue = Issue(position=position, message=message, code="wrong-encoding", source=source.line(position.line))
        raise InvalidManifest([issue]) from None


def _refusal(name: str, code: str, message: str) -> InvalidManifest:
    return InvalidManifest([Issue(position=Position(file=name, line=1, column=1), message=message, code=code)])
