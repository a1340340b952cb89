"""`run` and `plan` as they are typed: what they refuse, what they warn of, and which signals they heed."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.api import load
from pipeline.cli import run
from pipeline.cli.arguments import Parser
from pipeline.cli.choice import choice_of, words_of
from pipeline.ledger.ledger import Ledger
from pipeline.lifecycle import Fact
from pipeline.limits import LimitsWish
from pipeline.media.examine import Examined
from pipeline.media.examiner import NotExamined
from tests.cli.conftest import without_keys
from tests.ledger.histories import ORIGIN, SAID, clock, opened

Vidbatch = Callable[..., Any]

QUICK = """\
provider: {profile: sandbox, sandbox: {render_s: 0.5}}
defaults: {model: sketch, seconds: 1, size: 64x64}
jobs: [{prompt: a tug}, {prompt: a heron}]
"""
SKETCH = "prompt,model,seconds,size\na heron,sketch,1,64x64\n"


def parsed(*words: str) -> argparse.Namespace:
    """What `vidbatch run` understands."""
    parser = Parser(prog="vidbatch run")
    run.add_arguments(parser)
    return parser.parse_args(words)


def test_the_limits_of_the_command_line_go_before_the_manifests_and_are_said_again() -> None:
    words = ["m.csv", "--budget", "4.50", "--in-flight", "3", "--submits-per-minute", "90"]
    args = parsed(*words)

    assert choice_of(args).limits == LimitsWish(in_flight=3, submits_per_minute=90, budget=Decimal("4.50"))
    assert words_of(args) == words
    assert words_of(parsed("m.csv")) == ["m.csv"]


def test_leave_to_pay_twice_is_said_again_too() -> None:
    words = ["m.csv", "--uncertain", "resubmit", "--max-duplicate-cost", "1.60"]
    choice = choice_of(parsed(*words))

    assert (choice.uncertain, choice.max_duplicate_cost) == ("resubmit", Decimal("1.60"))
    assert words_of(parsed(*words)) == words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--uncertain", "resubmit"), "--max-duplicate-cost AMOUNT"),
        (("--max-duplicate-cost", "2"), "give both, or neither"),
        (("--uncertain", "ask"), "hold, resubmit"),
    ],
)
def test_leave_to_pay_twice_needs_a_ceiling(
    words: tuple[str, ...], said: str, in_process: Vidbatch, tmp_path: Path
) -> None:
    (tmp_path / "m.yaml").write_text(QUICK, encoding="utf-8")

    for more in ((), ("--dry-run",)):
        done = in_process("run", "m.yaml", *words, *more)
        assert done.returncode == 2
        assert said in done.stderr
    assert not (tmp_path / "outputs").exists()


def test_a_strict_run_that_could_examine_nothing_says_so_and_ends_with_1(
    in_process: Vidbatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ended(*_: object) -> Examined:
        raise NotExamined("the decoder died (signal 9)")

    monkeypatch.setattr("pipeline.media.examiner.Examiner.examine", ended)
    quick = QUICK.replace("0.5", "0").replace(", {prompt: a heron}", "")
    (tmp_path / "m.yaml").write_text(quick, encoding="utf-8")

    done = in_process("run", "m.yaml", "--yes", "--no-report", "--strict-media")

    assert done.returncode == 1
    assert "1 stored, but without the verdict that --strict-media demands" in done.stdout
    assert "the decoder died (signal 9); a later run asks again" in " ".join(done.stderr.split())


def test_the_plan_goes_by_the_limits_of_the_command_line(in_process: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("prompt\na tug\na heron\n", encoding="utf-8")

    done = in_process("plan", "m.csv", "--in-flight", "1", "--submits-per-minute", "1")

    assert "with 1 video in flight" in done.stdout
    assert json.loads(in_process("plan", "m.csv", "--submits-per-minute", "1", "--json").stdout)["duration_s"] > 60


THREE = "jobs: [{prompt: a tug}, {prompt: a heron}, {prompt: a seal}]\n"


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A manifest of three videos at $0.40, of which an earlier run left two in doubt, one of them cut off."""
    manifest = tmp_path / "m.yaml"
    manifest.write_text(
        f'provider: {{profile: sandbox, base_url: "{ORIGIN}"}}\ndefaults: {{seconds: 4}}\n{THREE}', encoding="utf-8"
    )
    folder = tmp_path / "outputs/m"
    folder.mkdir(parents=True)
    with opened(folder / "ledger.jsonl") as ledger:
        for job, life in zip(load(manifest).jobs, ((), (Fact.INTENT, Fact.UNCERTAIN), (Fact.INTENT,)), strict=True):
            ledger.plan(job, price=Decimal("0.40"))
            for fact in life:
                ledger.record(fact, job.key, **SAID[fact])
        ledger.commit_now()
    return manifest


