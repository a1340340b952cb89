"""One writer a run, whatever becomes of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.disk import Disk
from pipeline.errors import LedgerBroken, LedgerBusy
from pipeline.ledger.ledger import Ledger, read_run
from tests.ledger.disks import FailingDisk
from tests.ledger.histories import clock, opened

HOLDER = """
import sys
from pathlib import Path
from pipeline.ledger.ledger import Ledger
with Ledger.open(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


@contextmanager
def held_elsewhere(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the ledger at *path*."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_opener_is_told_who_holds_the_run(path: Path) -> None:
    with opened(path) as ledger:
        for _ in range(2):
            with pytest.raises(LedgerBusy) as busy:
                Ledger.open(path, now=clock())
            assert f"pid {os.getpid()} on " in busy.value.holder
            assert "since 2026-11-22 19:00:00Z" in busy.value.holder
        ledger.note("still", "mine")
        ledger.commit_now()

    Ledger.open(path, now=clock()).close()


def test_another_process_is_kept_out_until_it_is_killed(path: Path) -> None:
    with held_elsewhere(path) as holder:
        with pytest.raises(LedgerBusy, match=f"pid {holder.pid}"):
            Ledger.open(path, now=clock())
        holder.kill()
        holder.wait()
        Ledger.open(path, now=clock()).close()

    assert path.with_name("ledger.jsonl.lock").exists()


def test_reading_a_run_needs_no_lock(path: Path) -> None:
    with opened(path) as ledger:
        ledger.commit_now()
        assert read_run(path).records == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_does_not_keep_the_run(path: Path) -> None:
    stay, leave = os.pipe()
    ledger = opened(path)
    child = os.fork()
    if not child:
        os.close(leave)
        os.read(stay, 1)
        os._exit(0)
    try:
        ledger.close()
        Ledger.open(path, now=clock()).close()
    finally:
        os.close(leave)
        os.close(stay)
        os.waitpid(child, 0)


def test_only_one_of_many_that_start_at_once_gets_the_run(path: Path) -> None:
    script = HOLDER.replace("with Ledger", "from pipeline.errors import LedgerBusy\ntry:\n  with Ledger")
    script = script.replace('\n    print("held", flush=True)\n    sys.stdin.read()', (
        '\n    print("held", flush=True)\n    sys.stdin.read()\nexcept LedgerBusy:\n  print("busy", flush=True)'
    ))  # fmt: skip
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(6)
    ]
    try:
        said = [process.stdout.readline() for process in processes if process.stdout]
    finally:
        for process in processes:
            process.kill()
            process.communicate()

    assert sorted(said) == ["busy\n"] * 5 + ["held\n"]


def test_where_the_holder_cannot_be_written_the_lock_holds_all_the_same(path: Path) -> None:
    disk = FailingDisk(at=2)
    with Ledger.open(path, now=clock(), disk=disk):
        assert disk.failed == "open_new"
        with pytest.raises(LedgerBusy):
            Ledger.open(path, now=clock())


def test_whatever_ends_an_opening_the_lock_is_free_again(path: Path) -> None:
    class Interrupted(Disk):
        def open_new(self, path: Path) -> int:  # noqa: ARG002
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as ended:
        Ledger.open(path, now=clock(), disk=Interrupted())

    with Ledger.open(path, now=clock()):
        assert ended.value.__traceback__ is not None  # it still holds all that was alive then


def test_a_folder_that_takes_no_lock_is_a_broken_ledger_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl.lock").mkdir()

    with pytest.raises(LedgerBroken, match="no lock can be had"):
        Ledger.open(tmp_path / "ledger.jsonl", now=clock())


def test_refusing_takes_less_than_a_second(path: Path) -> None:
    with opened(path):
        began_s = time.monotonic()
        with pytest.raises(LedgerBusy):
            Ledger.open(path, now=clock())
        assert time.monotonic() - began_s < 1
