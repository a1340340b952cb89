"""The question before money is spent, in a real terminal: who is asked, and what an answer does."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from pipeline.api import load
from pipeline.cli.confirm import agrees, is_terminal, question
from pipeline.ledger.replay import RunState
from pipeline.model import LimitsWish
from pipeline.prepare import Choice, outlook_on
from pipeline.storage import RunFolder
from tests.cli.conftest import without_keys
from tests.core.harbour import PROFILE, manifest

pty = pytest.importorskip("pty", reason="pseudo-terminals are POSIX")

QUESTION = "Submit 2 videos for 24.00 CNY? [y/N] "
BILLED = replace(PROFILE, bills=True)


@pytest.mark.parametrize(
    ("numbers", "model", "limits", "bills", "asked"),
    [
        ((1,), "sora-2", LimitsWish(), True, ""),
        ((1, 2), "sora-2", LimitsWish(confirm_above=Decimal("1.60")), True, ""),
        ((1, 2), "sora-2", LimitsWish(confirm_above=Decimal("1.59")), True, "Submit 2 videos for $1.60? [y/N] "),
        ((1,), "sora-2", LimitsWish(confirm_above=Decimal(0)), True, "Submit 1 video for $0.80? [y/N] "),
        ((1,), "free", LimitsWish(), True, "Submit 1 video at an unknown price? [y/N] "),
        ((), "sora-2", LimitsWish(confirm_above=Decimal(0)), True, ""),
        ((1,), "free", LimitsWish(confirm_above=Decimal(0)), False, ""),
    ],
)
def test_what_costs_more_than_the_threshold_is_asked_about(
    *, numbers: tuple[int, ...], model: str, limits: LimitsWish, bills: bool, asked: str, tmp_path: Path
) -> None:
    wanted = manifest(*numbers, model=model, limits=limits, profile=replace(BILLED, bills=bills))
    assert question(outlook_on(wanted, Choice(), RunFolder(tmp_path / "run"), RunState())) == asked


def test_the_command_lines_threshold_goes_before_the_manifests(tmp_path: Path) -> None:
    wanted = manifest(1, limits=LimitsWish(confirm_above=Decimal(0)), profile=BILLED)
    choice = Choice(limits=LimitsWish(confirm_above=Decimal("0.80")))
    assert question(outlook_on(wanted, choice, RunFolder(tmp_path / "run"), RunState())) == ""


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [
        *((text, True) for text in ("y\n", "Y\n", "yes\n", " YES \n")),
        *((text, False) for text in ("\n", "n\n", "no\n", "yess\n", "", "ja\n", "1\n")),
        ("y", True),  # the end of the input right behind it
    ],
)
def test_only_a_plain_yes_is_one(answer: str, agreed: bool) -> None:
    screen = io.StringIO()
    assert agrees(QUESTION, io.StringIO(answer), screen) is agreed
    assert screen.getvalue() == (QUESTION if answer.endswith("\n") else f"{QUESTION}\n")


def test_nothing_is_asked_where_nothing_has_to_be() -> None:
    screen = io.StringIO()
    assert agrees("", io.StringIO(""), screen)
    assert screen.getvalue() == ""


def test_a_closed_stream_and_a_missing_one_are_no_terminals() -> None:
    gone = io.StringIO()
    gone.close()
    assert not any(map(is_terminal, (gone, None, io.StringIO())))


def test_the_manifest_states_the_threshold_to_the_digit(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text("limits: {confirm_above: 12.10}\njobs: [{prompt: a tug}]\n", encoding="utf-8")
    assert str(load(path).limits.confirm_above) == "12.10"


@pytest.fixture
def provider() -> Iterator[tuple[str, list[str]]]:
    """A server that refuses every key, and the requests that came."""
    came: list[str] = []

    class Refuses(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(self.path)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing on standard error."""

    with HTTPServer(("127.0.0.1", 0), Refuses) as server:
        beside = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        beside.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1", came
        finally:
            server.shutdown()
            beside.join()


@pytest.fixture
def run_in(tmp_path: Path, provider: tuple[str, list[str]]) -> Callable[..., tuple[int, str]]:
    """`vidbatch run` of two videos at 12 CNY; with *typed*, at a terminal of its own where that is typed."""
    (tmp_path / "m.yaml").write_text(
        f'provider: {{profile: dmxapi, base_url: "{provider[0]}", price_per_second: 3}}\n'
        "defaults: {seconds: 4}\njobs: [{prompt: a tug}, {prompt: a heron}]\n",
        encoding="utf-8",
    )

    def run(*words: str, typed: str | None) -> tuple[int, str]:
        command = [sys.executable, "-m", "pipeline", "run", "m.yaml", *words]
        place: dict[str, Any] = {"cwd": tmp_path, "env": without_keys({"API_TOKEN": "canary", "TERM": "dumb"})}
        if typed is None:
            done = subprocess.run(
                command, **place, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
            )
            return done.returncode, done.stderr
        ours, theirs = pty.openpty()
        with os.fdopen(ours, "r+b", buffering=0) as screen, closing(os.fdopen(theirs, "r+b", buffering=0)) as terminal:
            os.write(ours, typed.encode())
            with subprocess.Popen(
                command, **place, stdin=terminal, stderr=terminal, stdout=subprocess.DEVNULL
            ) as child:
                terminal.close()
                return child.wait(60), _all_of(screen)

    return run


def _all_of(screen: io.RawIOBase) -> str:
    """What was shown at a terminal that everybody else has left."""
    shown = b""
    try:
        while block := screen.read(4096):
            shown += block
    except OSError:  # Linux tells the end like this
        pass
    return shown.decode()


@pytest.mark.parametrize("typed", ["n\n", "\x04"], ids=["no", "end of input"])
def test_without_a_yes_nothing_is_sent_and_nothing_written(
    typed: str, run_in: Callable[..., tuple[int, str]], provider: tuple[str, list[str]], tmp_path: Path
) -> None:
    code, shown = run_in(typed=typed)

    assert code == 130
    assert "2  new: will be submitted" in shown
    assert QUESTION in shown
    assert shown.rstrip().endswith("vidbatch: not confirmed; nothing was sent")
    assert provider[1] == []
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize(
    ("words", "typed", "asked"),
    [
        ((), "y\n", True),
        (("--yes",), "n\n", False),
        ((), None, False),
    ],
)
def test_with_a_yes_or_nobody_to_ask_it_goes_on(
    words: tuple[str, ...],
    typed: str | None,
    asked: bool,
    run_in: Callable[..., tuple[int, str]],
    provider: tuple[str, list[str]],
) -> None:
    code, shown = run_in(*words, typed=typed)

    assert (code, QUESTION in shown) == (3, asked)
    assert "cost    24.00 CNY for 2 submits" in shown
    assert provider[1]


def test_quiet_shows_no_plan_but_asks(run_in: Callable[..., tuple[int, str]]) -> None:
    code, shown = run_in("--quiet", typed="n\n")
    assert code == 130
    assert "cost" not in shown
    assert QUESTION in shown
