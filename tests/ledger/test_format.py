"""The format of a ledger: which ones are read, that every ledger says in time which it is, and what makes a new one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import LedgerDamaged, UsageError
from pipeline.ledger.fields import FIELDS, FORMAT, HEADER, WISH_FIELDS
from pipeline.ledger.ledger import Ledger, read_run
from pipeline.ledger.records import Record, decode, encode
from pipeline.ledger.repair import repair, verify
from pipeline.ledger.resolve import resolve
from pipeline.lifecycle import AFTER, Fact
from pipeline.model import Link
from tests.ledger.histories import BEGINNING, PRICE, a_job, clock, key, live, opened, planned

RULES = {4: "de1243a7e37bc3b5"}
"""By format: a digest of all that a ledger of this format may hold."""
REMIX = replace(a_job(1), source=key(0), link=Link.REMIX)
"""What the first format cannot hold."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def records(path: Path) -> list[Record]:
    return [decode(line) for line in path.read_bytes().splitlines(keepends=True)]


def formats(path: Path) -> list[int | None]:
    """What each record of a ledger says of the format; `None`: it is no header."""
    return [record.fields.get("format") for record in records(path)]


def with_header(path: Path, **other: Any) -> None:
    """Let the latest header of the ledger at *path* say something else."""
    lines = path.read_bytes().splitlines(keepends=True)
    place = max(n for n, line in enumerate(lines) if b'"t":"header"' in line)
    header = decode(lines[place])
    lines[place] = encode(header.n, HEADER, header.at, {**header.fields, **other})
    path.write_bytes(b"".join(lines))


def of_format_1(path: Path, *life: Fact) -> None:
    """A ledger of the first format in which *life* happened to a job."""
    with opened(path) as ledger:
        planned(ledger, 0)
        live(ledger, 0, *life)
        ledger.commit_now()
    with_header(path, format=1)


def test_what_a_ledger_may_hold_changes_with_its_format_alone() -> None:
    """Whoever changes a table raises `FORMAT`, for an older vidbatch takes what it does not know for damage."""
    fields = {
        f"{kind}.{name}": (sorted(kind.__name__ for kind in rule.kinds), rule.required, sorted(rule.words), rule.bound)
        for kind, table in {**FIELDS, "wish": WISH_FIELDS}.items()
        for name, rule in table.items()
    }
    steps = sorted(f"{was} {fact} {then}" for (was, fact), then in AFTER.items())
    rules = repr((sorted(fields.items()), steps))

    assert hashlib.sha256(rules.encode()).hexdigest().startswith(RULES[FORMAT])


def test_a_ledger_of_an_older_format_reads_the_same_and_goes_on_under_a_header_of_this_one(path: Path) -> None:
    of_format_1(path, Fact.INTENT, Fact.ACCEPTED)
    assert read_run(path).jobs[key(0)].video_id == "video_0_1"

    with opened(path) as ledger:
        assert formats(path) == [1, None, None, None, FORMAT]  # durable before anything may be built on it
        ledger.plan(REMIX, price=PRICE)
        ledger.commit_now()
    with opened(path) as ledger:
        ledger.commit_now()

    assert formats(path) == [1, None, None, None, FORMAT, None]
    assert verify(path).state.jobs[key(1)].wish.source == key(0)
    with_header(path, format=1)  # as versions wrote it that were never released
    assert verify(path).state.jobs[key(1)].wish.source == key(0)


def test_a_person_s_word_needs_no_newer_format(path: Path) -> None:
    of_format_1(path, Fact.INTENT, Fact.UNCERTAIN)

    resolve(path, ["job-0"], Fact.DROPPED, now=clock())

    assert [record.type for record in records(path)] == ["header", "plan", "intent", "uncertain", "dropped"]
    assert formats(path)[0] == 1


@pytest.mark.parametrize("other", [{"format": FORMAT + 1}, {"format": FORMAT + 1, "colour": "red"}, {"format": 0}])
@pytest.mark.parametrize(
    "look",
    [
        lambda path: Ledger.open(path, now=clock()),
        read_run,
        verify,
        lambda path: repair(path, now=clock()),
        lambda path: resolve(path, ["job-0"], Fact.DROPPED, now=clock()),
    ],
)
def test_another_format_is_named_and_nothing_of_it_is_touched(
    path: Path, look: Callable[[Path], object], other: dict[str, Any]
) -> None:
    of_format_1(path)
    with_header(path, **other)
    before = path.read_bytes()

    with pytest.raises(UsageError, match=rf":1: its format is {other['format']}, and this vidbatch knows 1 to 4"):
        look(path)

    assert path.read_bytes() == before


def test_a_damaged_ledger_of_a_later_format_is_not_repaired_by_what_does_not_know_it(path: Path) -> None:
    of_format_1(path, Fact.INTENT, Fact.ACCEPTED)
    with opened(path):
        pass
    with_header(path, format=FORMAT + 1)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"#\n", *lines[3:]]))
    before = path.read_bytes()

    with pytest.raises(LedgerDamaged):
        verify(path)
    with pytest.raises(UsageError, match=f"its format is {FORMAT + 1}, .*: use a newer one"):
        repair(path, now=clock())

    assert path.read_bytes() == before
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["ledger.jsonl", "ledger.jsonl.lock"]


@pytest.mark.parametrize("lost", [0, 4])
def test_a_repaired_ledger_says_its_format_first_and_began_when_it_began(path: Path, lost: int) -> None:
    of_format_1(path, Fact.INTENT, Fact.ACCEPTED)
    with opened(path) as ledger:
        ledger.plan(REMIX, price=PRICE)
        ledger.commit_now()
    lines = path.read_bytes().splitlines(keepends=True)
    began_at = decode(lines[1 if lost == 0 else 0]).at
    path.write_bytes(b"".join(lines[:lost] + lines[lost + 1 :]))

    repair(path, now=lambda: BEGINNING.replace(year=2027))

    assert formats(path)[0] == FORMAT
    after = read_run(path)
    assert after.began_at == began_at
    assert after.jobs[key(1)].wish.source == key(0)
