"""Real full disks, real limits, real closed streams, by the real command line."""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.main import main
from tests.cli.conftest import without_keys

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has /dev/full, prlimit and name spaces")

COUNT = 6
MANIFEST = f"""\
provider: {{profile: sandbox, sandbox: {{render_s: 0.3}}}}
defaults: {{model: sketch, seconds: 1, size: 64x64}}
limits: {{submit_slots: 1}}
jobs: [{{prompt: a tug, takes: {COUNT}}}]
"""
VIDBATCH = (sys.executable, "-m", "pipeline")

FILLED = """
import json, os, subprocess, sys
from pathlib import Path

def run():
    return subprocess.Popen([sys.executable, "-m", "pipeline", "run", "m.yaml", "--log-format", "json"],
                            stderr=subprocess.PIPE, text=True)

def fill():
    descriptor = os.open("filler", os.O_WRONLY | os.O_CREAT)
    for size in (1 << 20, 1 << 12, 1):
        try:
            while os.write(descriptor, bytes(size)):
                pass
        except OSError:
            continue
    os.close(descriptor)

said, first, filled = "", run(), False
for line in first.stderr:
    said += line
    if '"in_flight"' in line and not filled:
        filled = True
        fill()
    if "no more submits" in line:
        Path("filler").unlink()
codes = [first.wait()]
second = run()
second.communicate()
print(json.dumps({"codes": [*codes, second.returncode], "said": said}))
"""
"""Fills the disk to its last byte while a run is at work, and makes room again when the run has said so."""


def states(folder: Path) -> dict[str, Any]:
    """What `vidbatch status --json` says."""
    with redirect_stdout(io.StringIO()) as said:
        assert main(["status", str(folder / "outputs/m"), "--json"]) == 0
    told: dict[str, Any] = json.loads(said.getvalue())
    told["counts"] = {state: count for state, count in told["counts"].items() if count}
    return told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.yaml").write_text(MANIFEST, encoding="utf-8")
    return tmp_path


def test_a_file_that_may_not_grow_stops_the_run_and_no_id_is_lost(folder: Path) -> None:
    environment = without_keys({"XDG_STATE_HOME": str(folder / "state")})
    words = [*VIDBATCH, "run", "m.yaml", "--log-format", "json"]
    said = ""
    with subprocess.Popen(words, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:
            said += line
            if '"in_flight"' in line and said.count('"in_flight"') == 1:
                size = (folder / "outputs/m/ledger.jsonl").stat().st_size + 300
                resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (size, size))
        assert running.wait(timeout=60) == 3, said
    assert "Traceback" not in said
    assert f"outputs/m/ledger.jsonl: the disk failed and the ledger could not be written ({os.strerror(27)})" in said

    again = subprocess.run([*VIDBATCH, "run", "m.yaml"], cwd=folder, env=environment, capture_output=True, check=False)
    told = states(folder)
    assert again.returncode == 0, again.stderr
    assert told["counts"] == {"stored": COUNT}
    assert [job["submits"] for job in told["jobs"]] == [1] * COUNT
    assert not list(folder.glob("state/vidbatch/*"))


def test_a_disk_that_fills_up_stops_the_run_and_the_next_one_completes(folder: Path) -> None:
    room = folder / "disk"
    room.mkdir()
    mounted = ["unshare", "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs -o size=400m none "$0" || exit 77']
    if subprocess.run([*mounted, str(room)], capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    script = f'{mounted[-1]}; cp m.yaml "$0" && cd "$0" && exec "$1" -c "$2"'
    done = subprocess.run(
        [*mounted[:-1], script, str(room), sys.executable, FILLED],
        cwd=folder,
        env=without_keys({"XDG_STATE_HOME": str(folder / "state")}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["codes"] == [3, 0], told["said"]
    assert "the disk" in told["said"]


def test_a_disk_without_room_refuses_with_exit_code_3_before_anything_is_sent(folder: Path) -> None:
    limit = 1 << 20  # less than the reserve
    done = subprocess.run(
        [*VIDBATCH, "run", "m.yaml", "--quiet"],
        cwd=folder,
        env=without_keys({}),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )

    assert done.returncode == 3
    assert "ledger.reserve: no room can be kept here (File too large); nothing was sent" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (folder / "outputs/m/sandbox").exists()


@pytest.mark.parametrize(
    ("redirection", "code"),
    [
        ("2>/dev/full", 0),
        (">/dev/full", 3),  # what it came to could not be said
        ("<&- >&- 2>&-", 0),
        ("2>&1 | :", 141),
    ],
)
def test_output_that_goes_nowhere_ends_no_run(folder: Path, redirection: str, code: int) -> None:
    (folder / "m.yaml").write_text(MANIFEST.replace(f"takes: {COUNT}", "takes: 1"), encoding="utf-8")
    script = f'exec 3>&1 >/dev/null; {{ "$0" -m pipeline run m.yaml; echo $? >&3; }} {redirection}'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable],
        cwd=folder,
        env=without_keys({}),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == f"{code}\n"
    assert len(list(folder.glob("outputs/m/videos/*.mp4"))) == 1
    assert states(folder)["counts"] == {"stored": 1}
