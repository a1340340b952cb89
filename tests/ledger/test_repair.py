"""After damage: what the records that are left show is kept, and nothing that may be paid becomes pending."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import LedgerBroken, LedgerBusy, LedgerDamaged, UsageError
from pipeline.ledger.ledger import Ledger, read_run
from pipeline.ledger.records import decode
from pipeline.ledger.repair import Repair, repair, verify
from pipeline.ledger.replay import RunState
from pipeline.lifecycle import Fact, State
from tests.ledger.disks import FailingDisk
from tests.ledger.histories import (
    ELSEWHERE,
    LIVES,
    ORIGIN,
    PRICE,
    a_job,
    clock,
    fill,
    key,
    live,
    moved,
    opened,
    planned,
)

NEVER_AGAIN = frozenset(State) - {State.PENDING, State.REJECTED, State.BLOCKED, State.DROPPED}
"""States whose job must not be pending after a repair: it would be paid for again."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def written(path: Path, *lives: tuple[Fact, ...], jobs: int = 0) -> list[bytes]:
    """The lines of a ledger in which *lives* happened one after another."""
    with opened(path) as ledger:
        planned(ledger, *range(max(jobs, len(lives))))
        for number, life in enumerate(lives):
            live(ledger, number, *life)
        ledger.commit_now()
    return path.read_bytes().splitlines(keepends=True)


def mended(path: Path, lines: list[bytes]) -> tuple[Repair, RunState]:
    path.write_bytes(b"".join(lines))
    with pytest.raises(LedgerDamaged):
        verify(path)
    done = repair(path, now=clock())
    return done, verify(path).state


def blurred(line: bytes) -> bytes:
    """*line* with one letter changed, and otherwise readable."""
    return line[:-12] + b"X" + line[-11:]


def illegible(line: bytes) -> bytes:
    return b"#" * (len(line) - 1) + b"\n"


ACCEPTED = (Fact.INTENT, Fact.ACCEPTED)
STORED = (*ACCEPTED, Fact.FINISHED, Fact.STORED)


@pytest.mark.parametrize("harm", [blurred, illegible, lambda _: b""])
@pytest.mark.parametrize(
    ("life", "lost", "state"),
    [
        # the intent is lost, and what followed tells
        (STORED, 0, State.STORED),
        (ACCEPTED, 0, State.IN_FLIGHT),
        ((Fact.INTENT, Fact.UNCERTAIN), 0, State.UNCERTAIN),
        ((Fact.INTENT, Fact.REJECTED), 0, State.PENDING),
        ((Fact.INTENT, Fact.NOT_SENT), 0, State.PENDING),
        ((Fact.INTENT, Fact.NOT_SENT, *STORED), 0, State.STORED),
        # the id is lost
        (ACCEPTED, 1, State.UNCERTAIN),
        (STORED, 1, State.UNCERTAIN),
        ((*ACCEPTED, Fact.FAILED), 1, State.UNCERTAIN),
        ((*ACCEPTED, Fact.FAILED, Fact.RETRY, *STORED), 1, State.STORED),
        # something about a video whose id we hold
        (STORED, 2, State.STORED),
        ((*ACCEPTED, Fact.FINISHED, Fact.STORED, Fact.MISSING, Fact.EXPIRED), 3, State.EXPIRED),
        ((*ACCEPTED, Fact.STALLED, Fact.FAILED), 2, State.FAILED),
        # how an attempt ended
        ((Fact.INTENT, Fact.NOT_SENT, Fact.INTENT, Fact.ACCEPTED), 1, State.IN_FLIGHT),
        ((Fact.INTENT, Fact.UNCERTAIN, Fact.ADOPTED), 1, State.IN_FLIGHT),
        ((Fact.INTENT, Fact.UNCERTAIN, Fact.NOT_CREATED), 1, State.PENDING),
        ((Fact.INTENT, Fact.UNCERTAIN, Fact.RESUBMIT), 1, State.PENDING),
        ((Fact.INTENT, Fact.UNCERTAIN, Fact.DROPPED), 1, State.DROPPED),
        # a person's word
        ((Fact.INTENT, Fact.UNCERTAIN, Fact.RESUBMIT, Fact.INTENT, Fact.ACCEPTED), 2, State.IN_FLIGHT),
        ((*ACCEPTED, Fact.FAILED, Fact.RETRY, *ACCEPTED), 3, State.IN_FLIGHT),
        ((*ACCEPTED, Fact.FAILED, Fact.RETRY, *ACCEPTED), 2, State.IN_FLIGHT),
        ((Fact.INTENT, Fact.REJECTED, Fact.RETRY, *ACCEPTED), 1, State.IN_FLIGHT),
    ],
)
def test_one_lost_record_in_the_life_of_a_job(
    path: Path, life: tuple[Fact, ...], lost: int, state: State, harm: object
) -> None:
    assert callable(harm)
    lines = written(path, life)
    lines.append(note_after(path, lines))
    before = read_run(path).jobs[key(0)]
    lines[2 + lost] = harm(lines[2 + lost])

    done, after = mended(path, lines)
    job = after.jobs[key(0)]

    assert job.state is state
    assert done.lost == 1
    assert [doubted.key for doubted in done.doubted] == ([key(0)] if state is State.UNCERTAIN else [])
    if job.state is not State.PENDING:
        assert job.submits >= before.submits
        assert after.spent >= before.cost if before.cost else True
    if state in (State.IN_FLIGHT, State.STORED):
        assert job.video_id == before.video_id


