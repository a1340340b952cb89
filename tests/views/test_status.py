"""Where a run stands: a document that keeps its schema in every state, and a few lines for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.ledger.ledger import Ledger
from pipeline.ledger.replay import RunState
from pipeline.lifecycle import AFTER, Fact, State
from pipeline.model import Link
from pipeline.paths import schemas_folder
from pipeline.text import plain
from pipeline.views.status import status_document, status_text
from tests.ledger.histories import BEGINNING, LIVES, PRICE, SAID, a_job, key, live, opened, planned

SCHEMA = json.loads((schemas_folder() / "status.schema.json").read_text(encoding="utf-8"))
RUN_FOLDER = Path("outputs/harbour")
NOW = BEGINNING + timedelta(hours=1)

HOSTILE = "\x1b[31mno\x07\u202e\nno\t" + "x" * 500


def checked(state: RunState) -> dict[str, object]:
    """The document, after JSON and its schema."""
    document = json.loads(json.dumps(status_document(state), allow_nan=False))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert isinstance(document, dict)
    return document


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_run_of_which_nothing_is_known_yet_has_a_document() -> None:
    assert checked(RunState())["jobs"] == []
    assert status_text(RunState(), RUN_FOLDER, now=NOW) == "harbour: 0 of 0 videos stored\nfolder  outputs/harbour"


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
    told = status_text(state, RUN_FOLDER, now=NOW)
    assert ("spent   at least" in told) is ("at an unknown price" in told) is (state.unpriced > 0)
    for line in told.splitlines():
        assert line == plain(line) or line.startswith(("  ", "began", "spent", "folder", "next", "expiry", "renders"))
        assert line.isprintable()


def test_a_run_in_many_states_reads_like_this(tmp_path: Path, same_as_golden: Callable[[str, str], None]) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, *range(len(LIVES) + 3))
        for number, life in enumerate(LIVES):
            live(ledger, number, *life)
        live(ledger, len(LIVES), Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED)
        live(ledger, len(LIVES) + 1, Fact.INTENT, Fact.ACCEPTED)
        ledger.record(Fact.STALLED, key(len(LIVES) + 1), reason=HOSTILE)

        same_as_golden("status.txt", status_text(ledger.state, RUN_FOLDER, now=NOW))
        same_as_golden("status.json", json.dumps(checked(ledger.state), indent=2, ensure_ascii=False))


def test_a_run_that_is_done_reads_like_this(tmp_path: Path, same_as_golden: Callable[[str, str], None]) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0, 1)
        for number in (0, 1):
            live(ledger, number, *LIVES[0])

        same_as_golden("status-done.txt", status_text(ledger.state, RUN_FOLDER, now=NOW))


def test_what_is_not_as_asked_for_is_named_and_what_an_extension_adds_is_not(tmp_path: Path) -> None:
    whole = replace(a_job(2), source=key(1), link=Link.EXTEND)
    with opened(tmp_path / "ledger.jsonl") as ledger:
        for job in (a_job(0), a_job(1), whole):
            ledger.plan(job, price=PRICE)
        for number, size, seconds in ((0, "640x360", 5.2), (1, "1280x720", 8.3), (2, "0x0", 16.0)):
            live(ledger, number, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED)
            ledger.record(Fact.STORED, key(number), **{**SAID[Fact.STORED], "size": size, "seconds": seconds})

        told = status_text(ledger.state, RUN_FOLDER, now=NOW)

    assert [line for line in told.splitlines() if line.startswith("not as asked for")] == [
        f"not as asked for: {a_job(0).id} — it is 640x360, not 1280x720; it is 5.2 s long, not 8"
    ]
