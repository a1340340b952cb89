"""Whether a job that builds on another's video may go, must wait, or goes never."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pipeline.chains import REASON_WIDTH_MAX, Blocked, Ready, Source, Standing, Waits, blocked, standing, with_sources
from pipeline.ledger.state import Wish
from pipeline.lifecycle import State
from pipeline.model import EMBEDDED, Job, Link, Position
from pipeline.plan import Action, Plan, make_plan

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HERE = "https://gate.example/v1"
HOUR = timedelta(hours=1)
SOON, PAST = NOW + HOUR, NOW - HOUR
NESTED = "its source c is blocked: its source b is blocked: its source a failed: its source is blocked: x"
"""As ledgers have it in which each of a chain repeats the whole reason of the one before it."""


WISH = Wish("p", "m", 4, "1x1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A job as the ledger has it."""

    id: str = "harbour-t1"
    path: str = "harbour-t1.mp4"
    state: State = State.STORED
    video_id: str = "video_1"
    origin: str = HERE
    finished_at: datetime | None = NOW - timedelta(minutes=10)
    expires_at: datetime | None = None
    reason: str = ""
    price: Decimal | None = Decimal(1)
    wish: Wish = WISH


def standing_of(
    source: Source, *, origin: str = HERE, retention_s: float = 3600.0, seen_s: float | None = None
) -> Standing:
    return standing(source, now=NOW, origin=origin, retention_s=retention_s, seen_s=seen_s)


READY = Ready(video_id="video_1", until=NOW + timedelta(minutes=50))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (Known(), READY),
        (Known(state=State.FINISHED), READY),
        (Known(expires_at=SOON), Ready(video_id="video_1", until=SOON)),
        (Known(finished_at=PAST, expires_at=SOON), Ready(video_id="video_1", until=SOON)),
        (Known(finished_at=None), Ready(video_id="video_1", until=None)),
        *((Known(state=state), Waits()) for state in (State.PENDING, State.SUBMITTING, State.IN_FLIGHT)),
        *((Known(state=state), Waits()) for state in (State.UNCERTAIN, State.STALLED)),
    ],
)
def test_a_source_with_a_video_is_ready_and_one_that_may_have_one_is_waited_for(
    source: Known, expected: Standing
) -> None:
    assert standing_of(source) == expected


@pytest.mark.parametrize(
    ("source", "seen_s", "expected"),
    [
        # our clock was set since: what it says of a time then is worth nothing
        (Known(expires_at=PAST), 3599.0, Ready),
        (Known(expires_at=PAST), 3600.0, Blocked),
        (Known(finished_at=PAST - HOUR), 3599.0, Ready),
        (Known(finished_at=None, expires_at=PAST), 3599.0, Ready),
        (Known(finished_at=NOW, expires_at=NOW + 2 * HOUR), 7199.0, Ready),
        (Known(finished_at=NOW, expires_at=NOW + 2 * HOUR), 7200.0, Blocked),
        (Known(state=State.EXPIRED, expires_at=SOON), 1.0, Blocked),
    ],
)
def test_what_this_run_saw_finish_counts_from_then_whatever_the_clock_says(
    source: Known, seen_s: float, expected: type[Standing]
) -> None:
    assert isinstance(standing_of(source, seen_s=seen_s), expected)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (Known(state=State.REJECTED, reason="400"), "its source harbour-t1 was rejected: 400"),
        (Known(state=State.FAILED, reason="too\ndark"), "its source harbour-t1 failed: too dark"),
        (Known(state=State.EXPIRED), "its source harbour-t1 expired"),
        (Known(state=State.LOST, reason="?"), "its source harbour-t1 is lost: ?"),
        (Known(state=State.DROPPED), "its source harbour-t1 was given up"),
        (Known(state=State.BLOCKED, reason="its source a failed: x"), "its source harbour-t1 is blocked: a failed: x"),
        (Known(state=State.BLOCKED, reason="its source b is blocked: a failed: x"), "t1 is blocked: a failed: x"),
        (Known(state=State.BLOCKED, reason=NESTED), "harbour-t1 is blocked: a failed: its source is blocked: x"),
        (Known(state=State.BLOCKED, reason="the provider kept it"), "t1 is blocked: the provider kept it"),
        (Known(finished_at=PAST - HOUR), "kept the video of its source harbour-t1 until 2026-11-22 11:00 UTC"),
        (Known(finished_at=PAST), "until 2026-11-22 12:00 UTC"),
        (Known(finished_at=None, expires_at=NOW), "kept the video"),
        (Known(expires_at=PAST), "until 2026-11-22 11:00 UTC"),  # it was looked at long after it had finished
        (Known(state=State.FINISHED, finished_at=PAST - HOUR, expires_at=NOW), "until 2026-11-22 12:00 UTC"),
        (Known(origin="https://other.example/v1"), "is at https://other.example/v1"),
        (Known(origin=EMBEDDED), "is at the sandbox of a run folder"),
        (Known(state=State.IN_FLIGHT, origin=EMBEDDED), "is at the sandbox"),
    ],
)
def test_what_will_have_no_video_blocks_and_says_why(source: Known, words: str) -> None:
    found = standing_of(source)
    assert isinstance(found, Blocked)
    assert words in found.reason


