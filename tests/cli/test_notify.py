"""`run --notify`: who is told what and when, over real HTTP and by real commands, and what it never does to a run."""

from __future__ import annotations

import errno
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipeline.cli.notify import Herald
from pipeline.cli.notify.message import MESSAGES_MAX, Message, Standing, needs_person
from pipeline.cli.notify.needs import EVERY_S, OUTAGE_S, Need, Needs
from pipeline.cli.notify.targets import VARIABLE, targets_of
from pipeline.errors import LedgerBroken
from pipeline.lifecycle import State
from pipeline.model import JSON
from pipeline.paths import schemas_folder
from pipeline.progress import Event, Kind, Notice, Started, silent
from tests.cli.abroad import SECRET, Abroad
from tests.cli.conftest import without_keys
from tests.sandbox.conftest import KEY, Clock, running

pytestmark = pytest.mark.usefixtures("no_secrets")

Vidbatch = Callable[..., Any]

SCHEMA = json.loads((schemas_folder() / "notify.schema.json").read_text(encoding="utf-8"))
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
STANDING = Standing(
    run="harbour",
    folder="outputs/har bour",
    provider="sandbox",
    currency="USD",
    counts=dict.fromkeys(State, 0) | {State.STORED: 5},
    spent=Decimal("2.40"),
    unpriced=0,
    elapsed_s=61.25,
)


# --- what is told, and when


def notice(kind: Kind = Kind.OTHER, message: str = "look", *, lane: str = "submit", urgent: bool = True) -> Notice:
    return Notice(lane=lane, message=message, urgent=urgent, kind=kind)


def told(heard: Sequence[tuple[float, Notice]], *moments: float) -> list[tuple[float, Kind, int]]:
    """At which of *moments* what is told of *heard*, and of how many notices."""
    needs, left, said = Needs(), list(heard), []
    for now_s in moments:
        while left and left[0][0] <= now_s:
            needs.note(left[0][1], left[0][0])
            left.pop(0)
        said += [(now_s, need.kind, len(need.messages)) for need in needs.due(now_s)]
    return said


@pytest.mark.parametrize(
    ("heard", "moments", "said"),
    [
        ([(0.0, notice(urgent=False))], (1.0,), []),
        ([(0.0, notice(Kind.STOPPED))], (1.0, 2.0), [(1.0, Kind.STOPPED, 1)]),
        ([(0.0, notice(Kind.ENDING))], (1.0, EVERY_S), []),  # the end itself is told
        ([(0.0, notice(Kind.UNCERTAIN))] * 3, (1.0,), [(1.0, Kind.UNCERTAIN, 3)]),
        (
            [(0.0, notice(Kind.UNCERTAIN)), (5.0, notice(Kind.UNCERTAIN)), (6.0, notice(Kind.DISK))],
            (1.0, 7.0, EVERY_S, EVERY_S + 1),
            [(1.0, Kind.UNCERTAIN, 1), (7.0, Kind.DISK, 1), (EVERY_S + 1, Kind.UNCERTAIN, 1)],
        ),
        ([(0.0, notice(Kind.OUTAGE))], (1.0, OUTAGE_S - 1, OUTAGE_S), [(OUTAGE_S, Kind.OUTAGE, 1)]),
        ([(0.0, notice(Kind.OUTAGE)), (9.0, notice(Kind.ANSWERED))], (1.0, 10.0, OUTAGE_S), []),
        (
            [(0.0, notice(Kind.OUTAGE)), (9.0, notice(Kind.ANSWERED, lane="collect"))],
            (10.0, OUTAGE_S),
            [(OUTAGE_S, Kind.OUTAGE, 1)],
        ),
    ],
    ids=["calm", "once", "ending", "together", "by kind", "an outage", "over by then", "of another lane"],
)
def test_a_person_is_told_once_of_a_kind_in_ten_minutes_and_of_an_outage_that_lasts(
    heard: list[tuple[float, Notice]], moments: tuple[float, ...], said: list[tuple[float, Kind, int]]
) -> None:
    assert told(heard, *moments) == said


