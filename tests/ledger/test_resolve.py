"""A person settles what the tool cannot know, on the command line."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.cli import ledger as ledger_command
from pipeline.cli import resolve as resolve_command
from pipeline.errors import LedgerBusy, LedgerDamaged, UsageError
from pipeline.ledger.ledger import Ledger, read_run
from pipeline.lifecycle import Fact, State
from tests.ledger.histories import ELSEWHERE, ORIGIN, PRICE, a_job, key, live, moved, opened, planned


def vidbatch(*words: str) -> int:
    """Run a command as the command line does."""
    module = {"resolve": resolve_command, "ledger": ledger_command}[words[0]]
    parser = argparse.ArgumentParser(prog=f"vidbatch {words[0]}")
    module.add_arguments(parser)
    code: int = module.command(parser.parse_args(words[1:]))
    return code


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with a job in each of five states: uncertain twice, stored, pending, and cut off by a crash."""
    folder = tmp_path / "harbour"
    with opened(folder / "ledger.jsonl") as ledger:
        planned(ledger, *range(5))
        live(ledger, 0, Fact.INTENT, Fact.UNCERTAIN)
        live(ledger, 1, Fact.INTENT, Fact.UNCERTAIN)
        live(ledger, 2, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED, Fact.STORED)
        live(ledger, 4, Fact.INTENT)
        ledger.commit_now()
    return folder


def states(run: Path) -> list[str]:
    return [str(job.state) for job in read_run(run).jobs.values()]