def test_a_plan_that_does_not_know_the_address_asks_for_none() -> None:
    assert standing_of(Known(origin=EMBEDDED), origin="") == READY


def job(n: int, source: int | None = None) -> Job:
    return Job(
        key=f"{n:032x}",
        id=f"job-{n}",
        prompt="p",
        model="m",
        seconds=4,
        size="1x1",
        source="" if source is None else f"{source:032x}",
        link=None if source is None else Link.REMIX,
        path=f"job-{n}.mp4",
        position=Position(file="m.yaml", line=n + 1, column=1),
    )


CHAIN = (job(2, 1), job(1, 0), job(0))
TWO = (*CHAIN, job(12, 11), job(11, 10), job(10))


@pytest.mark.parametrize(("chosen", "ids"), [((0,), "210"), ((1,), "10"), ((2,), "0"), ((0, 2), "210"), ((), "")])
def test_sources_come_along_in_the_manifests_order(chosen: tuple[int, ...], ids: str) -> None:
    found = with_sources([CHAIN[n] for n in chosen], TWO)
    assert [one.id for one in found] == [f"job-{n}" for n in ids]


def test_a_chain_of_thousands_is_no_matter_and_its_reasons_stay_short() -> None:
    count = 5000
    jobs = [job(n, n - 1 if n else None) for n in reversed(range(count))]
    assert len(with_sources(jobs[:1], jobs)) == count
    known = {jobs[-1].key: Known(id="job-0", state=State.FAILED, reason="too dark")}
    reasons = blocked(jobs, {one.key for one in jobs[:-1]}, known, standing_of)
    assert len(reasons) == count - 1
    assert max(map(len, reasons.values())) <= REASON_WIDTH_MAX
    assert reasons[jobs[0].key] == f"its source job-{count - 2} is blocked: job-0 failed: too dark"


def plan_of(known: Mapping[int, Known], *, retry: frozenset[State] = frozenset(), **choice: Any) -> Plan:
    ledger = {f"{n:032x}": replace(one, id=f"job-{n}", path=f"job-{n}.mp4") for n, one in known.items()}
    return make_plan(
        CHAIN,
        ledger,
        price_of=lambda _: Decimal(1),
        retry=retry,
        standing_of=standing_of,
        **choice,
    )


NEW, BLOCKED = Action.SUBMIT, Action.BLOCKED
FAILED = Known(state=State.FAILED, reason="too dark")
GONE = Known(finished_at=PAST)


@pytest.mark.parametrize(
    ("known", "retry", "actions"),
    [
        ({}, "", [NEW, NEW, NEW]),
        ({0: Known(state=State.IN_FLIGHT)}, "", [NEW, NEW, Action.RESUME]),
        ({0: Known(state=State.UNCERTAIN)}, "", [NEW, NEW, Action.HELD]),
        ({0: Known()}, "", [NEW, NEW, Action.STORED]),
        ({0: GONE}, "", [BLOCKED, BLOCKED, Action.STORED]),
        ({0: FAILED}, "", [BLOCKED, BLOCKED, Action.ENDED]),
        ({0: FAILED}, "failed", [NEW, NEW, Action.RETRY]),
        ({0: FAILED, 1: Known(state=State.PENDING)}, "", [BLOCKED, BLOCKED, Action.ENDED]),
        ({0: FAILED, 1: Known(state=State.BLOCKED)}, "", [BLOCKED, BLOCKED, Action.ENDED]),
        ({0: Known(), 1: Known(state=State.BLOCKED), 2: Known(state=State.BLOCKED)}, "", [NEW, NEW, Action.STORED]),
        ({0: FAILED, 1: Known(state=State.BLOCKED)}, "failed", [NEW, NEW, Action.RETRY]),
        ({0: FAILED, 1: Known()}, "", [NEW, Action.STORED, Action.ENDED]),
        ({0: GONE, 1: FAILED}, "failed", [BLOCKED, BLOCKED, Action.STORED]),
        ({0: Known(), 1: FAILED}, "failed", [NEW, Action.RETRY, Action.STORED]),
        ({0: Known(), 1: FAILED}, "", [BLOCKED, Action.ENDED, Action.STORED]),
        ({0: FAILED, 1: Known(state=State.REJECTED)}, "rejected", [BLOCKED, BLOCKED, Action.ENDED]),
    ],
)
def test_a_plan_knows_what_is_blocked_and_buys_none_of_it(
    known: Mapping[int, Known], retry: str, actions: list[Action]
) -> None:
    plan = plan_of(known, retry=frozenset({State(retry)} if retry else ()))
    assert [step.action for step in plan.steps] == actions
    assert [bool(step.reason) for step in plan.steps] == [action is BLOCKED for action in actions]
    assert plan.cost == sum(action in (NEW, Action.RETRY) for action in actions)
    assert len({step.job.path for step in plan.steps}) == 3


@pytest.mark.parametrize(("choice", "count"), [({"only": "job-2"}, 3), ({"limit": 1}, 3), ({"only": "job-1"}, 2)])
def test_chosen_jobs_bring_their_sources(choice: dict[str, Any], count: int) -> None:
    plan = plan_of({}, **choice)
    assert len(plan.steps) == count
    assert plan.left_out == 3 - count
