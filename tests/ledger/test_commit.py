"""Commits: shared, in order, untouched by cancellation; and what a disk that fails leaves."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from pipeline.disk import Disk
from pipeline.errors import LedgerBroken
from pipeline.ledger.ledger import Ledger, read_run
from pipeline.ledger.records import decode
from pipeline.lifecycle import Fact, State
from tests.ledger.disks import CountingDisk, FailingDisk
from tests.ledger.histories import clock, key, live, opened, planned

pytestmark = pytest.mark.anyio


class GatedDisk(Disk):
    """Syncs when it is told to."""

    def __init__(self) -> None:
        self.syncing = threading.Event()
        self.go_on = threading.Event()
        self.gated = False
        self.under_way = 0
        self.most_under_way = 0

    def sync(self, descriptor: int) -> None:
        if not self.gated:
            return super().sync(descriptor)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        self.syncing.set()
        assert self.go_on.wait(30)
        super().sync(descriptor)
        self.under_way -= 1
        return None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def texts(path: Path) -> list[str]:
    return [
        record.fields["text"]
        for line in path.read_bytes().splitlines(keepends=True)
        if (record := decode(line)).type == "note"
    ]


async def test_commits_that_come_together_share_their_syncs(path: Path) -> None:
    disk = CountingDisk()
    with opened(path, disk) as ledger:
        await ledger.commit()
        disk.done.clear()

        async def committer(number: int) -> None:
            ledger.note("n", str(number))
            await ledger.commit()
            assert str(number) in texts(path)

        async with anyio.create_task_group() as group:
            for number in range(200):
                group.start_soon(committer, number)

    assert 1 <= disk.done.count("sync") <= 5
    assert sorted(map(int, texts(path))) == list(range(200))


async def test_the_order_on_disk_is_the_order_of_the_records(path: Path) -> None:
    with opened(path) as ledger:
        order: list[str] = []

        async def committer(number: int) -> None:
            for turn in range(10):
                order.append(f"{number}.{turn}")
                ledger.note("n", order[-1])
                await ledger.commit()

        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(committer, number)

    assert texts(path) == order
    assert read_run(path).records == 201


async def test_a_commit_with_nothing_new_does_not_touch_the_disk(path: Path) -> None:
    disk = CountingDisk()
    with opened(path, disk) as ledger:
        await ledger.commit()
        disk.done.clear()
        await ledger.commit()
        ledger.commit_now()

    assert disk.done == []


async def test_a_leader_that_is_cancelled_finishes_the_commit_for_the_others(path: Path) -> None:
    disk = GatedDisk()
    with opened(path, disk) as ledger:
        ledger.commit_now()
        disk.gated = True
        done: list[str] = []

        async def lead(scope: anyio.CancelScope) -> None:
            with scope:
                ledger.note("n", "leader")
                await ledger.commit()
                done.append("leader")

        async def follow(name: str) -> None:
            ledger.note("n", name)
            await ledger.commit()
            done.append(name)

        scope = anyio.CancelScope()
        async with anyio.create_task_group() as group:
            group.start_soon(lead, scope)
            await to_thread.run_sync(disk.syncing.wait)
            for name in ("second", "third"):
                group.start_soon(follow, name)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
            disk.go_on.set()

    assert sorted(texts(path)) == ["leader", "second", "third"]
    assert sorted(set(done) - {"leader"}) == ["second", "third"]
    assert disk.most_under_way == 1


async def test_a_follower_that_is_cancelled_harms_nobody_and_its_record_is_written(path: Path) -> None:
    disk = GatedDisk()
    with opened(path, disk) as ledger:
        ledger.commit_now()
        disk.gated = True

        async def follow(scope: anyio.CancelScope, name: str) -> None:
            with scope:
                ledger.note("n", name)
                await ledger.commit()

        scopes = [anyio.CancelScope() for _ in range(3)]
        async with anyio.create_task_group() as group:
            group.start_soon(follow, scopes[0], "leader")
            await to_thread.run_sync(disk.syncing.wait)
            group.start_soon(follow, scopes[1], "cancelled")
            group.start_soon(follow, scopes[2], "patient")
            await anyio.wait_all_tasks_blocked()
            scopes[1].cancel()
            await anyio.wait_all_tasks_blocked()
            disk.go_on.set()

    assert sorted(texts(path)) == ["cancelled", "leader", "patient"]


async def test_a_blocking_commit_waits_for_the_one_under_way(path: Path) -> None:
    disk = GatedDisk()
    with opened(path, disk) as ledger:
        ledger.commit_now()
        disk.gated = True
        ledger.note("n", "first")
        async with anyio.create_task_group() as group:
            group.start_soon(ledger.commit)
            await to_thread.run_sync(disk.syncing.wait)
            ledger.note("n", "second")
            threading.Timer(0.05, disk.go_on.set).start()
            ledger.commit_now()
            assert texts(path) == ["first", "second"]

    assert disk.most_under_way == 1


async def test_records_written_during_a_commit_are_in_the_next(path: Path) -> None:
    disk = GatedDisk()
    with opened(path, disk) as ledger:
        ledger.commit_now()
        disk.gated = True
        ledger.note("n", "first")
        async with anyio.create_task_group() as group:
            group.start_soon(ledger.commit)
            await to_thread.run_sync(disk.syncing.wait)
            ledger.note("n", "second")
            assert texts(path) == ["first"]
            disk.go_on.set()
        assert texts(path) == ["first"]
        await ledger.commit()
        assert texts(path) == ["first", "second"]


async def test_every_waiter_learns_of_a_failed_sync_and_none_is_tried_again(path: Path) -> None:
    disk = FailingDisk(at=10_000)
    with opened(path, disk) as ledger:
        await ledger.commit()
        failures: list[str] = []

        async def committer(number: int) -> None:
            ledger.note("n", str(number))
            try:
                await ledger.commit()
            except LedgerBroken as error:
                failures.append(str(error))

        disk.at = len(disk.operations) + 2  # the sync after the next write
        async with anyio.create_task_group() as group:
            for number in range(10):
                group.start_soon(committer, number)
        assert disk.failed == "sync"
        assert len(failures) == 10
        after = len(disk.operations)
        for _ in range(3):
            with pytest.raises(LedgerBroken):
                await ledger.commit()
            with pytest.raises(LedgerBroken):
                ledger.commit_now()
            with pytest.raises(LedgerBroken):
                ledger.note("n", "more")
        assert len(disk.operations) == after


def run_through(path: Path, disk: Disk) -> list[str]:
    """A small run, one commit a step; the steps that were confirmed durable."""
    confirmed: list[str] = []
    with opened(path, disk) as ledger:
        planned(ledger, 1)
        ledger.commit_now()
        confirmed.append("plan")
        for fact in (Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED, Fact.STORED):
            live(ledger, 1, fact)
            ledger.commit_now()
            confirmed.append(fact)
    return confirmed


OPERATIONS = 22
SIGNING = (2, 3)
"""Saying in the lock file who holds it: a courtesy, and no reason to stop."""


@pytest.mark.parametrize("kind", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("at", range(1, OPERATIONS))
def test_whatever_operation_fails_the_confirmed_facts_are_there(path: Path, at: int, kind: int) -> None:
    disk = FailingDisk(at, kind)
    confirmed: list[str] = []
    try:
        confirmed = run_through(path, disk)
    except LedgerBroken as error:
        assert disk.failed
        assert str(path) in str(error)  # noqa: PT017
    else:
        assert at in SIGNING or not disk.failed

    with Ledger.open(path, now=clock()) as ledger:
        there = ledger.state.jobs.get(key(1))
        if confirmed:
            assert there is not None
            assert there.state is State.STORED
        ledger.settle_crash()
    if disk.failed == "write" and there is not None:
        assert not list(path.parent.glob("ledger.torn-*")), "a failed write is cut back at once"
    read_run(path)


def test_the_run_above_has_as_many_operations_as_are_tried(path: Path) -> None:
    disk = FailingDisk(at=10_000)
    run_through(path, disk)

    assert len(disk.operations) < OPERATIONS
    assert {"make_folder", "open_append", "write", "sync", "sync_folder"} <= set(disk.operations)


def test_a_write_that_failed_is_cut_back_even_if_it_wrote_a_part(path: Path) -> None:
    disk = FailingDisk(at=10_000)
    with opened(path, disk) as ledger:
        ledger.commit_now()
        good = path.read_bytes()
        ledger.note("n", "half of this is written")
        disk.at = len(disk.operations) + 1
        with pytest.raises(LedgerBroken, match="could not be written"):
            ledger.commit_now()
        assert disk.failed == "write"

    assert path.read_bytes() == good


def test_a_new_ledger_has_its_name_synced_before_the_first_commit_returns(path: Path) -> None:
    disk = CountingDisk()
    with opened(path, disk) as ledger:
        ledger.commit_now()

    assert "sync_folder" in disk.done[: len(disk.done) - disk.done[::-1].index("sync")]


def test_what_a_killed_process_wrote_is_synced_before_anything_is_built_on_it(path: Path) -> None:
    with opened(path) as ledger:
        ledger.commit_now()
    disk = CountingDisk()
    with Ledger.open(path, now=clock(), disk=disk):
        assert "sync" in disk.done


async def test_a_ledger_serves_one_event_loop_after_another(path: Path) -> None:
    with opened(path) as ledger:
        ledger.note("n", "in the test's loop")
        await ledger.commit()

        def elsewhere() -> None:
            for backend in ("asyncio", "trio"):
                ledger.note("n", backend)
                anyio.run(ledger.commit, backend=backend)

        await to_thread.run_sync(elsewhere)

    assert texts(path) == ["in the test's loop", "asyncio", "trio"]


async def test_a_commit_in_a_cancelled_scope_is_done_all_the_same(path: Path) -> None:
    with opened(path) as ledger:
        with anyio.CancelScope() as scope:
            scope.cancel()
            ledger.note("n", "the last words")
            await ledger.commit()

        assert texts(path) == ["the last words"]