def note_after(path: Path, lines: list[bytes]) -> bytes:
    """One more line, so that no line of the job is the last."""
    with opened(path) as ledger:
        ledger.note("later", "on")
        ledger.commit_now()
    return path.read_bytes()[len(b"".join(lines)) :]


def test_every_line_of_a_long_ledger_may_be_lost_in_any_way(path: Path) -> None:
    lines = fill(path)
    sound = read_run(path)
    for place in range(len(lines)):
        for harm in (blurred, illegible, lambda _: b""):
            if place == len(lines) - 1 and not harm(lines[place]):
                continue  # then nothing shows that it ever was
            changed = [*lines[:place], harm(lines[place]), *lines[place + 1 :]]
            _, after = mended(path, changed)
            assert after.jobs.keys() == sound.jobs.keys(), place
            for job in sound.jobs.values():
                now = after.jobs[job.key]
                if job.state in NEVER_AGAIN:
                    assert now.state is not State.PENDING, (place, job.id)
                assert now.submits >= job.submits or now.state is State.PENDING, (place, job.id)


def test_every_pair_of_neighbours_may_be_lost(path: Path) -> None:
    lines = written(path, *LIVES)
    sound = read_run(path)
    lines.append(note_after(path, lines))
    for place in range(1 + len(LIVES), len(lines) - 2):
        _, after = mended(path, [*lines[:place], *lines[place + 2 :]])
        for job in sound.jobs.values():
            if job.state in NEVER_AGAIN:
                assert after.jobs[job.key].state is not State.PENDING, (place, job.id)


def test_a_lost_intent_that_can_be_read_concerns_its_job_alone(path: Path) -> None:
    lines = written(path, (Fact.INTENT,), jobs=4)
    lines[-1] = blurred(lines[-1])

    done, after = mended(path, lines)

    assert [job.state for job in after.jobs.values()] == [State.UNCERTAIN, *[State.PENDING] * 3]
    assert [job.id for job in done.doubted] == ["job-0"]
    assert after.spent == PRICE


@pytest.mark.parametrize(("lost", "life"), [(0, ACCEPTED), (1, ACCEPTED), (0, (Fact.INTENT, Fact.UNCERTAIN))])
def test_a_doubted_attempt_went_where_the_run_was_at_that_time(path: Path, lost: int, life: tuple[Fact, ...]) -> None:
    lines = written(path, life)
    with Ledger.open(path, now=clock()) as ledger:
        moved(ledger)
        ledger.commit_now()
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2 + lost] = blurred(lines[2 + lost])

    _, after = mended(path, lines)

    assert after.header is not None
    assert (after.header.origin, after.jobs[key(0)].origin) == (ELSEWHERE, ORIGIN)


def test_a_lost_record_that_cannot_be_read_concerns_every_job_that_looks_untouched(path: Path) -> None:
    lines = written(path, STORED, (Fact.INTENT,), jobs=4)
    lines[-1] = illegible(lines[-1])

    _, after = mended(path, lines)

    assert [job.state for job in after.jobs.values()] == [State.STORED, *[State.UNCERTAIN] * 3]
    assert "was lost from the ledger" in after.jobs[key(3)].reason


def test_a_job_that_spoke_after_the_loss_is_not_doubted(path: Path) -> None:
    lines = written(path, (Fact.INTENT, Fact.NOT_SENT), (Fact.INTENT, Fact.NOT_SENT))
    lines[4] = illegible(lines[4])  # the first job's not_sent

    _, after = mended(path, lines)

    assert after.jobs[key(0)].state is State.UNCERTAIN
    assert after.jobs[key(1)].state is State.PENDING


