"""Whatever was done to the bytes: an exact prefix, a torn tail, or a refusal that names the line."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

import pytest

from pipeline.errors import LedgerDamaged, UsageError
from pipeline.ledger.ledger import Ledger, read_run
from pipeline.ledger.records import Record, decode, encode
from pipeline.ledger.replay import RunState
from pipeline.ledger.scan import scan
from tests.ledger.histories import clock, fill


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """A sound ledger of 50 records with every type in it."""
    return fill(tmp_path_factory.mktemp("sound") / "ledger.jsonl")


def picture(state: RunState) -> object:
    """All that a state says, to be compared."""
    return (
        state.header,
        state.records,
        state.spent,
        state.unpriced,
        state.counts,
        [[getattr(job, name) for name in type(job).__slots__] for job in state.jobs.values()],
    )


def replayed(lines: list[bytes]) -> object:
    state = RunState()
    for line in lines:
        state.apply(decode(line))
    return picture(state)


@pytest.mark.parametrize("quarter", range(4))
def test_every_truncation_is_read_as_its_exact_prefix(tmp_path: Path, lines: list[bytes], quarter: int) -> None:
    path, whole = tmp_path / "ledger.jsonl", b"".join(lines)
    path.write_bytes(whole)
    sound = [decode(line) for line in lines]
    ends = list(accumulate(map(len, lines)))
    with path.open("r+b") as file:
        for cut in reversed(range(quarter, len(whole) + 1, 4)):
            file.truncate(cut)
            file.seek(0)
            read: list[Record] = []
            torn = scan(file, path, read.append).torn
            complete = bisect_right(ends, cut + 1)  # a line that lacks only its newline is whole
            assert read == sound[:complete], cut
            assert torn == (whole[ends[complete - 1] if complete else 0 : cut]), cut


def test_what_a_truncated_ledger_says_is_what_its_prefix_said(tmp_path: Path, lines: list[bytes]) -> None:
    path, whole = tmp_path / "ledger.jsonl", b"".join(lines)
    for count, end in enumerate(accumulate(map(len, lines)), 1):
        for cut, complete in ((end - 2, count - 1), (end - 1, count), (end, count), (end + 1, count)):
            path.write_bytes(whole[:cut])
            assert picture(read_run(path)) == replayed(lines[:complete]), cut


def test_after_a_truncation_the_ledger_opens_and_goes_on(tmp_path: Path, lines: list[bytes]) -> None:
    whole = b"".join(lines)
    for cut in [*range(0, len(lines[0]) + 3, 5), *range(len(whole) - len(lines[-1]), len(whole) + 1)]:
        path = tmp_path / str(cut) / "ledger.jsonl"
        path.parent.mkdir()
        path.write_bytes(whole[:cut])
        before = read_run(path)
        with Ledger.open(path, now=clock()) as ledger:
            ledger.note("after", "the cut")
            ledger.commit_now()
        torn = list(path.parent.glob("ledger.torn-*"))
        kept = b"".join(file.read_bytes() for file in torn)
        after = read_run(path)
        good = sum(len(line) for line in lines[: before.records])
        assert kept == whole[good:cut]
        assert after.records == before.records + 1 + len(torn)
        assert path.read_bytes().endswith(b"}\n")


def test_a_torn_tail_is_kept_aside_cut_and_noted(tmp_path: Path, lines: list[bytes]) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"".join(lines) + b'{"n":51,"t":"no')

    Ledger.open(path, now=clock()).close()

    last = decode(path.read_bytes().splitlines(keepends=True)[-1])
    assert (last.n, last.type, last.fields["what"]) == (51, "note", "torn_tail")
    (aside,) = tmp_path.glob("ledger.torn-20261122T*Z")
    assert aside.read_bytes() == b'{"n":51,"t":"no'
    assert aside.name in last.fields["text"]


def test_two_torn_tails_of_one_second_are_both_kept(tmp_path: Path, lines: list[bytes]) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"".join(lines))
    for tail in (b"one", b"two"):
        with path.open("ab") as file:
            file.write(tail)
        Ledger.open(path, now=clock()).close()

    assert sorted(aside.read_bytes() for aside in tmp_path.glob("ledger.torn-*")) == [b"one", b"two"]


@pytest.mark.parametrize("eighth", range(8))
def test_a_flipped_bit_in_any_byte_is_never_read_as_something_else(
    tmp_path: Path, lines: list[bytes], eighth: int
) -> None:
    """Once per byte of the whole ledger, each bit in its turn: the lines before it are read as they were, no other."""
    path, whole = tmp_path / "ledger.jsonl", b"".join(lines)
    path.write_bytes(whole)
    sound = [decode(line) for line in lines]
    ends = list(accumulate(map(len, lines)))
    with path.open("r+b", buffering=0) as file:
        for place in range(eighth, len(whole), 8):
            file.seek(place)
            file.write(bytes([whole[place] ^ 1 << (place // 8 % 8)]))
            read: list[Record] = []
            hit = bisect_right(ends, place)
            with path.open("rb") as reader:
                try:
                    torn = scan(reader, path, read.append).torn
                except LedgerDamaged as damage:
                    assert damage.line == hit + 1, place  # noqa: PT017  at the end it may be a torn tail
                else:
                    assert hit == 49, f"byte {place} of line {hit + 1} is not noticed"
                    assert torn or place == len(whole) - 1, "but for the newline at the very end, the line is gone"
            assert read == sound[: len(read)], place
            assert len(read) == hit, place
            file.seek(place)
            file.write(whole[place : place + 1])


@pytest.mark.parametrize("accident", ["gone", "doubled", "swapped"])
def test_any_line_that_is_gone_doubled_or_swapped_is_refused_by_its_number(
    tmp_path: Path, lines: list[bytes], accident: str
) -> None:
    path = tmp_path / "ledger.jsonl"
    for at in range(len(lines) - 1):
        one, other = lines[at : at + 2]
        middle, named = {
            "gone": ([other], at + 1),
            "doubled": ([one, one, other], at + 2),
            "swapped": ([other, one], at + 1),
        }[accident]
        path.write_bytes(b"".join([*lines[:at], *middle, *lines[at + 2 :]]))
        with pytest.raises(LedgerDamaged) as refusal:
            read_run(path)
        assert refusal.value.line == named


def test_a_flipped_bit_in_the_last_line_is_never_accepted(tmp_path: Path, lines: list[bytes]) -> None:
    path, before = tmp_path / "ledger.jsonl", b"".join(lines[:-1])
    for place in range(len(lines[-1])):
        for bit in range(8):
            line = bytearray(lines[-1])
            line[place] ^= 1 << bit
            path.write_bytes(before + line)
            try:
                records = read_run(path).records
            except LedgerDamaged as damage:
                assert damage.line == 50  # noqa: PT017  either end is right, depending on where the bit was
            else:
                assert records == 49, (place, bit)


def change(name: str, lines: list[bytes]) -> tuple[list[bytes], int]:
    """Sound *lines* after an accident, and the line to be named."""
    changes: dict[str, Callable[[], tuple[list[bytes], int]]] = {
        "the first line is gone": lambda: (lines[1:], 1),
        "a line is gone": lambda: (lines[:20] + lines[21:], 21),
        "ten lines are gone": lambda: (lines[:20] + lines[30:], 21),
        "the last but one is gone": lambda: (lines[:48] + lines[49:], 49),
        "a line is doubled": lambda: ([*lines[:20], lines[19], *lines[20:]], 21),
        "the last line is doubled": lambda: ([*lines, lines[-1]], 51),
        "two lines are swapped": lambda: ([*lines[:20], lines[21], lines[20], *lines[22:]], 21),
        "the last two are swapped": lambda: ([*lines[:48], lines[49], lines[48]], 49),
        "a blank line": lambda: ([*lines[:20], b"\n", *lines[20:]], 21),
        "a line of an editor": lambda: ([*lines[:20], lines[20][:-1] + b"\r\n", *lines[21:]], 21),
        "a joined line": lambda: ([*lines[:20], lines[20][:-1], *lines[21:]], 21),
        "garbage without a newline": lambda: ([*lines[:20], b"x" * 3_000_000, *lines[20:]], 21),
        "words at the end": lambda: ([*lines, b"hello\n"], 51),
    }
    return changes[name]()


@pytest.mark.parametrize(
    "accident",
    [
        "the first line is gone",
        "a line is gone",
        "ten lines are gone",
        "the last but one is gone",
        "a line is doubled",
        "the last line is doubled",
        "two lines are swapped",
        "the last two are swapped",
        "a blank line",
        "a line of an editor",
        "a joined line",
        "garbage without a newline",
        "words at the end",
    ],
)
def test_damage_is_refused_by_its_line_and_nothing_is_changed(
    tmp_path: Path, lines: list[bytes], accident: str
) -> None:
    path = tmp_path / "ledger.jsonl"
    changed, number = change(accident, lines)
    path.write_bytes(b"".join(changed))

    with pytest.raises(LedgerDamaged) as refusal:
        Ledger.open(path, now=clock())

    assert refusal.value.line == number
    assert "ledger repair" in str(refusal.value)
    assert path.read_bytes() == b"".join(changed)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["ledger.jsonl", "ledger.jsonl.lock"]


def test_after_a_refusal_the_lock_is_free(tmp_path: Path, lines: list[bytes]) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"".join(lines[1:]))
    for _ in range(2):
        with pytest.raises(LedgerDamaged):
            Ledger.open(path, now=clock())


@pytest.mark.parametrize("block", [512, 4096])
def test_a_zeroed_block_is_refused_or_at_the_end_a_torn_tail(tmp_path: Path, lines: list[bytes], block: int) -> None:
    path, whole = tmp_path / "ledger.jsonl", b"".join(lines)
    prefixes = [replayed(lines[:count]) for count in range(len(lines))]
    last_two = len(whole) - len(lines[-1])
    for start in range(0, len(whole), block):
        size = min(block, len(whole) - start)
        path.write_bytes(whole[:start] + bytes(size) + whole[start + size :])
        hit = next(n for n in range(50) if sum(map(len, lines[: n + 1])) > start)
        if start + size <= last_two:
            with pytest.raises(LedgerDamaged) as refusal:
                read_run(path)
            assert refusal.value.line == hit + 1
        else:
            assert picture(read_run(path)) == prefixes[hit]


def test_zeros_that_a_file_system_left_at_the_end_are_a_torn_tail(tmp_path: Path, lines: list[bytes]) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"".join(lines) + bytes(2_500_000))

    assert read_run(path).records == 50
    Ledger.open(path, now=clock()).close()
    assert read_run(path).records == 51


def test_an_impossible_fact_with_a_right_sum_is_damage(tmp_path: Path, lines: list[bytes]) -> None:
    path = tmp_path / "ledger.jsonl"
    last = decode(lines[-1])
    stored = encode(51, "resubmit", last.at, {"job": f"{0:032x}", "how": "by hand"})
    path.write_bytes(b"".join(lines) + stored)

    with pytest.raises(LedgerDamaged, match="'resubmit' cannot follow 'failed'") as refusal:
        read_run(path)
    assert refusal.value.line == 51


def test_a_ledger_that_is_being_written_reads_as_its_prefix(tmp_path: Path, lines: list[bytes]) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"".join(lines)[:-30])

    assert read_run(tmp_path).records == 49
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("there", [False, True])
def test_where_there_is_no_ledger_it_says_so(tmp_path: Path, there: bool) -> None:
    run = tmp_path / "run"
    if there:
        run.mkdir()

    with pytest.raises(UsageError, match="there is no ledger here"):
        read_run(run)
