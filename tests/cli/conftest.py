"""Fixtures of the command line's tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest

import pipeline
from pipeline.cli import redact
from pipeline.cli.main import main
from tests.cli.abroad import Abroad, serving

ROOT = Path(pipeline.__file__).parent.parent

Vidbatch: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]


def without_keys(changes: Mapping[str, str]) -> dict[str, str]:
    """This process's environment as a clean shell would have it, with *changes*."""
    kept = {name: value for name, value in os.environ.items() if "KEY" not in name and "TOKEN" not in name}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **changes}


@pytest.fixture
def no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test keeps secret is no secret in the next."""
    monkeypatch.setattr(redact, "_told", set())
    monkeypatch.setattr(redact, "_named", set())


@pytest.fixture
def abroad() -> Iterator[Abroad]:
    """A server that notices may go to."""
    with serving() as one:
        yield one


@pytest.fixture
def vidbatch(tmp_path: Path) -> Vidbatch:
    """Runs `vidbatch` with the given words in an empty folder, as its own process."""

    def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pipeline", *words],
            cwd=tmp_path,
            env=without_keys(environ),
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def in_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Vidbatch:
    """The same in this process, for what is only said or refused: to start a program takes half a second."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        with monkeypatch.context() as shell:
            for name, value in environ.items():
                shell.setenv(name, value)
            code = main(words)
        said = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, said.out, said.err)

    return run


@pytest.fixture
def same_as_golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with `golden/<name>.txt`; with REWRITE_CASES=1 in the environment it writes it instead."""
    folder = Path(request.path).parent / "golden"

    def compare(name: str, text: str) -> None:
        path = folder / f"{name}.txt"
        if os.environ.get("REWRITE_CASES") == "1":
            path.write_text(text + "\n", encoding="utf-8", newline="\n")
        assert text + "\n" == path.read_text(encoding="utf-8")

    return compare
