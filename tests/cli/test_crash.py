"""A bug of ours leaves a report that can be pasted anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pipeline
from pipeline.cli.crash import crash_report, keep

ROOT = Path(pipeline.__file__).parent.parent
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

BUGGY = """
import os, sys, types
from pipeline.cli import main as frame

def command(args):
    try:
        raise KeyError({"Authorization": "Bearer other-canary-1", "url": "https://u:canary-2@h.example/"})
    except KeyError as error:
        raise ZeroDivisionError("key was " + os.environ["MY_API_KEY"]) from error

module = types.ModuleType("buggy")
module.HELP, module.add_arguments = "break", lambda parser: parser.add_argument("--api-key")
module.command = command
sys.modules["buggy"] = module
frame.COMMANDS = {"buggy": frame.Entry("buggy", "break")}
sys.exit(frame.main(["buggy", "--api-key", "canary-4"]))
"""


def crash(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {**os.environ, "PYTHONPATH": str(ROOT), "MY_API_KEY": "canary-7f3a9c", **environ}
    return subprocess.run(
        [sys.executable, "-c", BUGGY], cwd=folder, env=kept, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_bug_leaves_the_same_report_on_the_screen_and_in_a_file(tmp_path: Path) -> None:
    done = crash(tmp_path)

    [path] = tmp_path.iterdir()
    report = path.read_text(encoding="utf-8")
    assert done.returncode == 70
    assert report in done.stderr
    assert path.name in done.stderr
    assert "ZeroDivisionError" in report
    assert "command   vidbatch buggy --api-key '[redacted]'" in report
    assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o600


def test_no_secret_is_in_the_report(tmp_path: Path) -> None:
    done = crash(tmp_path)

    [path] = tmp_path.iterdir()
    for text in (done.stdout, done.stderr, path.read_text(encoding="utf-8")):
        assert "canary" not in text


NAMED = """
import os, sys
from pipeline import api
from pipeline.cli import main as frame

async def break_down(*_, **__):
    raise ZeroDivisionError("sent " + os.environ["MY_CREDS"])

api.run = break_down
sys.exit(frame.main(["run", "m.yaml"]))
"""


def test_the_variable_that_a_manifest_names_is_secret_whatever_it_is_called(tmp_path: Path) -> None:
    provider = "{profile: sandbox, base_url: 'http://127.0.0.1:9/v1', api_key_env: MY_CREDS}"
    (tmp_path / "m.yaml").write_text(f"provider: {provider}\njobs: [{{prompt: a heron}}]\n", encoding="utf-8")
    kept = {**os.environ, "PYTHONPATH": str(ROOT), "MY_CREDS": "canary-5b81aa"}

    done = subprocess.run(
        [sys.executable, "-c", NAMED], cwd=tmp_path, env=kept, capture_output=True, text=True, timeout=60, check=False
    )

    [report] = tmp_path.glob("vidbatch-crash-*")
    assert done.returncode == 70
    assert "ZeroDivisionError: sent [redacted]" in report.read_text("utf-8")
    assert "canary" not in done.stdout + done.stderr + report.read_text("utf-8")


def test_the_report_goes_to_the_next_folder_where_the_first_takes_none(tmp_path: Path) -> None:
    path = keep("report", at=AT, folders=[tmp_path / "missing", tmp_path])

    assert path is not None
    assert path.parent == tmp_path
    assert path.name.startswith("vidbatch-crash-20260102T030405Z")
    assert path.read_text(encoding="utf-8") == "report"
    assert keep("report", at=AT, folders=[tmp_path / "missing"]) is None


def test_the_report_says_what_ran_where() -> None:
    report = crash_report(ValueError("x"), ["run", "my file.yaml"], at=AT, environ={})

    rows = dict(line.split(maxsplit=1) for line in report.split("\n\n")[0].splitlines())
    assert rows["command"] == "vidbatch run 'my file.yaml'"
    assert rows["time"] == "2026-01-02T03:04:05Z"
    assert set(rows) == {"vidbatch", "python", "platform", "time", "command"}
    assert report.endswith("ValueError: x\n")
