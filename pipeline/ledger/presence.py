"""Whether a runner is at work on a run, told without touching its lock: a try, however short, could turn away a runner
that is just starting.

Linux lists every lock that its kernel holds in `/proc/locks` (proc(5)), by device, inode and process. Where there is no
such list, or the holder is on another machine, what the holder signed beside the ledger tells as much as it can.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pipeline.ledger.lock import holder_of, lock_of

KERNELS_LIST = Path("/proc/locks")
_SIGNED = re.compile(r"pid (\d{1,9}) on (\S+) since ")


class Presence(StrEnum):
    """What is known of a runner."""

    AT_WORK = "at_work"
    NOBODY = "nobody"
    UNKNOWN = "unknown"  # of another machine, or of a system that does not list its locks


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signature:
    pid: int
    host: str


def is_alive(pid: int) -> bool:
    """Whether there is such a process; where asking might harm it, as on Windows, that is taken for granted."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def presence(ledger: Path, *, kernels_list: Path = KERNELS_LIST, lives: Callable[[int], bool] = is_alive) -> Presence:
    """Whether anybody holds the lock of *ledger*. *lives* says whether this machine has a process of that number."""
    lock = lock_of(ledger)
    try:
        there = lock.stat()
    except FileNotFoundError:
        return Presence.NOBODY  # every runner makes it first of all
    except OSError:
        return Presence.UNKNOWN
    signature = _signature(lock)
    pid = signature.pid if signature else 0
    try:
        listed = kernels_list.read_text(encoding="ascii", errors="replace")
    except OSError:
        listed = None
    if listed is not None and _is_listed(listed, there, pid):
        return Presence.AT_WORK
    if signature is None or signature.host != socket.gethostname():
        return Presence.UNKNOWN
    if listed is not None or not lives(pid):
        return Presence.NOBODY
    return Presence.UNKNOWN  # a process of that number lives; it need not be the one that signed


def _signature(lock: Path) -> _Signature | None:
    found = _SIGNED.match(holder_of(lock))
    return _Signature(pid=int(found[1]), host=found[2]) if found else None


def _is_listed(listed: str, there: os.stat_result, pid: int) -> bool:
    """Whether the kernel lists a lock on this file. Some file systems have another device there: the process tells."""
    device = (os.major(there.st_dev), os.minor(there.st_dev)) if hasattr(os, "major") else None
    return any(inode == there.st_ino and (holder == pid or where == device) for holder, where, inode in _locks(listed))


def _locks(listed: str) -> Iterator[tuple[int, tuple[int, int], int]]:
    """Process, device and inode of each; those who only wait (`->`) hold none."""
    for line in listed.splitlines():
        words = line.split()
        if len(words) < 6 or words[1] == "->":
            continue
        try:
            major, minor, inode = words[5].split(":")
            yield int(words[4]), (int(major, 16), int(minor, 16)), int(inode)
        except ValueError:
            continue
