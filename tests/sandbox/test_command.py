"""`vidbatch sandbox` as a person starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

WORD = [sys.executable, "-m", "pipeline", "sandbox", "--port", "0"]


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "VIDBATCH_SANDBOX_KEY"} | more


@pytest.mark.parametrize(
    ("options", "variables", "key", "told"),
    [
        ([], {}, "sandbox", ["{profile: sandbox, base_url: http://", "export VIDBATCH_SANDBOX_KEY=sandbox"]),
        ([], {"VIDBATCH_SANDBOX_KEY": "mine"}, "mine", ["a run reads it from VIDBATCH_SANDBOX_KEY."]),
        (
            ["--key-env", "OTHER", "--host", "0.0.0.0", "--profile", "newapi"],
            *({"OTHER": "theirs"}, "theirs"),
            [
                "{profile: newapi, base_url: http://",
                "Its key is the one in OTHER; a run reads it from NEWAPI_API_KEY.",
                "vidbatch run MANIFEST --outputs outputs/rehearsal",
            ],
        ),
    ],
)
def test_it_says_where_it_is_and_ends_on_ctrl_c(
    tmp_path: Path, options: list[str], variables: dict[str, str], key: str, told: list[str]
) -> None:
    settings = ["--render-s", "1", "2", "--no-list", "--honour-keys", "--film-bytes", "4096", "--rate-per-minute", "9"]
    command = [*WORD, "--folder", str(tmp_path / "box"), *settings, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(**variables)) as server:
        assert server.stdout is not None
        said = ""
        while "Ctrl-C" not in said:
            line = server.stdout.readline()
            assert line, said
            said += line
        port = re.search(r":([0-9]+)/v1", said)
        assert port is not None
        url = f"http://127.0.0.1:{port[1]}/debug/settings"
        reply = httpx.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
        server.send_signal(signal.SIGINT)
        code = server.wait(timeout=30)

    assert code == 0
    assert reply.json() == {
        "render_s": [1.0, 2.0],
        "retention_s": 3600.0,
        "rate_per_minute": 9,
        "in_flight_max": 0,
        "film": {"constant_bytes": 4096},
        "lists": False,
        "honours_keys": True,
        "list_lag_s": 0.0,
        "clock_skew_s": 0.0,
        "faults": {},
    }
    assert [words for words in told if words not in said] == []
    assert (tmp_path / "box" / "book.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--host", "0.0.0.0"], "set a key of your own"),
        (["--key-env", "NOT_SET_AT_ALL"], "NOT_SET_AT_ALL"),
        (["--profile", "newappi"], "newapi"),
        (["--profile", "tensorrt-llm", "--host", "0.0.0.0", "--key-env", "PATH"], "it asks for no key"),
        (["--film-bytes", "10"], "2048"),
        (["--render-s", "2", "1"], "render_s"),
        (["--host", "203.0.113.1", "--key-env", "PATH"], "cannot listen"),
        (["--port", "99999"], "cannot listen"),
    ],
)
def test_what_cannot_be_served_ends_with_2_and_one_line(tmp_path: Path, options: list[str], message: str) -> None:
    command = [*WORD, "--folder", str(tmp_path / "box"), *options]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, env=environment(), timeout=60)

    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
