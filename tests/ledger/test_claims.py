"""What ledgers claim of a provider's list: ids that were ever accepted, and attempts that may have made one."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.ledger.claims import OPEN_S, Siblings, claims, is_listed, twice_paid
from pipeline.ledger.fields import REPAIRED
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.records import Value
from pipeline.lifecycle import Fact
from tests.ledger.histories import ELSEWHERE, ORIGIN, PRICE, a_job, key, live, moved, opened, planned

FAILED = (Fact.INTENT, Fact.ACCEPTED, Fact.FAILED)
DOUBTFUL = (Fact.INTENT, Fact.UNCERTAIN)


def ledger_in(folder: Path) -> Ledger:
    return opened(folder / "ledger.jsonl")


def test_the_id_of_an_earlier_attempt_stays_owned_when_a_later_one_begins(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        planned(ledger, 0)
        live(ledger, 0, *FAILED, Fact.RETRY, *DOUBTFUL)
        found = claims(ledger.state, ORIGIN)
        ledger.commit_now()

    assert set(found.owned) == {"video_0_1"}
    assert [doubt.key for doubt in found.uncertain] == [key(0)]
    owned = found.owned["video_0_1"]
    assert owned.began_at < owned.ended_at < found.uncertain[0].began_at


def test_only_what_went_to_the_same_address_counts(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        planned(ledger, 0, 1, 2)
        live(ledger, 0, *DOUBTFUL)
        live(ledger, 1, Fact.INTENT)
        live(ledger, 2, *FAILED)
        moved(ledger)
        ledger.commit_now()
        here, there = claims(ledger.state, ORIGIN), claims(ledger.state, ELSEWHERE)

    assert ([doubt.key for doubt in here.uncertain], [doubt.key for doubt in here.open]) == ([key(0)], [key(1)])
    assert claims(ledger.state, ORIGIN, among={"another"}).owned == {}
    assert (there.owned, there.uncertain, there.open) == ({}, (), ())


def test_an_attempt_that_only_a_repair_knows_of_may_be_as_old_as_its_ledger(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        planned(ledger, 0)
        fields: dict[str, Value] = {
            "job": key(0),
            "attempt": 1,
            "origin": ORIGIN,
            "price": PRICE,
            "reason": "its records were lost",
        }
        ledger._add(REPAIRED, fields)
        ledger.commit_now()

    assert claims(ledger.state, ORIGIN).uncertain[0].began_at == ledger.state.began_at


def test_what_leave_was_used_for_is_summed_over_the_whole_run(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        planned(ledger, 0, 1)
        assert twice_paid(ledger.state) == Decimal(0)
        live(ledger, 0, *DOUBTFUL, Fact.RESUBMIT, *DOUBTFUL, Fact.RESUBMIT, Fact.INTENT)
        live(ledger, 1, *DOUBTFUL, Fact.NOT_CREATED)
        assert twice_paid(ledger.state) == 2 * PRICE
        ledger.plan(a_job(2), price=None)
        live(ledger, 2, *DOUBTFUL, Fact.RESUBMIT)
        assert twice_paid(ledger.state) is None
        ledger.commit_now()


def test_a_list_is_held_to_show_what_was_accepted_in_its_time_and_did_not_fail(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        planned(ledger, 0, 1, 2)
        live(ledger, 0, Fact.INTENT, Fact.ACCEPTED)
        live(ledger, 1, *FAILED)
        live(ledger, 2, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED, Fact.STORED)
        ledger.commit_now()
        flying, failed, stored = (ledger.state.jobs[key(n)] for n in range(3))

    at = flying.accepted_at
    assert at is not None
    hour = timedelta(hours=1)
    assert is_listed(flying, ORIGIN, since=at - hour, until=at)
    assert not is_listed(flying, ORIGIN, since=at - hour, until=at - hour / 2)
    assert not is_listed(flying, ORIGIN, since=at + hour, until=at + 2 * hour)
    assert not is_listed(flying, ELSEWHERE, since=at - hour, until=at)
    assert not is_listed(failed, ORIGIN, since=at - hour, until=at + hour)
    assert is_listed(stored, ORIGIN, since=at - hour, until=at + hour)


def test_what_was_adopted_later_is_not_looked_for_among_what_was_made_later(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        planned(ledger, 0)
        live(ledger, 0, *DOUBTFUL, Fact.ADOPTED)
        ledger.commit_now()
        job = ledger.state.jobs[key(0)]

    assert job.submitted_at is not None
    assert job.accepted_at is not None
    assert job.submitted_at < job.accepted_at
    assert is_listed(job, ORIGIN, since=job.submitted_at, until=job.accepted_at)
    assert not is_listed(job, ORIGIN, since=job.accepted_at, until=job.accepted_at)


@pytest.fixture
def sibling(tmp_path: Path) -> Path:
    """A run beside ours: one id of its own, one submit uncertain, one open."""
    folder = tmp_path / "dunes"
    with ledger_in(folder) as ledger:
        planned(ledger, 0, 1, 2)
        live(ledger, 0, *FAILED)
        live(ledger, 1, *DOUBTFUL)
        live(ledger, 2, Fact.INTENT)
        ledger.commit_now()
    return folder


def test_the_runs_beside_ours_say_what_is_theirs(sibling: Path, tmp_path: Path) -> None:
    with ledger_in(sibling) as ledger:
        began_at = ledger.state.jobs[key(2)].attempts[0].submitted_at
    siblings = Siblings(tmp_path / "harbour", ORIGIN)
    siblings.refresh()

    owned, rivals, blind = siblings.claims(began_at + timedelta(seconds=OPEN_S - 1))

    assert set(owned) == {"video_0_1"}
    assert [(rival.key, rival.whose, rival.passing) for rival in rivals] == [
        (key(1), "the run dunes", False),
        (key(2), "the run dunes", True),
    ]
    assert blind == ""
    _, later, _ = siblings.claims(began_at + timedelta(seconds=OPEN_S))
    assert [rival.passing for rival in later] == [False, False]


def test_a_run_is_no_sibling_of_its_own_and_of_no_other_provider(sibling: Path, tmp_path: Path) -> None:
    with ledger_in(sibling) as ledger:
        now = ledger.state.last_at
    assert now is not None
    for siblings in (Siblings(sibling, ORIGIN), Siblings(tmp_path / "harbour", ELSEWHERE)):
        siblings.refresh()
        assert siblings.claims(now) == ({}, [], "")


def test_a_sibling_is_read_again_when_it_has_gone_on(sibling: Path, tmp_path: Path) -> None:
    siblings = Siblings(tmp_path / "harbour", ORIGIN)
    with ledger_in(sibling) as ledger:
        now = ledger.state.last_at
        assert now is not None
        assert siblings.are_new
        siblings.refresh()
        assert not siblings.are_new
        assert len(siblings.claims(now)[1]) == 2
        live(ledger, 1, Fact.NOT_CREATED, Fact.INTENT, Fact.ACCEPTED)
        ledger.commit_now()
        assert siblings.are_new
        siblings.refresh()
        owned, rivals, _ = siblings.claims(now)

    assert set(owned) == {"video_0_1", "video_1_2"}
    assert [rival.key for rival in rivals] == [key(2)]


def test_a_sibling_that_cannot_be_read_is_named(sibling: Path, tmp_path: Path) -> None:
    good = (sibling / "ledger.jsonl").read_bytes()
    (sibling / "ledger.jsonl").write_bytes(good.replace(b'"n":2', b'"n":7', 1))
    with ledger_in(tmp_path / "harbour") as ledger:
        now = ledger.state.last_at
    assert now is not None

    siblings = Siblings(tmp_path / "harbour", ORIGIN)
    siblings.refresh()
    owned, rivals, blind = siblings.claims(now)

    assert (owned, rivals) == ({}, [])
    assert "dunes" in blind
