"""The last words of a run, word for word, and its exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pipeline.chains import because
from pipeline.cli.summary import JobLine, JobRow, Outcome, exit_code, next_commands, summary
from pipeline.ledger.state import JobState, Wish
from pipeline.lifecycle import State
from pipeline.text import cells

Golden = Callable[[str, str], None]


def jobs(state: State, count: int, *, name: str = "", reason: str = "", cost: str | None = "0.80") -> list[JobLine]:
    price = None if cost is None else Decimal(cost)
    return [JobLine(id=f"{name or state}-{n}", state=state, cost=price, reason=reason) for n in range(1, count + 1)]


def outcome(rows: Sequence[JobRow], *, stored_before: int = 0, stopped: str = "", interrupted: bool = False) -> Outcome:
    return Outcome(
        run="harbour",
        folder="outputs/harbour",
        gallery="outputs/harbour/report/index.html",
        words=["harbour.yaml"],
        jobs=rows,
        spent=Decimal("47.20"),
        currency="USD",
        budget=Decimal(50),
        retention_s=7200,
        stored_before=stored_before,
        elapsed_s=723,
        stopped=stopped,
        interrupted=interrupted,
    )


SUBMITTED = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)

CASES = {
    "all-stored": outcome(jobs(State.STORED, 6)),
    "nothing-to-do": outcome(jobs(State.STORED, 6), stored_before=6),
    "some-failed": outcome(
        [
            *jobs(State.STORED, 30),
            *jobs(State.FAILED, 22, name="fox", reason="content policy\x1b[31m: a fox\nmay not"),
            *jobs(State.FAILED, 1, name="owl", reason="internal error"),
            *jobs(State.REJECTED, 2, name="elk", reason="seconds must be one of 4, 8, 12 " * 12),
            *jobs(State.DROPPED, 1, name="eel"),
        ],
        stored_before=10,
    ),
    "uncertain": outcome(
        [
            *jobs(State.STORED, 3),
            JobLine(id="night-1", state=State.UNCERTAIN, cost=Decimal("0.80"), submitted_at=SUBMITTED),
            JobLine(
                id="night-2", state=State.UNCERTAIN, cost=Decimal("1.60"), submitted_at=SUBMITTED + timedelta(hours=1)
            ),
            *jobs(State.BLOCKED, 1, name="dawn"),
        ]
    ),
    "uncertain-price-unknown": replace(outcome(jobs(State.UNCERTAIN, 1, cost=None)), unpriced=1),
    "stopped": outcome(
        [*jobs(State.STORED, 3), *jobs(State.PENDING, 1200), *jobs(State.EXPIRED, 1)],
        stopped="the budget of $50.00 does not cover another video",
    ),
    "interrupted": outcome(
        [
            *jobs(State.STORED, 1),
            *jobs(State.IN_FLIGHT, 2),
            *jobs(State.FINISHED, 1, reason="connection reset"),
            *jobs(State.STALLED, 1),
            *jobs(State.SUBMITTING, 1),
        ],
        interrupted=True,
    ),
    "one-video": outcome(jobs(State.STORED, 1)),
    "not-as-asked": replace(
        outcome(jobs(State.STORED, 9)),
        deviating={
            "it is 5 s long, not 8": [f"stored-{n}" for n in range(2, 9)],
            "it is 640x360, not 1280x720": ["stored-1"],
        },
    ),
    "unjudged": replace(outcome(jobs(State.STORED, 9)), unjudged=["stored-3", "stored-8"]),
    "throttled": replace(outcome(jobs(State.STORED, 4)), places=(3, 12)),
    "deleted-there": replace(outcome(jobs(State.STORED, 4)), deleted=4),
}


@pytest.mark.parametrize("name", CASES)
def test_the_summary_reads(name: str, same_as_golden: Golden) -> None:
    same_as_golden(f"summary-{name}", summary(CASES[name]))


def test_commands_are_quoted_and_repeat_what_the_run_needs() -> None:
    run = Outcome(
        run="x",
        folder="my outputs/x",
        words=["my prompts.csv", "--provider", "dmxapi", "--outputs", "my outputs"],
        jobs=[*jobs(State.PENDING, 1), *jobs(State.UNCERTAIN, 1)],
        spent=Decimal(0),
        currency="CNY",
    )

    assert [command for command, _ in next_commands(run)] == [
        "vidbatch resolve 'my outputs/x'",
        "vidbatch run 'my prompts.csv' --provider dmxapi --outputs 'my outputs'",
    ]


BUDGET_USED = "the budget of $1.25 has no room for the next video, $0.40: $1.20 spent"
BUDGET_BLIND = "the budget of $1.25 could not be kept: the price of the next video is not known"
TWICE = ["--uncertain", "resubmit", "--max-duplicate-cost"]


@pytest.mark.parametrize(
    ("words", "stopped", "over", "command"),
    [
        ([], BUDGET_USED, 0, "vidbatch run m.yaml --budget AMOUNT"),
        (["--budget", "1.25", "--limit", "9"], BUDGET_USED, 0, "vidbatch run m.yaml --budget AMOUNT --limit 9"),
        ([], BUDGET_BLIND, 0, "vidbatch run m.yaml"),
        ([], "the key is refused", 0, "vidbatch run m.yaml"),
        ([*TWICE, "0.40"], "", 1, "vidbatch run m.yaml --uncertain resubmit --max-duplicate-cost AMOUNT"),
        ([*TWICE, "0.40"], "", 0, "vidbatch run m.yaml --uncertain resubmit --max-duplicate-cost 0.40"),
    ],
)
def test_a_command_that_would_end_as_before_is_shown_with_what_to_change(
    words: list[str], stopped: str, over: int, command: str
) -> None:
    run = replace(
        outcome([*jobs(State.PENDING, 1), *jobs(State.UNCERTAIN, 1)], stopped=stopped),
        words=["m.yaml", *words],
        held_by_ceiling=over,
    )
    assert command in [command for command, _ in next_commands(run)]


def test_what_the_ledger_knows_of_a_job_is_enough() -> None:
    job = JobState(
        key="0" * 32,
        wish=Wish(prompt="p", model="m", seconds=4, size="1x1"),
        id="fox",
        path="fox.mp4",
        planned_path="fox.mp4",
        price=Decimal(1),
        state=State.LOST,
    )

    assert "1 lost\n      fox\n" in summary(outcome([job]))


@pytest.mark.parametrize("name", CASES)
def test_no_line_of_the_summary_is_wider_than_a_terminal(name: str) -> None:
    case = CASES[name]
    named = [JobLine(id=f"{job.id}-in-the-harbour", state=job.state, reason=job.reason) for job in case.jobs]
    text = summary(replace(case, jobs=named, words=["harbour.yaml", "--provider", "dmxapi"]))
    assert max(map(cells, text.splitlines())) <= 80


def test_of_a_chain_the_text_of_the_refusal_is_told_once() -> None:
    refusal = "the prompt may not name a person"
    first = because("a", "was rejected", refusal)
    rows = [
        *jobs(State.REJECTED, 1, reason=refusal),
        *jobs(State.BLOCKED, 1, name="b", reason=first),
        *jobs(State.BLOCKED, 1, name="c", reason=because("b", "is blocked", first)),
    ]
    text = " ".join(summary(outcome(rows)).split())
    assert text.count(refusal) == 1
    assert "2 blocked: the job it builds on has no video (a was rejected) b-1, c-1" in text


def test_what_was_refused_is_to_be_edited_and_what_was_paid_for_is_paid_again() -> None:
    run = outcome([*jobs(State.REJECTED, 1, cost="0"), *jobs(State.FAILED, 1)])
    assert list(next_commands(run)) == [
        ("vidbatch run harbour.yaml --retry failed", "try these again, and pay for them again"),
        ("vidbatch run harbour.yaml --retry rejected", "once you have edited them: what was refused cost nothing"),
    ]


def test_what_a_person_said_no_to_is_counted_and_can_be_bought_by_the_next_command() -> None:
    run = replace(outcome([*jobs(State.STORED, 4), *jobs(State.IN_FLIGHT, 1)]), declined=8, retry=["failed"])
    assert summary(run).startswith("harbour: 4 of 13 videos stored; 8 not bought, as you said\n")
    assert list(next_commands(run)) == [
        ("vidbatch run harbour.yaml --retry failed", "asks again, and buys them after a yes")
    ]
    done = replace(outcome(jobs(State.STORED, 4), stored_before=4), declined=1)
    assert summary(done).startswith("harbour: 4 of 5 videos stored; 1 not bought, as you said\n")


def test_what_waits_for_a_person_offers_no_run_that_would_do_nothing_and_what_its_key_settles_no_resolve() -> None:
    resolve = ("vidbatch resolve outputs/harbour", "settle what may have been billed")
    waits = replace(outcome([*jobs(State.UNCERTAIN, 1), *jobs(State.PENDING, 2)]), waiting=2)
    assert list(next_commands(waits)) == [resolve]
    assert [*next_commands(replace(waits, waiting=1))][1:] == [("vidbatch run harbour.yaml", "go on")]
    assert resolve not in next_commands(replace(waits, declined=1, settled_by_key=1))


S = State


@pytest.mark.parametrize(
    ("counts", "stopped", "interrupted", "code"),
    [
        ({S.STORED: 6}, False, False, 0),
        ({}, False, False, 0),
        ({S.STORED: 2, S.PENDING: 4}, False, False, 0),  # --limit 2
        ({S.STORED: 2, S.FAILED: 0}, False, False, 0),
        *(
            ({S.STORED: 5, state: 1}, False, False, 1)
            for state in State
            if state not in {S.STORED, S.PENDING, S.UNCERTAIN}
        ),
        ({S.STORED: 5, S.UNCERTAIN: 1}, False, False, 4),
        ({S.FAILED: 5, S.UNCERTAIN: 1}, False, False, 4),
        ({S.STORED: 6}, True, False, 3),
        ({S.UNCERTAIN: 1}, True, False, 3),
        ({S.UNCERTAIN: 1, S.FAILED: 1}, True, True, 130),
        ({S.STORED: 6}, False, True, 130),
    ],
)
def test_the_exit_code_is_the_gravest_that_applies(
    counts: dict[State, int], stopped: bool, interrupted: bool, code: int
) -> None:
    assert exit_code(counts, stopped, interrupted) == code
    assert exit_code(counts, stopped, interrupted, unjudged=True) == (code or 1)