def as_json(message: Message) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(message.as_bytes(str))
    jsonschema.validate(document, SCHEMA)
    return document


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.ANSWERED, Kind.ENDING}))
def test_a_need_of_every_kind_keeps_the_schema_and_says_what_to_type(kind: Kind) -> None:
    document = as_json(needs_person(Need(kind=kind, messages=["look"]), STANDING, AT))

    word = "resolve" if kind is Kind.UNCERTAIN else "status"
    assert (document["event"], document["kind"], document["exit_code"]) == ("needs_person", kind, None)
    assert document["next"] == [f"vidbatch {word} 'outputs/har bour'"]
    assert document["stopped"] == ("look" if kind is Kind.STOPPED else "")
    assert document["text"] == "vidbatch harbour: look; $2.40 spent"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("no room for the next video, $0.80: $2.40 spent", "no room for the next video, $0.80: $2.40 spent"),
        ("no room: $12.40 spent", "no room: $12.40 spent; $2.40 spent"),
        ("x" * 300 + " $2.40 spent", f"{'x' * 291}…; $2.40 spent"),
    ],
)
def test_what_was_spent_is_said_once(word: str, said: str) -> None:
    document = as_json(needs_person(Need(kind=Kind.STOPPED, messages=[word]), STANDING, AT))

    assert document["text"] == f"vidbatch harbour: {said}"


def test_of_many_notices_the_first_are_told_and_all_are_counted() -> None:
    document = as_json(needs_person(Need(kind=Kind.OTHER, messages=[f"n{n}" for n in range(12)]), STANDING, AT))

    assert document["message"].splitlines() == [*(f"n{n}" for n in range(MESSAGES_MAX)), "and 7 more notices"]


def test_what_a_provider_says_calls_nobody_in_a_chat() -> None:
    said = "harbour: 1 failed (<!channel> @everyone <http://x.example|click>)"
    document = as_json(Message(event="ended", standing=STANDING, message=said, at=AT, exit_code=1))

    assert not set("<>@") & set(document["text"])
    assert document["message"] == said


# --- an end that nobody expected


@pytest.fixture
def said() -> list[str]:
    """What is said here of notices."""
    return []


def started(words: Sequence[str], said: list[str]) -> Herald:
    """The herald of a run that has started."""

    def say(event: Event) -> None:
        assert isinstance(event, Notice)
        said.append(event.message)

    herald = Herald(targets_of(words, {}), clock=time.monotonic, observer=say, log=silent)
    counts = {State.PENDING: 3}
    herald(
        Started(
            run="harbour",
            folder="outputs/harbour",
            provider="sandbox",
            counts=counts,
            to_submit=3,
            planned_cost=None,
            spent=Decimal(0),
            budget=None,
            currency="USD",
        )
    )
    return herald


@pytest.fixture
def herald(abroad: Abroad, said: list[str]) -> Herald:
    """Of a run that has started, for one address."""
    return started([abroad.hook], said)


@pytest.mark.parametrize(
    ("error", "code", "why"),
    [
        (LedgerBroken("the disk is gone"), 3, "the disk is gone"),
        (ExceptionGroup("", [LedgerBroken("the disk is gone")]), 3, "the disk is gone"),
        (OSError(errno.ENOSPC, "No space left"), 3, "No space left"),
        (TypeError("'NoneType' is not iterable"), 70, "a bug of ours"),
    ],
    ids=["ours", "bundled", "the disk's", "a bug"],
)
def test_a_run_that_an_error_ends_is_told_with_its_exit_code(
    error: Exception, code: int, why: str, herald: Herald, abroad: Abroad
) -> None:
    with pytest.raises(type(error)), herald:
        raise error

    (last,) = abroad.messages
    jsonschema.validate(last, SCHEMA)
    assert (last["event"], last["exit_code"]) == ("ended", code)
    assert why in last["message"]
    assert "NoneType" not in last["message"]


