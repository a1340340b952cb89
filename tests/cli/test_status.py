"""`status` and `show` as they are typed; and `status --watch` beside a run that it must not disturb."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipeline.cli.watch import end_of, pause_s
from pipeline.ledger.fields import READING
from pipeline.ledger.ledger import read_run
from pipeline.ledger.presence import KERNELS_LIST, Presence
from pipeline.ledger.replay import RunState
from pipeline.lifecycle import Fact, State
from pipeline.paths import schemas_folder
from pipeline.views.frame import BACK, OTHER_SCREEN
from pipeline.views.survey import Circumstances, survey
from tests.cli.conftest import without_keys
from tests.ledger.histories import BEGINNING, key, live, opened, planned

Vidbatch = Callable[..., Any]
MADE = (Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED, Fact.STORED)
SLOW = """\
provider: {profile: sandbox, sandbox: {render_s: 0.6}}
limits: {in_flight: 1, budget: 9}
defaults: {model: sketch, seconds: 1, size: 64x64}
jobs: [{prompt: a tug, id: tug}, {prompt: a heron, id: heron}]
"""
AGAIN = "        # try these again, and pay for them again"

needs_a_list = pytest.mark.skipif(not KERNELS_LIST.exists(), reason="this system does not list its locks")


@pytest.fixture
def harbour(tmp_path: Path) -> Path:
    """A run folder: one job stored, one failed, one not begun; nobody is at work."""
    with opened(tmp_path / "harbour/ledger.jsonl") as ledger:
        planned(ledger, 0, 1, 2)
        live(ledger, 0, *MADE)
        live(ledger, 1, Fact.INTENT, Fact.ACCEPTED, Fact.FAILED)
        ledger.commit_now()
    return tmp_path / "harbour"


def test_status_says_where_a_run_stands(harbour: Path, in_process: Vidbatch) -> None:
    done = in_process("status", harbour.name)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("harbour: 1 of 3 videos stored\n")
    assert "failed: job-1 — it was too dark\n" in done.stdout
    assert done.stdout.endswith(f"folder  harbour\nnext    vidbatch run harbour --retry failed\n{AGAIN}\n")


def test_what_a_killed_run_left_open_the_next_settles_where_the_provider_lets_it(
    harbour: Path, in_process: Vidbatch
) -> None:
    with opened(harbour / "ledger.jsonl") as ledger:
        live(ledger, 2, Fact.INTENT)
        ledger.commit_now()

    told = in_process("status", harbour.name).stdout

    assert "\nnext    vidbatch run harbour   # goes on, and settles what can be proven\n" in told


def test_a_value_that_no_job_has_is_told_beside_the_empty_table(harbour: Path, in_process: Vidbatch) -> None:
    done = in_process("status", harbour.name, "--where", "animal=fxo")

    assert done.returncode == 0
    assert "note: no job has animal=fxo; there are fox\n" in done.stderr


def test_where_the_kept_manifest_is_gone_only_the_budget_is_not_known(harbour: Path, in_process: Vidbatch) -> None:
    with opened(harbour / "ledger.jsonl") as ledger:
        ledger.note(READING, "f" * 64)
        ledger.commit_now()

    done = in_process("status", harbour.name, "--json")

    assert (done.returncode, json.loads(done.stdout)["standing"]["budget"]) == (0, None)


def test_the_document_keeps_its_schema_also_where_it_is_of_some_jobs_only(harbour: Path, in_process: Vidbatch) -> None:
    schema = json.loads((schemas_folder() / "status.schema.json").read_text(encoding="utf-8"))

    found = {
        words: json.loads(in_process("status", harbour.name, "--json", *words).stdout)
        for words in ((), ("--where", "state=failed"), ("--limit", "2"), ("--where", "id=nobody"))
    }

    for document in found.values():
        jsonschema.Draft202012Validator(schema).validate(document)
        assert document["counts"]["stored"] == document["counts"]["pending"] == 1
        assert document["standing"]["left"] == 1
    assert [[job["id"] for job in document["jobs"]] for document in found.values()] == [
        ["job-0", "job-1", "job-2"],
        ["job-1"],
        ["job-0", "job-1"],
        [],
    ]


def test_where_lists_the_jobs_that_fit_one_a_line(harbour: Path, in_process: Vidbatch) -> None:
    done = in_process("status", harbour.name, "--where", "state=stored,failed", "--where", "cost>0.5", "--limit", "5")

    head, stored, failed = done.stdout.splitlines()
    assert head.startswith("ID ")
    assert stored.split()[:4] == ["job-0", "stored", "$0.80", "video_0_1"]
    assert stored.endswith("videos/coast/fox.mp4")
    assert failed.endswith("it was too dark")
    assert (done.returncode, done.stderr) == (0, "2 of 3 jobs\n")


def test_csv_has_all_that_is_known_of_each_job(harbour: Path, in_process: Vidbatch) -> None:
    done = in_process("status", harbour.name, "--csv")

    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["id"], row["state"], row["params.seed"], row["axes.animal"]) for row in rows] == [
        ("job-0", "stored", "0", "fox"),
        ("job-1", "failed", "1", "fox"),
        ("job-2", "pending", "2", "fox"),
    ]
    assert (rows[0]["sha256"], rows[1]["reason"], done.stderr) == ("b" * 64, "it was too dark", "")


def test_csv_is_a_file_of_its_own_kind_wherever_it_goes(harbour: Path, tmp_path: Path) -> None:
    with (tmp_path / "jobs.csv").open("wb") as file:
        subprocess.run(
            [sys.executable, "-m", "pipeline", "status", str(harbour), "--csv", "--limit", "1"],
            stdout=file,
            env=without_keys({"PYTHONIOENCODING": "latin-1"}),
            check=True,
        )

    content = (tmp_path / "jobs.csv").read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n") == 2
    assert "number 0 ✓".encode() in content


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--where", "state"), "--where 'state': write FIELD=VALUE"),
        (("--where", "stat=x"), "no job has a field 'stat'; did you mean 'state'?"),
        (("--json", "--csv"), "not allowed with argument"),
        (("--watch", "--json"), "--watch shows the whole run"),
        (("--watch", "1", "--where", "state=failed"), "--watch shows the whole run"),
        (("--watch", "0"), "'0' is no number of seconds"),
        (("--watch", "nan"), "'nan' is no number of seconds"),
        (("--limit", "0"), "'0' is not a whole number"),
    ],
)
def test_what_does_not_go_together_is_refused(
    words: tuple[str, ...], said: str, harbour: Path, in_process: Vidbatch
) -> None:
    done = in_process("status", harbour.name, *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_an_interval_that_swallows_the_run_is_told_apart(harbour: Path, in_process: Vidbatch) -> None:
    done = in_process("status", "--watch", harbour.name)

    assert "'harbour' is no number of seconds; name the run before --watch" in done.stderr


@needs_a_list
def test_a_watch_ends_where_nobody_is_at_work_and_says_what_is_left(harbour: Path, in_process: Vidbatch) -> None:
    left = in_process("status", harbour.name, "--watch")
    with opened(harbour / "ledger.jsonl") as ledger:
        live(ledger, 2, *MADE)
        ledger.commit_now()
    over = in_process("status", harbour.name, "--watch")

    assert left.stdout.endswith("nobody is at work, and 1 video is left: vidbatch run harbour   # goes on\n")
    assert over.stdout.endswith("pay for them again\nnothing is left to do, and nobody is at work\n")
    assert over.stdout.count("videos stored") == 1
    assert (left.returncode, over.returncode) == (0, 0)


def test_a_damaged_ledger_ends_a_watch_with_its_line(harbour: Path, in_process: Vidbatch) -> None:
    with (harbour / "ledger.jsonl").open("ab") as file:
        file.write(b'{"n":99}\n')

    done = in_process("status", harbour.name, "--watch")

    assert (done.returncode, done.stdout) == (3, "")
    assert "does not agree with its checksum" in done.stderr


@needs_a_list
def test_a_watch_beside_a_run_shows_it_move_and_does_not_disturb_it(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(SLOW, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "run", "m.yaml", "--log-format", "json"],
        cwd=tmp_path,
        env=without_keys({}),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        next(line for line in running.stderr if '"in_flight"' in line)
        running.send_signal(signal.SIGSTOP)  # it holds its lock, and goes no further before we have looked
        with subprocess.Popen(
            [sys.executable, "-m", "pipeline", "status", "outputs/m", "--watch", "0.05"],
            cwd=tmp_path,
            env=without_keys({}),
            stdout=subprocess.PIPE,
            text=True,
        ) as watching:
            assert watching.stdout is not None
            shown = "".join(iter(watching.stdout.readline, "\n"))
            running.send_signal(signal.SIGCONT)
            shown += "\n" + watching.stdout.read()
        running.communicate(timeout=60)
    blocks = shown.split("\n\n")
    assert (running.returncode, watching.returncode) == (0, 0)
    assert blocks[0].splitlines()[0].endswith("m: 0 of 2 videos stored")
    assert blocks[-1].startswith("m: 2 of 2 videos stored\n")
    assert len(blocks) > 2
    assert "  1  in_flight\n" in shown
    assert "runner  at work\n" in blocks[0]
    assert " of $9.00 at sandbox (embedded) (play money:" in blocks[0]
    assert shown.endswith("nothing is left to do, and nobody is at work\n")
    assert read_run(tmp_path / "outputs/m").counts[State.STORED] == 2


@contextmanager
def watched_at_a_terminal(run: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, Callable[[str], str]]]:
    """A watch at a terminal of 24 rows and 60 columns, the terminal, and what reads it until something is shown."""
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, (24, 60))
    command = [sys.executable, "-m", "pipeline", "status", str(run), "--watch", "0.02"]
    environ = without_keys({"TERM": "xterm"})
    with closing(os.fdopen(ours, "r+b", buffering=0)):
        watching = subprocess.Popen(command, env=environ, stdout=theirs, stderr=subprocess.DEVNULL)
        os.close(theirs)

        def until(words: str) -> str:
            shown = b""
            while words.encode() not in shown:
                shown += os.read(ours, 65536)
            return shown.decode(errors="replace")

        try:
            yield watching, ours, until
        finally:
            watching.kill()
            watching.wait()


@needs_a_list
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_watch_at_a_terminal_is_drawn_in_place_fits_any_size_and_leaves_the_screen_as_it_was(
    number: signal.Signals, tmp_path: Path
) -> None:
    import termios

    with opened(tmp_path / "ledger.jsonl") as ledger:
        planned(ledger, 0, 1)
        ledger.commit_now()
        with watched_at_a_terminal(tmp_path) as (watching, terminal, until):
            first = until("2  pending")
            live(ledger, 0, *MADE)
            ledger.commit_now()
            until("1 of 2 videos stored")
            termios.tcsetwinsize(terminal, (4, 30))
            until("more lines")
            watching.send_signal(number)
            last = until(BACK)

            assert watching.wait(60) == 130
    assert first.startswith(OTHER_SCREEN)
    assert OTHER_SCREEN not in last
    assert "\x1b[1m" in first  # there is colour


def test_looking_takes_no_more_than_a_tenth_of_a_processor_unless_all_is_read_anew() -> None:
    assert [pause_s(2.0, took_s=took_s) for took_s in (0.0, 0.05, 0.5, 9.0)] == [2.0, 2.0, 4.5, 10.0]


@pytest.mark.parametrize(
    ("presence", "counts", "ends"),
    [
        (Presence.AT_WORK, 0, False),
        (Presence.AT_WORK, 2, False),
        (Presence.UNKNOWN, 2, False),
        (Presence.UNKNOWN, 0, True),
        (Presence.NOBODY, 0, True),
        (Presence.NOBODY, 2, True),
    ],
)
def test_a_watch_ends_when_nobody_is_at_work_or_nobody_can_tell_and_nothing_is_left(
    presence: Presence, counts: int, ends: bool, tmp_path: Path
) -> None:
    around = Circumstances(folder=tmp_path, presence=presence)
    state = RunState()
    if counts:
        with opened(tmp_path / "ledger.jsonl") as ledger:
            planned(ledger, *range(counts))
            state = ledger.state

    assert bool(end_of(survey(state, around, now=BEGINNING), around)) is ends


def test_show_tells_a_jobs_story(harbour: Path, in_process: Vidbatch) -> None:
    text = in_process("show", harbour.name, "job-1")
    document = json.loads(in_process("show", harbour.name, "videos/coast/fox.mp4", "--json").stdout)

    assert (text.returncode, text.stderr) == (0, "")
    assert text.stdout.startswith("job-1: failed: it was too dark; $0.80 for 1 submit\n")
    assert "the provider gave up on it: it was too dark (moderation)" in " ".join(text.stdout.split())
    assert (document["run"], document["jobs"][0]["key"]) == ("harbour", key(0))
    assert [record["t"] for record in document["jobs"][0]["records"]] == ["plan", *MADE]


@pytest.mark.parametrize(
    ("words", "said"),
    [(("harbour", "job-9"), "this run has no job 'job-9'"), (("nowhere", "x"), "there is no ledger here")],
)
def test_show_says_what_it_cannot_find(words: tuple[str, ...], said: str, harbour: Path, in_process: Vidbatch) -> None:
    done = in_process("show", *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert harbour.exists()
