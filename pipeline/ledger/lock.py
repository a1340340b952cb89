"""One writer a run: a lock of the kernel beside the ledger, freed by the kernel whatever becomes of its holder.

Never the ledger itself is locked (a repair gives another file its name), and the lock file is never deleted (a
waiter could hold the old one while a newcomer locks the new). What is written inside is for the message only.
A forked child closes its copy of the lock (filelock 4 sees to that); a child that was forked behind Python's back
keeps it until that child ends, so other processes are spawned, not forked.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from filelock import BaseFileLock, Timeout, UnixFileLock, WindowsFileLock

from pipeline.disk import FILE_MODE, Disk
from pipeline.errors import LedgerBroken, LedgerBusy

_HOLDER_CHARS_MAX = 200


def lock_of(ledger: Path) -> Path:
    """The file that is locked for *ledger*."""
    return ledger.with_name(ledger.name + ".lock")


def hold(ledger: Path, *, at: datetime, disk: Disk) -> BaseFileLock:
    """Take the lock of *ledger*, at once or not at all. Raises `LedgerBusy`."""
    path = lock_of(ledger)
    lock = _kernel_lock(path)
    try:
        lock.acquire()
    except Timeout:
        raise LedgerBusy(ledger, holder_of(path)) from None
    except (OSError, NotImplementedError) as error:
        raise LedgerBroken(f"{path}: no lock can be had here, so a run would not be safe: {error}") from error
    try:
        _sign(path, at, disk)
    except BaseException:  # whatever ends us here, the lock is nobody's
        lock.release()
        raise
    return lock


def _kernel_lock(path: Path) -> BaseFileLock:
    # Never filelock's soft lock: a file that merely exists outlives a killed holder.
    if os.name == "nt":
        return WindowsFileLock(path, timeout=0, mode=FILE_MODE, thread_local=False)
    return UnixFileLock(path, timeout=0, mode=FILE_MODE, thread_local=False, fallback_to_soft=False)


def _sign(path: Path, at: datetime, disk: Disk) -> None:
    """Say who holds the lock. A courtesy: where it cannot be written, the lock holds all the same."""
    with suppress(OSError):
        descriptor = disk.open_new(path)
        try:
            disk.write(
                descriptor, f"pid {os.getpid()} on {socket.gethostname()} since {at:%Y-%m-%d %H:%M:%SZ}\n".encode()
            )
        finally:
            disk.close(descriptor)


def holder_of(path: Path) -> str:
    """Who signed the lock at *path* last: it may be long gone."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:_HOLDER_CHARS_MAX].strip() or "unknown"
    except OSError:
        return "unknown"