def test_without_a_job_it_lists_what_is_uncertain_and_changes_nothing(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (run / "ledger.jsonl").read_bytes()

    assert vidbatch("resolve", str(run)) == 0

    said = capsys.readouterr().out
    assert "3 submits of unknown outcome" in said
    assert "job-0  submitted 2026-11-22 19:00:08 UTC for $0.80, kept there until about 2026-11-22 21:00 UTC" in said
    assert "the connection broke" in said
    for option in ("--adopt ID", "--not-created", "--resubmit", "--drop"):
        assert f"vidbatch resolve {run} job-0 {option}" in said
    assert "job-2" not in said
    assert (run / "ledger.jsonl").read_bytes() == before


def test_it_says_that_the_next_run_asks_the_provider_first(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vidbatch("resolve", str(run))
    assert "The next `vidbatch run` asks the provider first" in capsys.readouterr().out

    with opened(run / "ledger.jsonl") as ledger:
        ledger.header(run="", provider="dmxapi", origin=ORIGIN, currency="USD", name="harbour", retention_s=7200)
        ledger.commit_now()
    vidbatch("resolve", str(run))
    assert "The next `vidbatch run`" not in capsys.readouterr().out


def test_two_jobs_of_one_id_are_named_by_their_keys(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with opened(run / "ledger.jsonl") as ledger:
        ledger.plan(replace(a_job(9), id="job-0"), price=PRICE)
        ledger.commit_now()

    vidbatch("resolve", str(run))

    said = capsys.readouterr().out
    assert f"vidbatch resolve {run} {key(0)[:12]} --drop" in said
    assert f"vidbatch resolve {run} job-1 --drop" in said


def test_where_nothing_is_uncertain_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opened(tmp_path / "ledger.jsonl").close()
    with opened(tmp_path / "ledger.jsonl") as ledger:
        ledger.commit_now()

    assert vidbatch("resolve", str(tmp_path)) == 0
    assert capsys.readouterr().out == "no job is uncertain\n"


@pytest.mark.parametrize(
    ("words", "state"),
    [
        (["--adopt", "video_77"], State.IN_FLIGHT),
        (["--not-created"], State.PENDING),
        (["--resubmit"], State.PENDING),
        (["--drop"], State.DROPPED),
    ],
)
def test_a_finding_is_written_and_nothing_else_changes(
    run: Path, words: list[str], state: State, capsys: pytest.CaptureFixture[str]
) -> None:
    assert vidbatch("resolve", str(run), "job-0", *words) == 0

    assert states(run) == [state, "uncertain", "stored", "pending", "uncertain"]
    assert f"job-0: {state}\n" in capsys.readouterr().out
    job = read_run(run).jobs[key(0)]
    assert job.submits == (0 if "--not-created" in words else 1)
    assert job.video_id == ("video_77" if "--adopt" in words else "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--drop"], "the drop stands, and the provider was not asked to end its video"),
        (["--drop", "--keep-remote"], "nothing was sent"),
    ],
)
def test_a_drop_stands_whether_or_not_the_provider_can_be_asked_to_end_the_video(
    run: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Ledger.open(run / "ledger.jsonl") as ledger:
        live(ledger, 3, Fact.INTENT, Fact.ACCEPTED, Fact.STALLED)
        ledger.commit_now()

    assert vidbatch("resolve", str(run), "job-3", *words) == 0

    assert states(run)[3] == "dropped"
    assert said in capsys.readouterr().out


def test_what_a_drop_is_not_to_do_is_said_of_a_drop_alone(run: Path) -> None:
    with pytest.raises(UsageError, match="give both"):
        vidbatch("resolve", str(run), "job-0", "--not-created", "--keep-remote")
    assert states(run)[0] == "uncertain"


def test_an_adopted_video_is_looked_for_where_its_submit_went(run: Path) -> None:
    with Ledger.open(run / "ledger.jsonl") as ledger:
        moved(ledger)
        ledger.commit_now()

    for number in (0, 4):
        vidbatch("resolve", str(run), f"job-{number}", "--adopt", f"video_7{number}")

    state = read_run(run)
    assert state.header is not None
    assert state.header.origin == ELSEWHERE
    assert [state.jobs[key(number)].origin for number in (0, 4)] == [ORIGIN, ORIGIN]


def test_a_job_that_a_crash_left_open_can_be_settled_at_once(run: Path) -> None:
    vidbatch("resolve", str(run), "job-4", "--not-created")

    assert states(run)[4] == "pending"


def test_jobs_may_be_named_by_glob_or_by_key(run: Path) -> None:
    vidbatch("resolve", str(run), "job-*", "--drop")
    assert states(run) == ["dropped", "dropped", "stored", "pending", "dropped"]


@pytest.mark.parametrize("left", [(), (Fact.STALLED,), (Fact.FINISHED,), (Fact.FINISHED, Fact.DOWNLOAD_FAILED)])
def test_what_was_bought_and_never_comes_can_be_given_up_by_its_name_and_stays_paid(
    run: Path, left: tuple[Fact, ...]
) -> None:
    """No glob names it: who gives up what is uncertain does not mean what is still on its way."""
    with Ledger.open(run / "ledger.jsonl") as ledger:
        live(ledger, 3, Fact.INTENT, Fact.ACCEPTED, *left)
        ledger.commit_now()
    spent = read_run(run).spent
    vidbatch("resolve", str(run), "job-*", "--drop")
    assert states(run)[3] not in ("dropped", "pending")
    assert vidbatch("resolve", str(run), "job-3", "--drop") == 0
    assert states(run)[3] == "dropped"
    assert read_run(run).spent == spent


@pytest.mark.parametrize("since", [(), (Fact.STATUS,), (Fact.STALLED,)])
def test_an_adoption_of_a_wrong_id_can_be_put_right(run: Path, since: tuple[Fact, ...]) -> None:
    vidbatch("resolve", str(run), "job-0", "--adopt", "video_nonsense")
    with Ledger.open(run / "ledger.jsonl") as ledger:
        live(ledger, 0, *since)
        ledger.commit_now()
    spent = read_run(run).spent
    assert vidbatch("resolve", str(run), "job-0", "--adopt", "video_77") == 0
    state = read_run(run)
    assert (state.jobs[key(0)].state, state.jobs[key(0)].video_id) == (State.IN_FLIGHT, "video_77")
    assert state.spent == spent


def test_an_id_that_the_provider_gave_is_not_replaced(run: Path) -> None:
    with Ledger.open(run / "ledger.jsonl") as ledger:
        live(ledger, 3, Fact.INTENT, Fact.ACCEPTED, Fact.STALLED)
        ledger.commit_now()
    with pytest.raises(UsageError, match=r"job-3 is stalled: .*an id that was adopted"):
        vidbatch("resolve", str(run), "job-3", "--adopt", "video_77")


def test_the_whole_key_names_its_job(run: Path) -> None:
    vidbatch("resolve", str(run / "ledger.jsonl"), key(1), "--drop")
    assert states(run)[:2] == ["uncertain", "dropped"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["job-2", "--drop"], "job job-2 is stored: given up can be what is uncertain, or bought"),
        (["job-3", "--not-created"], "job job-3 is pending: only what is uncertain can be settled so$"),
        (["job-0", "job-2", "--drop"], "job job-2 is stored"),
        (["heron", "--drop"], "no job 'heron'"),
        (["heron-*", "--drop"], "no uncertain job has an id like 'heron-\\*'"),
        (["000000", "--drop"], "may be any of 5 jobs"),
        (["job-0", "job-1", "--adopt", "video_7"], "names the video of one job"),
        (["job-0", "--adopt", "video_2_1"], "belongs to job job-2 already"),
        (["job-0", "--adopt", " "], "wants the id of a video"),
        (["job-0", "--adopt", "a\nb"], "wants the id of a video"),
        (["job-0", "--adopt", "v" * 513], "wants the id of a video"),
        (["job-0"], "say what became of job-0: --adopt ID"),
        (["--drop"], "name the jobs"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(run: Path, words: list[str], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        vidbatch("resolve", str(run), *words)

    assert states(run)[:4] == ["uncertain", "uncertain", "stored", "pending"]
    assert states(run)[4] in ("submitting", "uncertain")  # either way its outcome is unknown


def test_while_a_runner_holds_the_run_nothing_is_settled(run: Path) -> None:
    with opened(run / "ledger.jsonl"), pytest.raises(LedgerBusy):
        vidbatch("resolve", str(run), "job-0", "--drop")


def test_verify_says_what_a_sound_ledger_adds_up_to(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert vidbatch("ledger", "verify", str(run)) == 0

    said = capsys.readouterr().out
    assert "15 records, 5 jobs" in said
    assert "  uncertain           2\n" in said
    assert "spent, or perhaps spent: $3.20" in said
    assert said.endswith("sound\n")


def test_verify_tells_a_torn_tail(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (run / "ledger.jsonl").open("ab") as file:
        file.write(b'{"n":16')

    assert vidbatch("ledger", "verify", str(run)) == 0
    assert "torn tail: 7 bytes after line 15" in capsys.readouterr().out


def test_verify_and_repair_of_a_damaged_ledger(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = run / "ledger.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:6], b"#\n", *lines[7:]]))

    with pytest.raises(LedgerDamaged, match=r"ledger\.jsonl:7: .*ledger repair") as damage:
        vidbatch("ledger", "verify", str(run))
    assert damage.value.exit_code == 3

    assert vidbatch("ledger", "repair", str(run)) == 0
    said = capsys.readouterr().out
    assert "14 records kept, 1 record lost" in said
    assert "ledger.damaged-" in said
    assert "now uncertain" in said
    assert f"vidbatch resolve {run}" in said
    assert vidbatch("ledger", "verify", str(run)) == 0
    assert vidbatch("ledger", "repair", str(run)) == 0
    assert "nothing was changed" in capsys.readouterr().out


def test_a_job_whose_id_needs_quotes_is_named_by_its_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        ledger.plan(replace(a_job(1), id="a *tug* \x1b[31m"), price=PRICE)
        live(ledger, 1, Fact.INTENT, Fact.UNCERTAIN)
        ledger.commit_now()

    vidbatch("resolve", str(tmp_path))

    said = capsys.readouterr().out
    assert f"vidbatch resolve {tmp_path} {key(1)[:12]} --drop" in said
    assert "\x1b" not in said


def test_a_price_that_is_not_known_is_called_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with opened(tmp_path / "ledger.jsonl") as ledger:
        ledger.plan(a_job(1), price=None)
        live(ledger, 1, Fact.INTENT, Fact.UNCERTAIN)
        ledger.commit_now()

    vidbatch("resolve", str(tmp_path))
    assert "at an unknown price" in capsys.readouterr().out