DOUBTFUL = "2 uncertain: perhaps accepted and billed, for up to $0.80"
ASKED = "2 settled with the provider, as far as its list proves anything"


@pytest.mark.parametrize("command", [("plan",), ("run", "--dry-run")])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), [DOUBTFUL, ASKED, "2 wait for a decision where nothing is proven: vidbatch resolve outputs/m"]),
        (
            ("--uncertain", "resubmit", "--max-duplicate-cost", "0.50"),
            [
                DOUBTFUL,
                ASKED,
                "1 submitted again where nothing is proven, for up to $0.40: --max-duplicate-cost is $0.50, $0.00 of",
                "1 waits for a decision where nothing is proven: vidbatch resolve outputs/m",
            ],
        ),
    ],
)
def test_the_plan_says_what_becomes_of_the_uncertain(
    command: tuple[str, ...], words: tuple[str, ...], said: list[str], left: Path, in_process: Vidbatch
) -> None:
    done = in_process(command[0], left.name, *command[1:], *words)
    assert (done.returncode, done.stderr) == (0, "")
    told = " ".join(done.stdout.split())
    places = [told.find(line) for line in said]
    assert -1 not in places
    assert places == sorted(places)
    assert done.stdout.count("wait") == len([line for line in said if "wait" in line])


def test_a_run_refuses_what_its_plan_says_it_would(left: Path, in_process: Vidbatch) -> None:
    """A budget, an earlier submit without a price, nothing new, and leave to send what is uncertain again."""
    path = left.parent / "outputs/m/ledger.jsonl"
    with Ledger.open(path, now=clock()) as ledger:
        first = load(left).jobs[0]
        ledger.plan(first, price=None)
        for fact in (Fact.INTENT, Fact.ACCEPTED, Fact.FAILED):
            ledger.record(fact, first.key, **SAID[fact])
        ledger.commit_now()
    before = path.read_bytes()
    for more in ((), ("--dry-run",)):
        done = in_process(
            *("run", left.name, "--budget", "9", "--uncertain", "resubmit", "--max-duplicate-cost", "1"), *more
        )
        assert done.returncode == 2
        assert "the price of 1 earlier submit of this run is not known" in done.stderr
    assert path.read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_a_run_under_nohup_does_not_hear_the_hang_up(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(QUICK, encoding="utf-8")
    ignoring = 'trap "" HUP; exec "$0" -m pipeline run m.yaml --log-format json'  # as nohup does
    with subprocess.Popen(
        ["sh", "-c", ignoring, sys.executable], cwd=tmp_path, env=without_keys({}), stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        said = ""
        for line in running.stderr:
            said += line
            if '"in_flight"' in line and said.count('"in_flight"') == 1:
                running.send_signal(signal.SIGHUP)

        assert running.wait(timeout=60) == 0
    assert "interrupted: open" not in said
    assert len(list((tmp_path / "outputs/m/videos").glob("*.mp4"))) == 2


def test_a_budget_that_cannot_be_kept_is_told_by_the_plan_as_by_the_run(in_process: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("limits: {budget: 10}\njobs: [{prompt: a tug}]\n", encoding="utf-8")
    words = ("m.yaml", "--provider", "dmxapi")
    key = {"DMXAPI_API_KEY": "not-a-real-key"}

    ran = in_process("run", *words, **key)
    planned, dry, told = (
        in_process(*first, *words, *last, **key)
        for first, last in ((["plan"], ()), (["run"], ["--dry-run"]), (["plan"], ["--json"]))
    )

    refusal = ran.stderr.removeprefix("vidbatch: ").strip()
    assert "price_per_second" in refusal
    assert [done.returncode for done in (ran, planned, dry, told)] == [2, 0, 2, 0]
    assert planned.stdout == dry.stdout
    assert planned.stdout.startswith("m: 1 video by DMXAPI")
    assert "\nat      https://www.dmxapi.cn/v1, from the profile dmxapi\n" in planned.stdout
    assert planned.stderr == dry.stderr == f"vidbatch: a run would refuse this: {refusal}\n"
    assert json.loads(told.stdout)["refusal"] == refusal
    assert list(tmp_path.iterdir()) == [tmp_path / "m.yaml"]


def test_a_plan_without_the_key_says_what_a_run_would_lack(in_process: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("prompt\na tug\n", encoding="utf-8")

    done = in_process("plan", "m.csv", "--provider", "dmxapi")

    assert done.returncode == 0
    assert done.stdout.startswith("m: 1 video by DMXAPI")
    assert "a run would refuse this: dmxapi: no key: set the environment variable DMXAPI_API_KEY" in done.stderr


def _file(folder: Path) -> str:
    (folder / "x").write_text("mine", encoding="utf-8")
    return "x"


def _below_a_file(folder: Path) -> str:
    return f"{_file(folder)}/deep/er"


def _link_to_nothing(folder: Path) -> str:
    (folder / "x").symlink_to("nowhere")
    return "x"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_file, "--outputs: x is a file, not a folder"),
        (_below_a_file, "--outputs: x is a file, not a folder"),
        (_link_to_nothing, "--outputs: x is a link that leads nowhere, not a folder"),
    ],
)
@pytest.mark.parametrize("command", ["run", "plan"])
def test_outputs_that_can_be_no_folder_are_refused_before_anything_else(
    command: str, make: Callable[[Path], str], message: str, in_process: Vidbatch, tmp_path: Path
) -> None:
    done = in_process(command, "no-such.yaml", "--outputs", make(tmp_path))

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"vidbatch: {message}\ntry: vidbatch {command} --help\n"


def test_outputs_are_checked_also_where_none_are_named(in_process: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("mine", encoding="utf-8")

    done = in_process("run", "no-such.yaml")

    assert (done.returncode, done.stderr.splitlines()[0]) == (
        2,
        "vidbatch: --outputs: outputs is a file, not a folder",
    )


def _long_name(folder: Path) -> tuple[str, ...]:
    return ("--outputs", "x" * 300)


def _videos_is_a_file(folder: Path) -> tuple[str, ...]:
    (folder / "outputs/m").mkdir(parents=True)
    (folder / "outputs/m/videos").write_text("mine", encoding="utf-8")
    return ()


def _manifests_is_a_file(folder: Path) -> tuple[str, ...]:
    (folder / "outputs/m").mkdir(parents=True)
    (folder / "outputs/m/manifests").write_text("mine", encoding="utf-8")
    return ()


def _loop_of_links(folder: Path) -> tuple[str, ...]:
    (folder / "outputs").mkdir()
    (folder / "outputs/m").symlink_to("m")
    return ()


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (_long_name, "x" * 300),
        (_videos_is_a_file, "outputs/m/videos"),
        (_manifests_is_a_file, "outputs/m/manifests"),
        (_loop_of_links, "outputs/m"),
    ],
)
def test_trouble_with_a_path_is_one_line_that_names_it(
    make: Callable[[Path], tuple[str, ...]], path: str, in_process: Vidbatch, tmp_path: Path
) -> None:
    (tmp_path / "m.yaml").write_text(QUICK, encoding="utf-8")

    done = in_process("run", "m.yaml", "--quiet", *make(tmp_path))

    assert done.returncode == 3, done.stderr
    assert done.stderr.count("\n") == 1
    assert path in done.stderr


