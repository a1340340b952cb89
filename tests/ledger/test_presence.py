"""Whether a runner is at work is told without ever touching its lock."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from pipeline.ledger.ledger import Ledger
from pipeline.ledger.lock import lock_of
from pipeline.ledger.presence import KERNELS_LIST, Presence, is_alive, presence
from tests.ledger.histories import clock, opened
from tests.ledger.test_lock import held_elsewhere

DEAD = 999_999_999
HERE = socket.gethostname()

needs_a_list = pytest.mark.skipif(not KERNELS_LIST.exists(), reason="this system does not list its locks")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


@needs_a_list
def test_a_runner_is_seen_while_it_holds_the_run_and_not_afterwards(path: Path) -> None:
    assert presence(path) is Presence.NOBODY
    with opened(path):
        assert presence(path) is Presence.AT_WORK
    assert presence(path) is Presence.NOBODY
    with held_elsewhere(path) as holder:
        assert presence(path) is Presence.AT_WORK
        holder.kill()
        holder.wait()
        assert presence(path) is Presence.NOBODY


def test_looking_neither_takes_nor_makes_nor_changes_the_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    presence(path)
    assert list(path.parent.iterdir()) == []
    opened(path).close()
    before = lock_of(path).stat()

    def touched(*words: object) -> None:
        raise AssertionError(words)

    with monkeypatch.context() as patched:
        patched.setattr("fcntl.flock", touched)
        patched.setattr("fcntl.lockf", touched)
        presence(path)

    assert lock_of(path).stat().st_mtime_ns == before.st_mtime_ns
    Ledger.open(path, now=clock()).close()


def listed(path: Path, *, pid: int, device: str = "00:00", waits: str = "") -> str:
    """A line of the kernel's list."""
    return f"1: {waits}FLOCK  ADVISORY  WRITE {pid} {device}:{lock_of(path).stat().st_ino} 0 EOF\n"


@pytest.mark.parametrize(
    ("signed", "lists", "lives", "expected"),
    [
        (f"pid 41 on {HERE}", "41", True, Presence.AT_WORK),
        ("pid 41 on elsewhere", "41", True, Presence.AT_WORK),
        (f"pid 41 on {HERE}", "->41", True, Presence.NOBODY),  # it only waits
        (f"pid 41 on {HERE}", "42", True, Presence.NOBODY),  # another file of that number, on another device
        (f"pid 41 on {HERE}", "", True, Presence.NOBODY),
        ("pid 41 on elsewhere", "", True, Presence.UNKNOWN),
        ("", "", True, Presence.UNKNOWN),
        (f"pid 41 on {HERE}", None, False, Presence.NOBODY),
        (f"pid 41 on {HERE}", None, True, Presence.UNKNOWN),  # the number may be another's by now
        ("pid 41 on elsewhere", None, False, Presence.UNKNOWN),
    ],
)
def test_what_the_kernel_lists_goes_before_what_the_holder_signed(
    signed: str, lists: str | None, lives: bool, expected: Presence, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.jsonl"
    lock_of(path).write_text(f"{signed} since 2026-11-22 19:00:00Z\n" if signed else "", encoding="utf-8")
    kernels = tmp_path / "locks"
    if lists is not None:
        line = listed(path, pid=int(lists[-2:]), waits="-> " if lists.startswith("->") else "") if lists else ""
        kernels.write_text(f"{line}nonsense\n2: POSIX  ADVISORY  READ 7 08:01:x 0 EOF\n", encoding="ascii")

    assert presence(path, kernels_list=kernels, lives=lambda _: lives) is expected


def test_a_process_is_alive_until_it_ended() -> None:
    assert is_alive(os.getpid())
    assert not is_alive(DEAD)
