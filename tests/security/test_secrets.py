"""A canary key, a provider that repeats it in everything it says, and every byte that is written: it is in none."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.cli.main import main
from tests.security.echo import LAST, TRICKS, Echo, serving, traces

KEY = "sk-Canary/7f3a9c+Zq-81bd52e0-Wombat"
ROOT = Path(__file__).parents[2]
FOREIGN = {"MY_CREDS": "", "DMXAPI_API_KEY": "", "OPENAI_API_KEY": "", "API_TOKEN": "", "VIDBATCH_SANDBOX_KEY": ""}

ENDS = {"rejected": "rejected", "failed": "failed", "gone": "expired", "no-id": "uncertain", "page": "uncertain"}
UNSETTLED = ("no-id", "page")
"""Tricks that leave a job of unknown outcome; where there is a list, settling it takes minutes."""
LOOKED_AT = ("failed", "word")
"""Tricks that a look brings out; real providers are looked at too late for a test."""
LEFT_OUT = {"sandbox": UNSETTLED, "dmxapi": LOOKED_AT, "openai": (*UNSETTLED, *LOOKED_AT)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a command said, and how it was called."""

    code: int
    stdout: str
    stderr: str
    command_line: bytes = b""


def vidbatch(folder: Path, words: Sequence[str], echo: Echo | None = None, **environment: str) -> Told:
    """`vidbatch` in a process of its own that lets everybody read what it makes, where it does not say otherwise."""
    kept = {name: value for name, value in os.environ.items() if "KEY" not in name and "TOKEN" not in name}
    child = subprocess.Popen(
        [sys.executable, "-X", "utf8", "-m", "pipeline", *words],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        umask=0,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    command_line = b""
    if echo is not None and echo.asked.wait(30) and child.poll() is None:
        command_line = Path(f"/proc/{child.pid}/cmdline").read_bytes() if sys.platform == "linux" else b""
    stdout, stderr = child.communicate(timeout=60)
    return Told(code=child.returncode, stdout=stdout, stderr=stderr, command_line=command_line)


def manifest(folder: Path, *, profile: str, base_url: str, prompts: Sequence[str], key_env: str = "") -> Path:
    named = f", api_key_env: {key_env}" if key_env else ""
    entries = "".join(f"  - {{id: {prompt.split()[-1]}, prompt: {prompt}}}\n" for prompt in prompts)
    path = folder / "night.yaml"
    path.write_text(
        f"provider: {{profile: {profile}, base_url: '{base_url}'{named}}}\n"
        f"limits: {{submits_per_minute: 6000, in_flight: 20}}\njobs:\n{entries}",
        encoding="utf-8",
    )
    return path


def leaks(folder: Path, told: Sequence[Told]) -> list[str]:
    """Where the key stands, or what gives it away."""
    said = {f"what command {n} said": f"{one.stdout}\n{one.stderr}".encode() for n, one in enumerate(told)}
    called = {f"the command line of {n}": one.command_line for n, one in enumerate(told)}
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert any(name.endswith("ledger.jsonl") for name in files), "there is something to look at"
    return [
        f"{trace} in {name}"
        for name, content in {**said, **called, **files}.items()
        for trace in traces(KEY)
        if trace.encode() in content
    ]


def open_to_others(folder: Path) -> Iterator[str]:
    """Files and folders that others may read, write or enter."""
    for path in [folder, *folder.rglob("*")]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        if mode != (0o700 if path.is_dir() else 0o600):
            yield f"{path.relative_to(folder)} {mode:o}"


@pytest.mark.parametrize(
    ("profile", "variable", "log_format"),
    [
        ("sandbox", "VIDBATCH_SANDBOX_KEY", "text"),
        ("dmxapi", "DMXAPI_API_KEY", "json"),
        ("sandbox", "MY_CREDS", "text"),
        ("openai", "OPENAI_API_KEY", "json"),
    ],
)
def test_a_key_that_is_repeated_in_every_answer_is_written_nowhere_and_nothing_is_open_to_others(
    tmp_path: Path,
    a_film: bytes,
    *,
    profile: str,
    variable: str,
    log_format: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    echo = Echo(a_film)
    environment = {**FOREIGN, variable: KEY}
    with serving(echo) as base_url:
        tricks = [trick for trick in TRICKS if trick not in LEFT_OUT.get(profile, ())]
        prompts = [f"a heron {trick}" for trick in tricks]
        path = manifest(
            tmp_path, profile=profile, base_url=base_url, prompts=prompts, key_env="MY_CREDS" * (variable == "MY_CREDS")
        )
        told = [vidbatch(tmp_path, ["run", path.name, "--log-format", log_format], echo, **environment)]
    run = tmp_path / "outputs" / "night"
    looking = (["status", str(run), "--json"], ["status", str(run)], ["resolve", str(run)])
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for words in looking:  # in this process: what they say is looked at, and starting one takes half a second
        code, (stdout, stderr) = main(words), capsys.readouterr()
        told.append(Told(code=code, stdout=stdout, stderr=stderr))

    document = json.loads(told[1].stdout)
    states = {job["id"]: job["state"] for job in document["jobs"]}
    assert echo.key == KEY
    assert states == {trick: ENDS.get(trick, "stored") for trick in tricks}
    assert leaks(tmp_path, told) == []
    assert list(open_to_others(tmp_path / "outputs")) == []


@pytest.mark.parametrize("trick", LAST)
def test_what_ends_a_run_does_not_tell_the_key_either(tmp_path: Path, a_film: bytes, trick: str) -> None:
    echo = Echo(a_film, trick=trick)
    with serving(echo) as base_url:
        path = manifest(tmp_path, profile="dmxapi", base_url=base_url, prompts=["a heron"], key_env="MY_CREDS")
        told = vidbatch(tmp_path, ["run", path.name], echo, **{**FOREIGN, "MY_CREDS": KEY})

    assert echo.requests
    assert told.code in {1, 3}
    assert leaks(tmp_path, [told]) == []
