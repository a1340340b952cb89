"""The question before money is spent, in a real terminal: who is asked, and what an answer does."""

from __future__ import annotations

import io
import json
import os
import re
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

from pipeline import api
from pipeline.api import load
from pipeline.cli.confirm import agrees, homecoming, is_terminal, question
from pipeline.cli.main import main
from pipeline.errors import NoRoom
from pipeline.ledger.ledger import Ledger, read_run
from pipeline.ledger.replay import RunState
from pipeline.ledger.resolve import resolve
from pipeline.lifecycle import Fact, State
from pipeline.limits import LimitsWish
from pipeline.outlook import Doubts, Outlook
from pipeline.prepare import Choice, outlook_on, prepare
from pipeline.sandbox import film
from pipeline.storage import RunFolder
from tests.cli.conftest import without_keys
from tests.core.harbour import PROFILE, manifest

pty = pytest.importorskip("pty", reason="pseudo-terminals are POSIX")

QUESTION = "Submit 2 videos for 24.00 CNY to dmxapi? [y/N] "
ASKS = re.compile(
    r"Submit 2 videos for 24\.00 CNY\s+to dmxapi at http://127\.0\.0\.1:\d+/v1, on this machine\? \[y/N\] "
)
BILLED = replace(PROFILE, bills=True)


@pytest.mark.parametrize(
    ("numbers", "model", "limits", "bills", "asked"),
    [
        ((1,), "sora-2", LimitsWish(), True, ""),
        ((1, 2), "sora-2", LimitsWish(confirm_above=Decimal("1.60")), True, ""),
        (
            (1, 2),
            "sora-2",
            LimitsWish(confirm_above=Decimal("1.59")),
            True,
            "Submit 2 videos for $1.60 to sandbox? [y/N] ",
        ),
        ((1,), "sora-2", LimitsWish(confirm_above=Decimal(0)), True, "Submit 1 video for $0.80 to sandbox? [y/N] "),
        ((1,), "free", LimitsWish(), True, "Submit 1 video at an unknown price to sandbox? [y/N] "),
        ((), "sora-2", LimitsWish(confirm_above=Decimal(0)), True, ""),
        ((1,), "free", LimitsWish(confirm_above=Decimal(0)), False, ""),
    ],
)
def test_what_costs_more_than_the_threshold_is_asked_about(
    *, numbers: tuple[int, ...], model: str, limits: LimitsWish, bills: bool, asked: str, tmp_path: Path
) -> None:
    wanted = manifest(*numbers, model=model, limits=limits, profile=replace(BILLED, bills=bills))
    assert question(outlook_on(wanted, Choice(), RunFolder(tmp_path / "run"), RunState())) == asked


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ("https://h.example/v1", "Submit 1 video for $0.80 to sandbox at https://h.example/v1? [y/N] "),
        (
            "http://127.0.0.1:8700/v1",
            "Submit 1 video for $0.80\nto sandbox at http://127.0.0.1:8700/v1, on this machine? [y/N] ",
        ),
    ],
)
def test_it_is_said_who_is_paid_and_where(origin: str, words: str, tmp_path: Path) -> None:
    wanted = manifest(1, limits=LimitsWish(confirm_above=Decimal(0)), profile=BILLED)

    assert question(outlook_on(wanted, Choice(), RunFolder(tmp_path / "run"), RunState(), origin=origin)) == words


BOUGHT = "Without a yes 3 videos that are bought come home all the same.\nSubmit 2 videos for $1.60 to sandbox? [y/N] "
ONE = "Nothing is bought. 1 video that is bought comes home."
MANY = "Nothing is bought. 3 videos that are bought come home."
ASKED = "Nothing is bought. The provider is asked about 2 submits of unknown outcome."


