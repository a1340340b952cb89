"""What `docs/ledger.md` says is true."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.ledger.fields import FIELDS
from pipeline.ledger.ledger import Ledger
from pipeline.lifecycle import AFTER, FINAL, Fact, State
from tests.ledger.histories import clock, fill, key, live, opened, planned

PAGE = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    """The cells of the table in a section."""
    lines = [line for line in section(title).splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


CRASHES = {row[0].strip("`"): State(row[1].strip("`")) for row in rows("Crash here → resumes so")}


def way_to_fact(fact: Fact) -> tuple[Fact, ...]:
    """A shortest life that ends with *fact*."""
    ways: list[tuple[State, tuple[Fact, ...]]] = [(State.PENDING, ())]
    for state, way in ways:
        for (was, happened), then in sorted(AFTER.items()):
            if was is state:
                if happened is fact:
                    return (*way, fact)
                ways.append((then, (*way, happened)))
    raise AssertionError(fact)


@pytest.mark.parametrize(("last", "state"), CRASHES.items())
def test_after_a_crash_a_job_is_where_the_page_says(tmp_path: Path, last: str, state: State) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0)
        live(ledger, 0, *(() if last == "plan" else way_to_fact(Fact(last))))
        ledger.commit_now()

    with Ledger.open(tmp_path / "ledger.jsonl", now=clock()) as ledger:
        ledger.settle_crash()
        assert ledger.state.jobs[key(0)].state is state


def test_the_page_says_so_for_every_record_after_which_a_run_goes_on() -> None:
    goes_on = {fact for (_, fact), then in AFTER.items() if then not in FINAL | {State.BLOCKED}}

    assert set(CRASHES) == {*goes_on - {Fact.UNBLOCKED}, "plan", "stored"}


def test_the_page_lists_every_type_with_its_fields() -> None:
    listed = {
        kind: re.findall(r"`(\w+)`(\??)", fields) for kinds, _, fields in rows("The records") for kind in kinds.split()
    }

    assert {kind.strip("`"): {name: not maybe for name, maybe in fields} for kind, fields in listed.items()} == {
        str(kind): {name: field.required for name, field in table.items()} for kind, table in FIELDS.items()
    }


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
@pytest.mark.parametrize("command", [line for block in blocks("sh") for line in block.splitlines()])
def test_the_jq_examples_work(tmp_path: Path, command: str) -> None:
    fill(tmp_path / "ledger.jsonl")

    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert done.stdout.strip()
    assert done.stderr == ""


def test_the_python_example_holds_for_a_sound_ledger_and_not_for_an_altered_one(tmp_path: Path) -> None:
    (script,) = blocks("python")
    path = tmp_path / "ledger.jsonl"
    fill(path)

    def run() -> int:
        return subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, check=False).returncode

    assert run() == 0
    path.write_bytes(path.read_bytes().replace(b"sandbox", b"sandbax"))
    assert run() == 1
