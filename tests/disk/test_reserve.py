"""The reserve: on a full disk what was bought is still written down, and nothing more is bought."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import anyio
import pytest

from pipeline.disk import Disk
from pipeline.errors import LedgerBroken, NoRoom
from pipeline.ledger.ledger import Ledger, read_run
from pipeline.ledger.reserve import RESERVE_BYTES
from pipeline.lifecycle import Fact, State
from pipeline.progress import Moved
from tests.disk.faulty import FaultyDisk
from tests.ledger.histories import clock, key, live, opened, planned
from tests.runner.gateway import Gateway, serving
from tests.runner.night import NAME, Night, jobs


def bought(path: Path, disk: Disk) -> Ledger:
    """A ledger with a reserve, in which an intent is durable."""
    with opened(path) as ledger:
        planned(ledger, 1)
        ledger.commit_now()
    ledger = Ledger.open(path, now=clock(), disk=disk, reserve=True)
    live(ledger, 1, Fact.INTENT)
    ledger.commit_now()
    return ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "ledger.jsonl"


def healthy(path: Path) -> FaultyDisk:
    """A disk that is full as soon as its `at` is 0, and stays so."""
    return FaultyDisk(path.parent, 1 << 30, errno.ENOSPC, stays=True)


def test_an_id_that_finds_the_disk_full_is_written_in_the_reserve(path: Path) -> None:
    disk = healthy(path)
    with bought(path, disk) as ledger:
        assert ledger.squeezed == ""
        disk.at = 0
        live(ledger, 1, Fact.ACCEPTED)
        ledger.commit_now()
        assert ledger.squeezed == os.strerror(errno.ENOSPC)
        live(ledger, 1, Fact.FINISHED)
        ledger.commit_now()
        assert disk.failed == "write"

    assert read_run(path).jobs[key(1)].state is State.FINISHED
    assert not path.with_name("ledger.reserve").exists()


def test_where_even_the_reserve_is_used_up_the_ledger_breaks_and_stays_sound(path: Path) -> None:
    disk = healthy(path)
    with bought(path, disk) as ledger:
        disk.at = 0
        for n in range(RESERVE_BYTES // 1000):
            ledger.note("filler", "x" * 2000)
            try:
                ledger.commit_now()
            except LedgerBroken as error:
                assert os.strerror(errno.ENOSPC) in str(error)  # noqa: PT017
                break
            assert n < RESERVE_BYTES // 2000
        with pytest.raises(LedgerBroken):
            ledger.note("n", "more")

    assert read_run(path).records == n + 3
    assert path.read_bytes().endswith(b"}\n")


@pytest.mark.parametrize("kind", [errno.EIO, errno.EFBIG, errno.EROFS])
def test_only_a_full_disk_is_helped_by_the_reserve(path: Path, kind: int) -> None:
    disk = FaultyDisk(path.parent, 1 << 30, kind)
    with bought(path, disk) as ledger:
        disk.at = disk.done + 1
        live(ledger, 1, Fact.ACCEPTED)
        with pytest.raises(LedgerBroken):
            ledger.commit_now()
        assert path.with_name("ledger.reserve").exists()

    assert not path.with_name("ledger.reserve").exists()


def test_a_sync_that_finds_the_disk_full_is_not_tried_again(path: Path) -> None:
    disk = FaultyDisk(path.parent, 1 << 30, errno.ENOSPC)
    with bought(path, disk) as ledger:
        live(ledger, 1, Fact.ACCEPTED)
        disk.at = disk.done + 2
        with pytest.raises(LedgerBroken):
            ledger.commit_now()
        assert disk.failed == "sync"
        after = disk.done
        with pytest.raises(LedgerBroken):
            ledger.commit_now()
        assert disk.done == after


def test_nothing_is_written_behind_an_end_that_could_not_be_cut_back(path: Path) -> None:
    class Stuck(FaultyDisk):
        def truncate(self, descriptor: int, length: int) -> None:  # noqa: ARG002
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    disk = Stuck(path.parent, 1 << 30, errno.ENOSPC)
    with bought(path, disk) as ledger:
        before = path.read_bytes()
        disk.at = disk.done + 1
        live(ledger, 1, Fact.ACCEPTED)
        with pytest.raises(LedgerBroken):
            ledger.commit_now()

    assert before < path.read_bytes()
    assert not path.read_bytes().endswith(b"\n")
    with Ledger.open(path, now=clock()) as ledger:
        assert [job.attempt for job in ledger.settle_crash()] == [1]


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="blocks as POSIX counts them")
@pytest.mark.parametrize("before", [None, b"", b"x" * 1000])
def test_the_reserve_is_really_allocated_whatever_a_crash_left_there(path: Path, before: bytes | None) -> None:
    path.parent.mkdir()
    reserve = path.with_name("ledger.reserve")
    if before is not None:
        reserve.write_bytes(before)
    with Ledger.open(path, now=clock(), reserve=True):
        assert reserve.stat().st_size == RESERVE_BYTES
        assert reserve.stat().st_blocks * 512 >= RESERVE_BYTES


def test_a_system_that_cannot_allocate_ahead_gets_zeros_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    for _ in range(2):
        with Ledger.open(path, now=clock(), reserve=True):
            assert path.with_name("ledger.reserve").read_bytes() == bytes(RESERVE_BYTES)


def test_who_only_settles_or_reads_keeps_no_reserve(path: Path) -> None:
    with opened(path):
        assert not path.with_name("ledger.reserve").exists()


def test_a_disk_that_is_full_at_the_start_refuses_before_anything_is_written(path: Path) -> None:
    disk = healthy(path)
    disk.at = 0
    with pytest.raises(NoRoom, match="4 MiB"):
        Ledger.open(path, now=clock(), disk=disk, reserve=True)

    assert [file.name for file in path.parent.iterdir()] == ["ledger.jsonl.lock"]


@pytest.mark.anyio
async def test_a_disk_that_is_full_at_the_start_sends_nothing(small_film: bytes, tmp_path: Path) -> None:
    gateway = Gateway(small_film)
    async with serving(gateway) as base_url:
        disk = FaultyDisk(tmp_path / NAME, 0, errno.ENOSPC, stays=True)
        night = Night(gateway=gateway, base_url=base_url, outputs=tmp_path, disk=disk)
        with pytest.raises(NoRoom, match="nothing was sent"):
            await night.run(jobs(3))

    assert gateway.seen == []


@pytest.mark.anyio
async def test_a_run_whose_disk_fills_up_buys_no_more_and_saves_the_ids(small_film: bytes, tmp_path: Path) -> None:
    gateway, count = Gateway(small_film), 12
    async with serving(gateway) as base_url:
        disk = FaultyDisk(tmp_path / NAME, 1 << 30, errno.ENOSPC, stays=True)
        night = Night(gateway=gateway, base_url=base_url, outputs=tmp_path, disk=disk)
        gateway.render_gate = anyio.Event()

        def fill(event: object) -> None:
            if isinstance(event, Moved) and event.state is State.IN_FLIGHT and len(gateway.book) >= 3:
                disk.at = 0
            if disk.failed and night.boards[0].stop.name == "SUBMITS" and gateway.render_gate:
                disk.at = 1 << 30  # somebody makes room, and the downloads go on
                gateway.render_gate.set()

        outcome = await night.run(jobs(count), observer=fill)
        sold = len(gateway.book)
        assert disk.failed == "write"
        assert "the disk is full" in outcome.stopped
        assert outcome.counts == {State.STORED: sold, State.PENDING: count - sold}
        assert 3 <= sold < count
        assert any("the disk is full" in said for said in night.urgent)

        assert (await night.run(jobs(count))).counts == {State.STORED: count}
    assert len(gateway.book) == count
