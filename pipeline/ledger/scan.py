"""Reading a ledger: which bytes are good, what is a torn tail, what is damage.

- A *torn tail* is what a write that was cut off leaves: bad bytes at the end and no good line after them. Nobody
  acted upon them, for what is acted upon was synced before; so they may be cut.
- All else that is bad is *damage* and not ours to cut: bad bytes before a good line, a gap or a repeat in the
  numbers, a record that cannot be true, and a bad last line that is there to its newline (a write that was cut off
  leaves no newline, and where blocks are missing, NULs).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import LedgerDamaged, UsageError
from pipeline.ledger.records import LINE_BYTES_MAX, BadRecord, Record, UnknownFormat, decode, is_whole
from pipeline.ledger.replay import RunState
from pipeline.lifecycle import ImpossibleFact
from pipeline.memory import garbage_left_alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How far a ledger is good."""

    length: int
    """Bytes, with the newline of the last good line, be it written or not."""
    lines: int
    torn: bytes = b""
    """The torn tail."""
    unended: bool = False
    """The last good line lacks its newline, and nothing else."""


def replay(path: Path) -> tuple[RunState, Extent]:
    """What the ledger at *path* adds up to. Raises `LedgerDamaged`, `UsageError`, `OSError`."""
    state = RunState()
    with path.open("rb") as file, garbage_left_alone():
        extent = scan(file, path, state.apply)
    return state, extent


def scan(file: BinaryIO, path: Path, take: Callable[[Record], None]) -> Extent:
    """Give every good record to *take*, in order. Raises `LedgerDamaged`; *path* is for the message."""
    length, number, line = 0, 0, b""
    lines = lines_of(file)
    for line in lines:
        if not is_whole(line):
            break
        number += 1
        _take(line, number, path, take)
        length += len(line)
    else:
        return Extent(length=length, lines=number)
    if is_whole(line + b"\n"):
        _take(line + b"\n", number + 1, path, take)
        return Extent(length=length + len(line) + 1, lines=number + 1, unended=True)
    return Extent(length=length, lines=number, torn=_torn(line, lines, path, number + 1))


def _take(line: bytes, number: int, path: Path, take: Callable[[Record], None]) -> None:
    try:
        record = decode(line)
        if record.n != number:
            raise BadRecord(f"record {number} should stand here, and it is record {record.n}")
        take(record)
    except UnknownFormat as error:
        raise UsageError(f"{path}:{number}: {error}") from None
    except (BadRecord, ImpossibleFact) as error:
        raise LedgerDamaged(path, number, str(error)) from None


def _torn(first: bytes, rest: Iterator[bytes], path: Path, number: int) -> bytes:
    """All that is left, if it is a torn tail. Raises `LedgerDamaged`."""
    if first.endswith(b"\n") and b"\0" not in first:
        raise LedgerDamaged(path, number, "the line does not agree with its checksum")
    tail = [first]
    for line in rest:
        if is_whole(line) or is_whole(line + b"\n"):
            raise LedgerDamaged(path, number, "the line is broken, and good lines follow it")
        tail.append(line)
    return b"".join(tail)


def lines_of(file: BinaryIO, start: int = 0) -> Iterator[bytes]:
    """The lines of *file* as it is now, newlines and all; what has no newline comes in pieces of bounded length.

    The file stands at its byte *start*.

    What a writer appends meanwhile is left out: a line read half and then whole would look like damage.
    """
    left = os.fstat(file.fileno()).st_size - start
    while left > 0 and (line := file.readline(min(left, LINE_BYTES_MAX + 1))):
        left -= len(line)
        yield line
