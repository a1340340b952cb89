"""A tar as blocks of bytes, the same for the same members: no time, no owner, no mode of this machine. Pure.

POSIX.1-2001 (pax), which for names and sizes as ours is byte for byte the older ustar; the headers are `tarfile`'s.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of a tar."""

    name: str
    size: int
    """In bytes."""
    blocks: Iterable[bytes]
    """Its content, of just that size."""


def tar_blocks(members: Iterable[Member]) -> Iterator[bytes]:
    """The tar of *members*, in their order. Raises `ValueError` for one whose content is not as long as it says."""
    length = 0
    for member in members:
        header = tarfile.TarInfo(member.name)
        header.size, header.mode = member.size, 0o644
        head, came = header.tobuf(tarfile.PAX_FORMAT), 0
        yield head
        for block in member.blocks:
            came += len(block)
            yield block
        if came != member.size:
            raise ValueError(f"{member.name} is {came} bytes long, not {member.size}")
        padding = -came % tarfile.BLOCKSIZE
        yield bytes(padding)
        length += len(head) + came + padding
    end = 2 * tarfile.BLOCKSIZE
    yield bytes(end + -(length + end) % tarfile.RECORDSIZE)