def test_a_folder_of_another_manifest_of_the_same_name_is_warned_of(vidbatch: Vidbatch, tmp_path: Path) -> None:
    names, heron = (line.split(",") for line in SKETCH.splitlines())
    (tmp_path / "birds.csv").write_text(SKETCH, encoding="utf-8")
    (tmp_path / "birds.jsonl").write_text(json.dumps(dict(zip(names, heron, strict=True))), encoding="utf-8")

    first, again, other = (vidbatch("run", name, "--quiet") for name in ("birds.csv", "birds.csv", "birds.jsonl"))

    assert [done.returncode for done in (first, again, other)] == [0, 0, 0]
    assert (first.stderr, again.stderr) == ("", "")
    assert other.stderr == "warning: outputs/birds also holds what a .csv manifest of this name asked for\n"


def test_the_key_of_the_sandbox_that_everyone_knows_is_no_secret(vidbatch: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(SKETCH, encoding="utf-8")

    done = vidbatch("run", "m.csv", VIDBATCH_SANDBOX_KEY="sandbox")

    assert done.returncode == 0
    assert (
        "m: 1 video by vidbatch's own gateway, on this machine (sandbox)\nat      the embedded sandbox" in done.stderr
    )
    log = (tmp_path / "outputs" / "m" / "run.log").read_text(encoding="utf-8")
    assert "start: m: 1 video from sandbox at the embedded sandbox, on this machine, into outputs/m; 1 to submit" in log