@pytest.mark.parametrize("kind", ["header", "note", "plan"])
def test_a_lost_record_that_is_about_no_attempt_doubts_nobody(path: Path, kind: str) -> None:
    with opened(path) as ledger:
        planned(ledger, 1)
        ledger.note("n", "some note")
        ledger.plan(a_job(1, path="new.mp4"), price=PRICE)
        ledger.header(run="", provider="sandbox", origin="http://127.0.0.1:9/v1", currency="USD", name="harbour")
        ledger.note("n", "the end")
        ledger.commit_now()
    lines = path.read_bytes().splitlines(keepends=True)
    place = max(n for n, line in enumerate(lines[:-1]) if decode(line).type == kind)
    lines[place] = blurred(lines[place])

    done, after = mended(path, lines)

    assert after.jobs[key(1)].state is State.PENDING
    assert done.doubted == ()


def test_without_its_header_a_ledger_gets_one_and_goes_on(path: Path) -> None:
    lines = written(path, ACCEPTED)

    _, after = mended(path, lines[1:])

    assert after.header is not None
    assert after.jobs[key(0)].video_id == "video_0_1"
    with opened(path) as ledger:
        assert ledger.state.header is not None
        assert ledger.state.header.currency == "USD"


def test_a_job_whose_plan_is_lost_is_kept_until_it_is_planned_again(path: Path) -> None:
    lines = written(path, ACCEPTED, STORED)

    _, after = mended(path, [lines[0], illegible(lines[1]), *lines[2:]])
    assert [job.state for job in after.jobs.values()] == [State.STORED, State.IN_FLIGHT]

    with opened(path) as ledger:
        planned(ledger, 0)
        assert ledger.state.jobs[key(0)].id == "job-0"
        assert ledger.state.jobs[key(0)].state is State.IN_FLIGHT


@pytest.mark.parametrize("accident", ["doubled", "swapped", "joined by words"])
def test_where_nothing_is_lost_nobody_is_doubted(path: Path, accident: str) -> None:
    lines = written(path, STORED, ACCEPTED, (), jobs=3)
    sound = read_run(path)
    changed = {
        "doubled": [*lines[:5], lines[4], *lines[5:]],
        "swapped": [*lines[:5], lines[6], lines[5], *lines[7:]],
        "joined by words": [*lines[:5], b"hello\n", *lines[5:]],
    }[accident]

    done, after = mended(path, changed)

    assert (done.lost, done.doubted) == (0, ())
    assert [job.state for job in after.jobs.values()] == [job.state for job in sound.jobs.values()]


def test_the_damaged_file_is_kept_byte_for_byte_and_the_repair_is_noted(path: Path) -> None:
    lines = written(path, STORED)
    lines[3] = illegible(lines[3])

    done, _ = mended(path, lines)

    assert done.aside is not None
    assert done.aside.name == "ledger.damaged-20261122T190001Z.jsonl"
    assert done.aside.read_bytes() == b"".join(lines)
    records = [decode(line) for line in path.read_bytes().splitlines(keepends=True)]
    assert [record.n for record in records] == list(range(1, len(records) + 1))
    assert records[-1].fields["what"] == "repair"


def test_a_sound_ledger_is_left_as_it_is(path: Path) -> None:
    lines = written(path, STORED)

    done = repair(path, now=clock())

    assert (done.aside, done.kept) == (None, len(lines))
    assert path.read_bytes() == b"".join(lines)


def test_a_ledger_in_use_is_not_repaired(path: Path) -> None:
    with opened(path), pytest.raises(LedgerBusy):
        repair(path, now=clock())


def test_a_repair_that_fails_at_any_operation_leaves_the_old_ledger_or_the_new_one(path: Path) -> None:
    lines = written(path, STORED, ACCEPTED)
    damaged = b"".join([*lines[:3], illegible(lines[3]), *lines[4:]])
    failed = 0
    for at in range(3, 30):
        path.write_bytes(damaged)
        disk = FailingDisk(at)
        try:
            repair(path, now=clock(), disk=disk)
        except LedgerBroken:
            failed += 1
            if path.read_bytes() == damaged:
                continue
        assert verify(path).state.jobs[key(1)].state is State.IN_FLIGHT
    assert failed >= 10


def test_a_file_of_nothing_but_garbage_becomes_an_empty_ledger(path: Path) -> None:
    _, after = mended(path, [b"garbage\n", b"more garbage\n"])

    assert after.jobs == {}
    assert after.header is not None


def test_a_file_that_is_no_ledger_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "first.yaml"
    path.write_text("jobs: [{prompt: a tug}]\n", encoding="utf-8")

    with pytest.raises(UsageError, match="this is no ledger"):
        repair(path)

    assert [entry.name for entry in tmp_path.iterdir()] == ["first.yaml"]
