"""Following a ledger that is being written: only what is new is read, and all of it anew where it did not just grow."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import LedgerDamaged, UsageError
from pipeline.ledger import follow
from pipeline.ledger.follow import Follower
from pipeline.ledger.ledger import Ledger, read_run
from pipeline.ledger.repair import repair
from pipeline.lifecycle import Fact
from tests.ledger.histories import LIVES, clock, key, live, opened, planned


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def fill(path: Path) -> list[bytes]:
    """Write a ledger with every type of record in it; its lines."""
    with opened(path) as ledger:
        planned(ledger, *range(len(LIVES)))
        for number, life in enumerate(LIVES):
            live(ledger, number, *life)
        ledger.commit_now()
    return path.read_bytes().splitlines(keepends=True)


def agrees(follower: Follower) -> None:
    """It knows what a reader who begins anew knows."""
    fresh = read_run(follower.path)
    known = follower.state
    assert (known.records, known.counts, known.spent) == (fresh.records, fresh.counts, fresh.spent)
    assert [(job.key, job.state) for job in known.jobs.values()] == [(j.key, j.state) for j in fresh.jobs.values()]


def test_only_what_was_added_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = Follower(path)
    with opened(path) as ledger:
        planned(ledger, *range(3))
        ledger.commit_now()
        assert follower.look()
        monkeypatch.setattr(follow, "replay", None)  # nothing is read from the beginning any more
        assert not follower.look()
        for number in range(3):
            live(ledger, number, *LIVES[number])
            ledger.commit_now()
            assert follower.look()
            agrees(follower)
    assert not follower.look()


def test_a_ledger_is_followed_from_any_byte_to_any_other(path: Path, tmp_path: Path) -> None:
    lines = fill(tmp_path / "whole.jsonl")
    whole = b"".join(lines)
    without_newline = (len(b"".join(lines[:n])) - 1 for n in (1, 9, len(lines)))
    for cut in (*range(0, len(whole), 997), *without_newline):
        path.write_bytes(whole[:cut])
        follower = Follower(path)
        follower.look()
        with path.open("ab") as file:
            file.write(whole[cut:])
        follower.look()
        agrees(follower)
        assert follower.state.records == len(lines)


def test_a_line_that_is_being_written_is_waited_for(path: Path, tmp_path: Path) -> None:
    lines = fill(tmp_path / "whole.jsonl")
    path.write_bytes(b"".join(lines[:10]))
    follower = Follower(path)
    follower.look()

    with path.open("ab") as file:
        file.write(lines[10][:20])
        file.flush()
        assert not follower.look()
        file.write(lines[10][20:])

    assert follower.look()
    assert follower.state.records == 11


def test_a_tail_that_is_torn_while_watching_and_cut_by_the_next_run_is_no_damage(path: Path) -> None:
    follower = Follower(path)
    with opened(path) as ledger:
        planned(ledger, 1)
        ledger.commit_now()
    follower.look()
    with path.open("ab") as file:
        file.write(b'{"n":3,"t":"intent","at"')
    assert not follower.look()

    with Ledger.open(path, now=clock()) as ledger:
        live(ledger, 1, Fact.INTENT)
        ledger.commit_now()

    assert follower.look()
    agrees(follower)


def test_a_ledger_that_was_replaced_is_read_anew(path: Path, tmp_path: Path) -> None:
    lines = fill(path)
    follower = Follower(path)
    follower.look()
    path.write_bytes(b"".join([*lines[:20], b'{"broken":1}\n', *lines[21:]]))
    with pytest.raises(LedgerDamaged):
        follower.look()
    repair(path)

    assert follower.look()
    agrees(follower)

    other = tmp_path / "other.jsonl"
    with opened(other) as ledger:
        planned(ledger, 9)
        ledger.commit_now()
    other.replace(path)

    assert follower.look()
    assert list(follower.state.jobs) == [key(9)]


def test_a_broken_line_that_is_added_is_damage(path: Path) -> None:
    lines = fill(path)
    follower = Follower(path)
    follower.look()
    with path.open("ab") as file:
        file.write(lines[-1])  # the same number once more

    with pytest.raises(LedgerDamaged) as damaged:
        follower.look()

    assert damaged.value.line == len(lines) + 1


def test_a_ledger_that_is_gone_is_said_so(path: Path) -> None:
    fill(path)
    follower = Follower(path)
    follower.look()
    path.unlink()

    with pytest.raises(UsageError, match="cannot be read: No such file"):
        follower.look()
