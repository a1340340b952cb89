"""What a loss of power may leave, as a table: of bytes that were not made durable, and of names."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.crash.volume import Change, File, Folder, Node, Resize, Volume, Write

BLOCKS = (512, 4096)
"""What a disk writes, and what a kernel writes, at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One way in which the power may go."""

    name: str
    names: Callable[[Folder, random.Random], dict[str, Node]]
    content: Callable[[File, random.Random], bytes]
    in_order: bool = True
    """The bytes of one file reach the disk in the order in which they were written."""

    def left(self, volume: Volume, chance: random.Random) -> Mapping[str, bytes | None]:
        """What is on the disk afterwards: bytes by path, `None` for a folder."""
        return volume.left(lambda folder: self.names(folder, chance), lambda file: self.content(file, chance))


def _all_names(folder: Folder, chance: random.Random) -> dict[str, Node]:
    return folder.names


def _durable_names(folder: Folder, chance: random.Random) -> dict[str, Node]:
    return folder.durable


def _first_names(folder: Folder, chance: random.Random) -> dict[str, Node]:
    """As a journalling file system does it: up to some moment."""
    return folder.after(folder.changes[: chance.randint(0, len(folder.changes))])


def _some_names(folder: Folder, chance: random.Random) -> dict[str, Node]:
    """Each for itself."""
    return folder.after([change for change in folder.changes if chance.random() < 0.5])


def _all_bytes(file: File, chance: random.Random) -> bytes:
    return file.after(file.changes)


def _durable_bytes(file: File, chance: random.Random) -> bytes:
    return file.durable


def _only_lengths(file: File, chance: random.Random) -> bytes:
    """The length was noted, the bytes were not: XFS, or ext4 without ordered data."""
    return file.after([_blank(change) if isinstance(change, Write) else change for change in file.changes])


def _first_bytes(file: File, chance: random.Random) -> bytes:
    """Up to some byte; after it nothing, or zeros up to the length that was noted."""
    if not file.changes:
        return file.durable
    at = chance.randrange(len(file.changes))
    done, torn = file.changes[:at], file.changes[at]
    if isinstance(torn, Resize):
        return file.after(done + ([torn] if chance.random() < 0.5 else []))
    kept = torn.content[: chance.randint(0, len(torn.content))]
    content = file.after([*done, Write(offset=torn.offset, content=kept)])
    missing = max(file.length - len(content), 0)
    return content + chance.choice([b"", bytes(missing), bytes(chance.randint(0, missing))])


def _some_blocks(file: File, chance: random.Random) -> bytes:
    """Each block for itself: there, or zeros, or beyond the end."""
    size = chance.choice(BLOCKS)
    changes: list[Change] = []
    for change in file.changes:
        if isinstance(change, Resize):
            changes += [change] if chance.random() < 0.5 else []
            continue
        end = change.offset + len(change.content)
        for start in range(change.offset - change.offset % size, end, size):
            first, last = max(start, change.offset), min(start + size, end)
            block = change.content[first - change.offset : last - change.offset]
            fate = chance.random()
            if fate < 0.8:
                changes.append(Write(offset=first, content=block if fate < 0.4 else bytes(len(block))))
    return file.after(changes)


def _blank(write: Write) -> Write:
    return Write(offset=write.offset, content=bytes(len(write.content)))


KEPT = Cut(name="all of it was kept", names=_all_names, content=_all_bytes)
DROPPED = Cut(name="nothing of it was kept", names=_durable_names, content=_durable_bytes)
NAMES = Cut(name="names without bytes", names=_all_names, content=_durable_bytes)
LENGTHS = Cut(name="names and lengths without bytes", names=_all_names, content=_only_lengths)
BYTES = Cut(name="bytes without names", names=_durable_names, content=_all_bytes)
SOME_NAMES = Cut(name="some names, all bytes", names=_some_names, content=_all_bytes)
TORN = Cut(name="torn at some byte", names=_first_names, content=_first_bytes)
MIXED = Cut(name="torn, with some names", names=_some_names, content=_first_bytes)
BLOCKWISE = Cut(name="some blocks, some names", names=_some_names, content=_some_blocks, in_order=False)

CUTS = (KEPT, DROPPED, NAMES, LENGTHS, BYTES, SOME_NAMES, TORN, MIXED, BLOCKWISE)