@pytest.mark.parametrize(
    ("coming", "asked", "words"),
    [
        (0, 0, ""),
        (1, 0, ONE),
        (3, 0, MANY),
        (0, 2, ASKED),
        (1, 1, f"{ONE[:-1]}, and the provider is asked about 1 submit of unknown outcome."),
    ],
)
def test_a_no_is_answered_with_what_is_done_without_buying(coming: int, asked: int, words: str, tmp_path: Path) -> None:
    seen = outlook_on(manifest(1, 2, profile=BILLED), Choice(), RunFolder(tmp_path / "run"), RunState())
    limits = replace(seen.limits, confirm_above=Decimal(0))
    seen = replace(seen, limits=limits, coming=coming, doubts=Doubts(asked=asked))
    assert homecoming(seen) == words
    assert (question(seen) == BOUGHT) is (words == MANY)


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
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    """A server that refuses every key and has every video that is asked for; and the POSTs that came."""
    came: list[str] = []
    wish = {"prompt": "grey", "model": "sora-2", "seconds": "4", "size": "64x64"}

    def a_film() -> bytes:
        path = tmp_path_factory.mktemp("film") / "film.mp4"
        film.plain(film.film_of(wish), 40_000, path)
        return path.read_bytes()

    class Refuses(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(self.path)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.reply(401, b"")

        def do_GET(self) -> None:
            shown = json.dumps({"id": self.path.rpartition("/")[2], "object": "video", "status": "completed"})
            self.reply(200, a_film() if self.path.endswith("/content") else shown.encode())

        def reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

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
    assert ASKS.search(shown)
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

    assert (code, bool(ASKS.search(shown))) == (3, asked)
    assert "cost    24.00 CNY for 2 submits" in shown
    assert provider[1]


def test_quiet_shows_no_plan_but_asks(run_in: Callable[..., tuple[int, str]]) -> None:
    code, shown = run_in("--quiet", typed="n\n")
    assert code == 130
    assert "cost" not in shown
    assert ASKS.search(shown)


@pytest.fixture
def at_a_terminal(
    tmp_path: Path, provider: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """As `run_in`, in this process: what is typed is believed to come from a terminal."""
    (tmp_path / "m.yaml").write_text(
        f'provider: {{profile: dmxapi, base_url: "{provider[0]}", price_per_second: 3}}\n'
        "defaults: {seconds: 4}\njobs: [{prompt: a tug}, {id: heron, prompt: a heron}]\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("API_TOKEN", "canary")
    monkeypatch.setattr("pipeline.cli.run.is_terminal", lambda _: True)

    def run(typed: str, *words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code, said = main(["run", "m.yaml", "--confirm-above", "0", *words]), capsys.readouterr()
        return code, said.err + said.out

    return run


def left_behind(folder: RunFolder, origin: str, n: int, *facts: tuple[Fact, dict[str, Any]]) -> None:
    """What an earlier run at *origin* sent for the n-th job of its manifest, and what became of it."""
    wanted = load(folder.path.parents[1] / "m.yaml")
    folder.make()
    with Ledger.open(folder.ledger) as ledger:
        prepare(ledger, wanted, Choice(), folder, origin=origin)
        for fact, fields in ((Fact.INTENT, {"body_sha256": "a" * 64, "key": "k"}), *facts):
            ledger.record(fact, wanted.jobs[n].key, **fields)
        ledger.commit_now()


@pytest.mark.parametrize(
    ("words", "bought"), [((), 0), (("--only", "heron"), 0), (("--limit", "1"), 1)], ids=["all", "only", "limit"]
)
def test_a_no_is_to_buying_and_what_is_bought_comes_home(
    words: tuple[str, ...],
    bought: int,
    at_a_terminal: Callable[..., tuple[int, str]],
    provider: tuple[str, list[str]],
    tmp_path: Path,
) -> None:
    folder, origin = RunFolder(tmp_path / "outputs/m"), provider[0]
    receipt = {"video_id": "v-1", "origin": origin, "http": 200, "request_id": "", "raw": {}}
    left_behind(folder, origin, bought, (Fact.ACCEPTED, receipt))

    code, shown = at_a_terminal("n\n", *words, "--retry", "failed")

    assert code == 130, shown
    assert "m: 1 of 2 videos stored; 1 not bought, as you said" in shown
    assert " ".join(["next    vidbatch run m.yaml", *words, "--confirm-above 0 --retry failed\n"]) in shown
    assert "Without a yes 1 video that is bought comes home all the same." in shown
    assert ONE in shown
    assert provider[1] == []
    assert {job.state for job in read_run(folder.path).jobs.values()} == {State.STORED, State.PENDING}

    stored = next(folder.videos.rglob("*.mp4"))
    stored.unlink()
    code, shown = at_a_terminal("n\n", *words)
    assert (code, ONE in shown, stored.exists()) == (130, True, True)

    code, shown = at_a_terminal("n\n", *words)  # the same again has nothing left to bring
    assert code == 130
    assert shown.rstrip().endswith("vidbatch: not confirmed; nothing was sent")


@pytest.mark.parametrize(
    ("threshold", "typed", "code"), [("100", "", 3), ("20", "", 2), ("0", "y\n", 2)], ids=["never", "by then", "asked"]
)
def test_a_run_that_was_not_asked_about_is_refused_only_where_it_has_to_be_by_now(
    *,
    threshold: str,
    typed: str,
    code: int,
    at_a_terminal: Callable[..., tuple[int, str]],
    provider: tuple[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """One video of 12 CNY is planned; by the time the run starts a person has resolved that it is two."""
    folder = RunFolder(tmp_path / "outputs/m")
    left_behind(folder, provider[0], 0, (Fact.UNCERTAIN, {"phase": "sent", "reason": "the connection broke"}))
    admit = api.admit

    def admitted_and_resolved(*args: Any, **options: Any) -> Outlook:
        outlook = admit(*args, **options)
        resolve(folder.path, [load(tmp_path / "m.yaml").jobs[0].id], Fact.NOT_CREATED)
        return outlook

    monkeypatch.setattr("pipeline.api.admit", admitted_and_resolved)

    ended, shown = at_a_terminal(typed, "--confirm-above", threshold)

    assert ended == code, shown
    assert ("changed since it was planned" in shown, not provider[1]) == (code == 2, code == 2)


def test_what_stood_in_the_way_when_it_would_have_been_asked_is_not_bought_unasked_when_it_is_gone(
    at_a_terminal: Callable[..., tuple[int, str]],
    provider: tuple[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lacks = iter([True])

    def demand_room(*_: object) -> None:
        if next(lacks, False):
            raise NoRoom("the disk is full, for a moment")

    monkeypatch.setattr("pipeline.api.demand_room", demand_room)

    code, shown = at_a_terminal("n\n")

    assert code == NoRoom.exit_code
    assert "the disk is full, for a moment" in shown
    assert provider[1] == []


def test_a_warning_says_that_it_is_one_once(at_a_terminal: Callable[..., tuple[int, str]]) -> None:
    code, shown = at_a_terminal("n\n", "--set", "seconds=7", "--allow-unknown")
    warnings = [line for line in shown.splitlines() if "warning" in line]
    assert code == 130
    assert warnings
    assert all(line.startswith("m.yaml:") and line.count("warning") == 1 for line in warnings)