def test_what_takes_too_long_at_the_end_is_given_up_and_said(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.cli.notify.herald.END_S", 0.2)
    with started(["sleep 600"], said) as herald:
        herald.say_ended("harbour: done", exit_code=0)

    assert said == ["sleep was not told: it was not done within 0.2 s"]


# --- a run


class Real(Clock):
    """The time of day."""

    def __call__(self) -> float:
        return time.time()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address. Of the first submit nobody learns the id."""
    faults: JSON = {"submit": {"script": ["no_id"]}}
    with running(
        tmp_path_factory.mktemp("sandbox"), Real(), render_s=2.5, film={"constant_bytes": 5000}, faults=faults
    ) as one:
        yield str(one.client.base_url).rstrip("/")


def scribe(folder: Path) -> str:
    """A command that appends what it is told to a file, and its environment to another."""
    line = f"cat >> {folder}/told.jsonl; echo >> {folder}/told.jsonl; env >> {folder}/environment; echo noted"
    return shlex.join(["sh", "-c", line])


def read(folder: Path) -> list[dict[str, Any]]:
    messages = [json.loads(line) for line in (folder / "told.jsonl").read_text(encoding="utf-8").splitlines()]
    for message in messages:
        jsonschema.validate(message, SCHEMA)
    return messages


@pytest.mark.skipif(os.name != "posix", reason="a shell")
def test_a_run_that_stops_in_doubt_tells_all_and_leaks_nothing(
    sandbox: str, abroad: Abroad, in_process: Vidbatch, tmp_path: Path
) -> None:
    (tmp_path / "blind.yaml").write_text("based_on: sandbox\nname: blind\nlists: false\n", encoding="utf-8")
    (tmp_path / "m.yaml").write_text(
        f"provider: {{profile: ./blind.yaml, base_url: '{sandbox}'}}\n"
        "limits: {budget: 0.02}\ndefaults: {model: sketch, seconds: 1, size: 64x64}\n"
        "jobs: [{prompt: a tug}, {prompt: a heron}, {prompt: a seal}]\n",
        encoding="utf-8",
    )
    failing = [f"{abroad.base_url}/missing", f"{abroad.base_url}/moved", "sh -c 'exit 3'"]
    words = [word for target in (abroad.hook, *failing) for word in ("--notify", target)]

    around = {"VIDBATCH_SANDBOX_KEY": KEY, "API_TOKEN": "sk-another-key", VARIABLE: scribe(tmp_path)}
    done = in_process("run", "m.yaml", "--no-report", *words, **around)

    assert done.returncode == 3, done.stderr
    assert sorted(abroad.messages, key=str) == sorted(read(tmp_path), key=str)
    assert {(told["event"], told["kind"]) for told in abroad.messages} == {
        ("needs_person", "uncertain"),
        ("needs_person", "stopped"),
        ("ended", None),
    }
    last = abroad.messages[-1]
    assert (last["event"], last["exit_code"], last["spent"], last["unpriced"]) == ("ended", 3, 0.02, 0)
    assert {state: count for state, count in last["counts"].items() if count} == {
        "pending": 1,
        "stored": 1,
        "uncertain": 1,
    }
    assert last["stopped"].startswith("the budget")
    assert last["message"] == f"m: 1 of 3 videos stored; stopped: {last['stopped']}"
    assert last["next"][0] == "vidbatch resolve outputs/m"
    assert done.stderr.count("was not told") == len(failing)
    assert abroad.asked["/elsewhere"] == 0
    environment = (tmp_path / "environment").read_text(encoding="utf-8")
    assert "VIDBATCH_EVENT=ended" in environment
    assert "another-key" not in environment
    assert KEY not in environment
    log = (tmp_path / "outputs/m/run.log").read_text(encoding="utf-8")
    assert log.count("sh says: noted") == len(abroad.messages)
    written = b"".join(path.read_bytes() for path in (tmp_path / "outputs").rglob("*") if path.is_file())
    for text in (done.stdout, done.stderr, written.decode("utf-8", "replace")):
        assert SECRET not in text
        assert SECRET.rpartition("/")[2] not in text


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("again", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_told_and_a_second_signal_does_not_wait_for_it(
    sandbox: str, tmp_path: Path, again: signal.Signals
) -> None:
    (tmp_path / "m.yaml").write_text(
        f"provider: {{profile: sandbox, base_url: '{sandbox}'}}\n"
        "defaults: {model: sketch, seconds: 1, size: 64x64}\njobs: [{prompt: a tug}]\n",
        encoding="utf-8",
    )
    pipe = tmp_path / "alive"
    os.mkfifo(pipe)
    hangs = f"exec 9>{pipe}; cat > told.jsonl; echo heard >&9; exec sleep 60"
    words = ["run", "m.yaml", "--no-report", "--log-format", "json", "--notify", shlex.join(["sh", "-c", hangs])]
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", *words],
        cwd=tmp_path,
        env=without_keys({"VIDBATCH_SANDBOX_KEY": KEY}),
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if '"in_flight", "spent"' in line:
                break
        run.send_signal(signal.SIGINT)
        with pipe.open("rb") as alive:
            assert alive.readline() == b"heard\n"
            began_s = time.monotonic()
            run.send_signal(again)
            run.communicate(timeout=60)
            assert alive.read() == b""  # it was not left behind
    assert run.returncode == 130
    assert time.monotonic() - began_s < 30
    (last,) = read(tmp_path)
    assert (last["event"], last["exit_code"], last["interrupted"]) == ("ended", 130, True)


def test_a_run_that_never_began_tells_nobody(abroad: Abroad, in_process: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("prompt\na tug\n", encoding="utf-8")

    done = in_process("run", "m.csv", "--provider", "dmxapi", "--notify", f"{abroad.base_url}/h")

    assert done.returncode == 2
    assert abroad.asked == {}
