"""Where a run stands: a document that keeps its schema in every state, and a few lines for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.ledger.afterwards import orphaned_note
from pipeline.ledger.deviation import GROUPS_MAX, deviating
from pipeline.ledger.fields import ORPHANED
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.presence import Presence
from pipeline.ledger.replay import RunState
from pipeline.lifecycle import AFTER, Fact, State
from pipeline.limits import Limits
from pipeline.model import JSON, Link
from pipeline.paths import schemas_folder
from pipeline.profile import Pace
from pipeline.text import WIDTH, cells
from pipeline.views.status import standing_document, status_document, status_text
from pipeline.views.survey import Circumstances, survey
from tests.ledger.histories import BEGINNING, LIVES, PRICE, SAID, a_job, key, live, opened, planned

SCHEMA = json.loads((schemas_folder() / "status.schema.json").read_text(encoding="utf-8"))
RUN_FOLDER = Path("outputs/harbour")
NOW = BEGINNING + timedelta(hours=1)

ALONE = Circumstances(folder=RUN_FOLDER, presence=Presence.NOBODY)
AT_WORK = Circumstances(
    folder=RUN_FOLDER,
    presence=Presence.AT_WORK,
    limits=Limits(in_flight=2, submits_per_minute=60.0, budget=Decimal(40)),
    pace=Pace(typical_s=100.0),
    bills=False,
)

MADE = (Fact.INTENT, Fact.ACCEPTED, Fact.STATUS, Fact.FINISHED, Fact.STORED)
ENDS = (
    MADE,
    (Fact.INTENT, Fact.NOT_SENT, Fact.INTENT, Fact.THROTTLED),
    (Fact.INTENT, Fact.UNCERTAIN, Fact.ADOPTED, Fact.STALLED, Fact.FAILED, Fact.RETRY, Fact.INTENT),
    (Fact.INTENT, Fact.UNCERTAIN, Fact.NOT_CREATED, Fact.INTENT, Fact.REJECTED),
    (*MADE, Fact.MISSING, Fact.EXPIRED),
    (Fact.BLOCKED, Fact.UNBLOCKED, Fact.INTENT, Fact.UNCERTAIN),
    (Fact.INTENT, Fact.ACCEPTED, Fact.LOST, Fact.DROPPED),
    (Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED),
)
"""One life for most states that a job can be in."""

HOSTILE = "\x1b[31mno\x07\u202e\nno\t" + "x" * 500


def told_of(state: RunState, around: Circumstances = ALONE, now: datetime = NOW) -> str:
    """Where the run stands, for people."""
    return status_text(state, survey(state, around, now=now), around)


def standing(state: RunState, around: Circumstances = ALONE, now: datetime = NOW) -> dict[str, JSON]:
    """What holds at one moment, for programs."""
    return standing_document(state, survey(state, around, now=now), around)


def checked(state: RunState) -> dict[str, object]:
    """The document, after JSON and its schema."""
    document = json.loads(json.dumps({**status_document(state), "standing": standing(state)}, allow_nan=False))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert isinstance(document, dict)
    return document


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_run_of_which_nothing_is_known_yet_has_a_document() -> None:
    assert checked(RunState())["jobs"] == []
    assert told_of(RunState()) == "harbour: 0 of 0 videos stored\nfolder  outputs/harbour"


@pytest.mark.parametrize("life", LIVES)
def test_every_moment_of_a_jobs_life_keeps_the_schema(tmp_path: Path, life: tuple[Fact, ...]) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 1, 2)
        for fact in life:
            live(ledger, 1, fact)
            _agrees(ledger.state)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 99)), max_size=40))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_keeps_the_schema(tmp_path_factory: pytest.TempPathFactory, choices: list[tuple[int, int]]) -> None:
    with opened(tmp_path_factory.mktemp("run") / "ledger.jsonl") as ledger:
        for number in range(4):
            ledger.plan(a_job(number), price=None if number == 3 else Decimal("0.80"))
        for number, choice in choices:
            possible = sorted(fact for state, fact in AFTER if state is ledger.state.jobs[key(number)].state)
            if possible:
                _happen(ledger, number, possible[choice % len(possible)])
        _agrees(ledger.state)


def _happen(ledger: Ledger, number: int, fact: Fact) -> None:
    live(ledger, number, fact)
    if "reason" in SAID[fact] and ledger.state.jobs[key(number)].state is State.IN_FLIGHT:
        ledger.record(Fact.STALLED, key(number), reason=HOSTILE)


def _agrees(state: RunState) -> None:
    document = checked(state)
    jobs = document["jobs"]
    assert isinstance(jobs, list)
    counted = {name: sum(job["state"] == name for job in jobs) for name in map(str, State)}
    assert document["counts"] == counted
    for job in jobs:
        assert (job["state"] == "stored") is (job["path"] is not None) is (job["sha256"] is not None)
        assert job["path"] is None or job["path"].startswith("videos/")
    known = [job["cost"] for job in jobs if job["cost"] is not None]
    assert document["spent"] == pytest.approx(sum(known))
    assert document["unpriced"] == sum(job["submits"] for job in jobs if job["cost"] is None)
    told = told_of(state)
    assert ("spent   at least" in told) is ("at an unknown price" in told) is (state.unpriced > 0)
    for line in told.splitlines():
        assert line.isprintable()
        assert cells(line) <= WIDTH or line.startswith("next") or "vidbatch run" in line


def test_a_run_in_many_states_reads_like_this(tmp_path: Path, same_as_golden: Callable[[str, str], None]) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, *range(len(ENDS) + 2))
        for number, life in enumerate(ENDS):
            live(ledger, number, *life)
        live(ledger, len(ENDS), Fact.INTENT, Fact.ACCEPTED)
        ledger.record(Fact.STALLED, key(len(ENDS)), reason=HOSTILE)

        same_as_golden("status.txt", told_of(ledger.state))
        same_as_golden("status.json", json.dumps(checked(ledger.state), indent=2, ensure_ascii=False))


def test_a_run_that_is_done_reads_like_this(tmp_path: Path, same_as_golden: Callable[[str, str], None]) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0, 1)
        for number in (0, 1):
            live(ledger, number, *MADE)

        same_as_golden("status-done.txt", told_of(ledger.state))


def test_what_is_not_as_asked_for_is_named_and_what_an_extension_adds_is_not(tmp_path: Path) -> None:
    whole = replace(a_job(2), source=key(1), link=Link.EXTEND)
    with opened(tmp_path / "ledger.jsonl") as ledger:
        for job in (a_job(0), a_job(1), whole):
            ledger.plan(job, price=PRICE)
        for number, size, seconds in ((0, "640x360", 5.2), (1, "1280x720", 8.3), (2, "0x0", 16.0)):
            live(ledger, number, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED)
            ledger.record(Fact.STORED, key(number), **{**SAID[Fact.STORED], "size": size, "seconds": seconds})

        told = told_of(ledger.state)

    _, *named = " ".join(told.split()).partition("not as it should be: ")
    assert named[1].startswith(f"{a_job(0).id} — it is 640x360, not 1280x720; it is 5.2 s long, not 8 folder ")


def test_of_many_ways_of_being_amiss_the_most_frequent_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, *range(20))
        for number in range(20):
            live(ledger, number, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED)
            seconds = 5.04 if number < 3 else float(number) + 10
            ledger.record(Fact.STORED, key(number), **{**SAID[Fact.STORED], "seconds": seconds})

        groups = deviating(ledger.state.jobs.values(), ledger.state)

    assert len(groups) == GROUPS_MAX
    assert next(iter(groups.items())) == ("it is 5 s long, not 8", ["job-0", "job-1", "job-2"])
    assert sum(map(len, groups.values())) == 20


def test_what_looks_alike_is_one_group_and_of_many_reasons_the_most_frequent_are_told(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, *range(12))
        for number in range(12):
            live(ledger, number, Fact.INTENT, Fact.ACCEPTED)
            reason = f"no {number}" if number > 5 else "too\x07 dark" if number % 2 else "too dark"
            ledger.record(Fact.FAILED, key(number), reason=reason)

        told = told_of(ledger.state).splitlines()

    failed = [line for line in told if line.startswith("failed:")]
    assert failed == [
        "failed: job-0, job-2, job-4, job-1, job-3 and 1 more — too dark",
        *(f"failed: job-{number} — no {number}" for number in range(6, 10)),
        "failed: 2 for 2 more reasons",
    ]


def test_a_run_at_work_tells_its_pace_its_budget_and_about_how_long_it_takes(
    tmp_path: Path, same_as_golden: Callable[[str, str], None]
) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, *range(20))
        for number in range(8):
            live(ledger, number, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED, Fact.STORED)
        live(ledger, 8, Fact.INTENT, Fact.ACCEPTED)
        live(ledger, 9, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED)
        ledger.note("idle", "the clock goes on")
        soon = ledger.state.last_at

        assert soon is not None
        same_as_golden("status-at-work.txt", told_of(ledger.state, AT_WORK, soon + timedelta(seconds=2)))


def test_before_enough_has_come_home_the_time_left_is_by_limits_and_the_usual_render_time(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, *range(10))
        live(ledger, 0, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED, Fact.STORED)
        live(ledger, 1, Fact.INTENT, Fact.ACCEPTED)

        assert standing(ledger.state, AT_WORK)["left_s"] == 500.0  # nine, two at a time, 100 s each
        assert standing(ledger.state, ALONE)["left_s"] is None
        assert "left    9 videos, about 8 min 20 s" in told_of(ledger.state, AT_WORK)
        assert "left    9 videos\n" in told_of(ledger.state, ALONE)


def test_what_nobody_asks_for_any_more_is_not_left_to_do(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0, 1)
        ledger.note(ORPHANED, orphaned_note(key(0), orphaned=True))

        assert standing(ledger.state)["left"] == 1


def test_stored_videos_that_are_no_longer_asked_for_are_told_apart_from_those_that_are(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, *range(6))
        for number in range(4):
            live(ledger, number, *MADE)
        heads = [told_of(ledger.state).splitlines()[0]]
        for number in (3, 5, 2):
            ledger.note(ORPHANED, orphaned_note(key(number), orphaned=True))
            heads.append(told_of(ledger.state).splitlines()[0])

    assert heads == [
        "harbour: 4 of 6 videos stored",
        "harbour: 3 of 5 videos stored, and 1 that is no longer asked for",
        "harbour: 3 of 4 videos stored, and 1 that is no longer asked for",
        "harbour: 2 of 3 videos stored, and 2 that are no longer asked for",
    ]


RESOLVE = "vidbatch resolve outputs/harbour   # settle what may have been billed"
GO_ON = "vidbatch run outputs/harbour   # goes on, and settles what can be proven"
AGAIN = "vidbatch run outputs/harbour --retry"


@pytest.mark.parametrize(
    ("presence", "settles", "life", "said"),
    [
        (Presence.NOBODY, True, (Fact.INTENT, Fact.UNCERTAIN), [GO_ON, RESOLVE]),
        (Presence.NOBODY, False, (Fact.INTENT, Fact.UNCERTAIN), [RESOLVE]),
        (Presence.AT_WORK, True, (Fact.INTENT, Fact.UNCERTAIN), [RESOLVE]),
        (Presence.NOBODY, True, (Fact.INTENT,), [GO_ON]),
        (Presence.NOBODY, False, (Fact.INTENT,), []),
        (Presence.AT_WORK, True, (Fact.INTENT,), []),
        (
            Presence.NOBODY,
            True,
            (Fact.INTENT, Fact.ACCEPTED, Fact.FAILED),
            [f"{AGAIN} failed", "# try these again, and pay for them again"],
        ),
        (Presence.AT_WORK, True, (Fact.INTENT, Fact.ACCEPTED, Fact.FAILED), []),
        (
            Presence.NOBODY,
            True,
            (Fact.INTENT, Fact.REJECTED),
            ["vidbatch run MANIFEST --retry rejected", "# once you have edited it: what was refused cost nothing"],
        ),
        (Presence.NOBODY, True, (Fact.INTENT, Fact.ACCEPTED, Fact.LOST, Fact.DROPPED), []),
        (Presence.NOBODY, True, MADE, []),
    ],
)
def test_what_to_type_next_is_said_as_a_run_says_it(
    presence: Presence, settles: bool, life: tuple[Fact, ...], said: list[str], tmp_path: Path
) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0)
        live(ledger, 0, *life)

        told = told_of(ledger.state, replace(ALONE, presence=presence, settles=settles))

    _, _, after = told.partition("\nfolder  outputs/harbour")
    assert [line[8:] for line in after.splitlines() if line] == said
    assert after.startswith("\nnext    ") is bool(said)


def test_what_is_no_longer_asked_for_is_not_to_be_tried_again(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0)
        live(ledger, 0, Fact.INTENT, Fact.ACCEPTED, Fact.FAILED)
        ledger.note(ORPHANED, orphaned_note(key(0), orphaned=True))

        assert "--retry" not in told_of(ledger.state)


def test_the_last_hour_is_counted_from_the_first_thing_that_happened_in_it(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0, 1)
        for number in (0, 1):
            live(ledger, number, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED, Fact.STORED)
    first = ledger.state.jobs[key(0)].submitted_at
    assert first is not None

    whole = standing(ledger.state, now=first + timedelta(minutes=59))["last_hour"]
    part = standing(ledger.state, now=first + timedelta(hours=1, seconds=2))["last_hour"]
    none = standing(ledger.state, now=first + timedelta(hours=3))["last_hour"]

    assert whole == {"length_s": 59 * 60.0, "submits": 2, "renders": 2, "downloads": 2, "bytes": 8192}
    assert part == {"length_s": 3599.0, "submits": 1, "renders": 1, "downloads": 2, "bytes": 8192}
    assert none == {"length_s": 0.0, "submits": 0, "renders": 0, "downloads": 0, "bytes": 0}


def test_what_renders_for_three_times_as_long_as_usual_is_stuck(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, *range(3))
        for number in range(3):
            live(ledger, number, Fact.INTENT, Fact.ACCEPTED)
        began = ledger.state.jobs[key(1)].accepted_at
        assert began is not None
        state = ledger.state

    just = standing(state, AT_WORK, began + timedelta(seconds=300))
    later = told_of(state, AT_WORK, began + timedelta(seconds=301))

    assert (just["oldest"], just["stuck"]) == (key(0), [key(0)])
    assert "oldest  job-0, being rendered for 5 min 3 s" in later
    assert "stuck   rendering for more than 3 times the usual 1 min 40 s: job-0, job-1" in later
    idle = replace(AT_WORK, presence=Presence.NOBODY)
    assert standing(state, idle, began + timedelta(days=1))["stuck"] == []  # nobody looks for their end
    unseen = replace(AT_WORK, presence=Presence.UNKNOWN)
    assert standing(state, unseen, began + timedelta(days=1))["stuck"] == [key(0), key(1), key(2)]
    assert (
        standing(state, replace(ALONE, presence=Presence.AT_WORK), began + timedelta(days=1))["stuck"] == []
    )  # nobody knows what is usual


def test_with_enough_renders_seen_their_median_is_what_is_usual(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, *range(9))
        for number in range(8):
            assert standing(ledger.state, AT_WORK)["render_s"]["usual"] == 100.0  # type: ignore[index, call-overload]
            live(ledger, number, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED)

        assert standing(ledger.state, AT_WORK)["render_s"] == {"usual": 1.0, "median": 1.0, "longest": 1.0}


def test_the_next_expiry_is_of_what_is_not_here_and_past_ones_are_said_to_be(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0, 1, 2)
        live(ledger, 0, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED, Fact.STORED)
        assert standing(ledger.state)["next_expiry"] is None
        live(ledger, 1, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED)

    told = told_of(ledger.state), told_of(ledger.state, now=BEGINNING + timedelta(hours=3))

    assert "\nexpiry  in 1 h (2026-11-22 21:00 UTC), of a video not here yet\n" in told[0]
    assert "\nexpiry  past (2026-11-22 21:00 UTC), of a video not here yet\n" in told[1]


@pytest.mark.parametrize(("presence", "said"), [(p, p.value) for p in Presence])
def test_whether_a_runner_is_at_work_is_said(presence: Presence, said: str, tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0)
        around = replace(ALONE, presence=presence)
        words = {
            Presence.AT_WORK: "\nrunner  at work\n",
            Presence.NOBODY: "\nrunner  none is at work\n",
            Presence.UNKNOWN: "\nrunner  whether one is at work cannot be told here\n",
        }

        assert words[presence] in told_of(ledger.state, around)
        assert standing(ledger.state, around)["runner"] == said


def test_with_keys_only_these_jobs_are_in_the_document_and_the_counts_are_the_runs(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0, 1, 2)

        document = status_document(ledger.state, [key(2)])

    assert [job["id"] for job in document["jobs"]] == ["job-2"]  # type: ignore[union-attr, index, call-overload]
    assert document["counts"]["pending"] == 3  # type: ignore[index, call-overload]


def test_hostile_names_do_not_steer_the_terminal(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        ledger.header(run="", provider=HOSTILE, origin=HOSTILE, currency="USD", name=HOSTILE)
        for number in range(3):
            ledger.plan(replace(a_job(number), id=f"{number}{HOSTILE}"), price=PRICE)
            live(ledger, number, Fact.INTENT, Fact.ACCEPTED)
        ledger.record(Fact.FAILED, key(0), reason=HOSTILE)
        live(ledger, 1, Fact.FINISHED)
        ledger.record(Fact.STORED, key(1), **{**SAID[Fact.STORED], "size": "640x360"})

        told = told_of(ledger.state, AT_WORK, NOW + timedelta(days=1))

    assert all(line.isprintable() for line in told.splitlines())
    assert {line.split()[0] for line in told.splitlines()} >= {"stuck", "oldest", "failed:", "not"}
