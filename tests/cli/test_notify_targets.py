"""Where a notice goes: an address over real HTTP, or a real command; what can be neither; and what is never shown."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import anyio
import pytest

from pipeline.cli import redact
from pipeline.cli.notify import targets_for
from pipeline.cli.notify.post import TRIES, Undelivered, post
from pipeline.cli.notify.program import OUTPUT_BYTES_MAX, Program
from pipeline.cli.notify.targets import VARIABLE, Command, Hook, targets_of
from pipeline.policy.verdict import Backoff
from pipeline.providers.registry import find_profile, profile_names
from tests.cli.abroad import SECRET, Abroad

pytestmark = pytest.mark.usefixtures("no_secrets")

Vidbatch = Callable[..., Any]


# --- to whom


def test_targets_are_those_of_the_command_line_and_of_the_variable_each_once() -> None:
    lines = "https://ntfy.example/topic?t=1\n\n  sh -c 'echo \"a b\"'\n"

    targets = targets_of(["https://ntfy.example/topic?t=1", "http://[::1]:8080/"], {VARIABLE: lines})

    shell = Command(words=("sh", "-c", 'echo "a b"'))
    assert targets == [Hook(url="https://ntfy.example/topic?t=1"), Hook(url="http://[::1]:8080/"), shell]
    assert [target.name for target in targets] == ["https://ntfy.example/…", "http://[::1]:8080/…", "sh"]
    assert "topic" not in repr(targets)
    assert not targets_of([], {})


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("http://hooks.example/topic", "is http://hooks.example/…, which everybody on the way can read"),
        ("https://me:hunter2hunter2@hooks.example/topic", "holds a password"),
        ("https://hooks.example/to pic", "holds a blank"),
        ("https:///topic", "names no host"),
        ("https://[::1/topic", "is no URL"),
        ("htps://hooks.example/topic", "there is no program 'htps://hooks.example/…'"),
        ("no-such-program-here --fast", "there is no program 'no-such-program-here'"),
        ("sh -c 'unclosed", "not a command: no closing quotation"),
        ("''", "neither an address nor a command"),
    ],
)
@pytest.mark.parametrize("named", ["--notify", VARIABLE])
def test_what_can_be_no_target_is_refused_before_anything_else(
    named: str, word: str, said: str, in_process: Vidbatch
) -> None:
    on_line, around = (["--notify", word], {}) if named == "--notify" else ([], {VARIABLE: word})

    done = in_process("run", "no-such.yaml", *on_line, **around)

    assert done.returncode == 2
    assert done.stderr.startswith(f"vidbatch: {named}: ")
    assert said in done.stderr
    assert "hunter2" not in done.stderr
    assert "topic" not in done.stderr


# --- an address


def send(url: str) -> None:
    anyio.run(lambda: post(url, b"{}", chance=Random(1), patience=Backoff(base_s=0.01, cap_s=0.01)))


def test_an_address_that_is_weak_is_tried_again(abroad: Abroad) -> None:
    abroad.troubles = TRIES - 1

    send(f"{abroad.base_url}/weak")

    assert (abroad.bodies, abroad.kinds, abroad.asked["/weak"]) == ([b"{}"], {"application/json"}, TRIES)


@pytest.mark.parametrize(
    ("path", "said", "asked"), [("/weak", "503", TRIES), ("/missing", "404", 1), ("/moved", "nothing is followed", 1)]
)
def test_an_address_that_refuses_is_given_up(abroad: Abroad, path: str, said: str, asked: int) -> None:
    abroad.troubles = TRIES

    with pytest.raises(Undelivered, match=said):
        send(abroad.base_url + path)

    assert abroad.asked == {path: asked}


# --- a command


def tell(*words: str, limit_s: float = 30.0, environment: dict[str, str] | None = None) -> str:
    program = Program(words, environment or dict(os.environ), limit_s=limit_s)
    return anyio.run(program.tell, b'{"a": 1}', "ended")


def test_a_command_gets_the_message_and_the_event_and_is_no_shell() -> None:
    assert tell("sh", "-c", 'cat; echo " $VIDBATCH_EVENT" "$0" >&2', "$HOME;*") == '{"a": 1} ended $HOME;*\n'


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sh", "-c", "echo no route; exit 3"), "it ended with 3: no route"),
        (("sh", "-c", "kill -9 $$"), "signal 9 ended it"),
        (("/",), "it does not start: "),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="a shell")
def test_a_command_that_fails_is_told_with_its_last_word(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(Undelivered) as failed:
        tell(*words)

    assert str(failed.value).startswith(said)


def test_a_command_may_leave_its_message_unread_and_say_too_much() -> None:
    assert len(tell("sh", "-c", "head -c 300000 /dev/zero")) == OUTPUT_BYTES_MAX


@pytest.mark.skipif(os.name != "posix", reason="groups of processes")
def test_a_command_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    pipe = tmp_path / "alive"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(Undelivered, match="it took more than 1 s, and was ended: begun"):
            tell("sh", "-c", f"exec 9>{pipe}; echo begun; sleep 60 & wait", limit_s=1.0)

        assert select.select([reader], [], [], 30)[0]  # nobody is left who could write: that is its end
        assert os.read(reader, 1) == b""
    finally:
        os.close(reader)


@pytest.mark.skipif(os.name != "posix", reason="a shell")
def test_what_a_command_leaves_running_holds_up_nobody(tmp_path: Path) -> None:
    began_s = time.monotonic()
    assert tell("sh", "-c", f"sleep 60 & echo $! > {tmp_path}/pid; echo done") == "done\n"
    assert time.monotonic() - began_s < 30

    os.kill(int((tmp_path / "pid").read_text(encoding="utf-8")), signal.SIGKILL)


def test_no_key_of_any_provider_is_left_for_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "_named", {"MY_CREDS"})
    names = {name for profile in profile_names() if (found := find_profile(profile)) for name in found.key_env}
    keys = dict.fromkeys([*names, "MY_CREDS", VARIABLE], "a-key-of-mine")
    others = {"PATH": "/bin", "SLACK_TOKEN": "its own", "SHORT": "x"}

    left = redact.without_keys({**keys, **others, "COPY": "Bearer a-key-of-mine"})

    assert left == others


def test_a_report_of_a_bug_does_not_repeat_where_notices_go() -> None:
    assert redact.redact_words(["run", "m.yaml", "--notify", "https://h.example/x", "--notify=curl x"]) == [
        *("run", "m.yaml", "--notify", redact.HIDDEN, f"--notify={redact.HIDDEN}")
    ]


def test_an_address_is_hidden_wherever_it_is_repeated() -> None:
    hook = f"https://hooks.example{SECRET}?room=lighthouse"

    targets_for([hook, f"curl -d @- {hook}"])

    for said in (hook, f"POST {SECRET}?room=lighthouse failed", f"no route to {SECRET}", "?room=lighthouse"):
        shown = redact.redact(said, redact.secrets_of({}))
        assert redact.HIDDEN in shown
        assert "canary" not in shown
        assert "lighthouse" not in shown


def test_what_a_manifest_asks_to_notify_is_an_issue(in_process: Vidbatch, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("notify: sh -c evil\njobs: [{prompt: a tug}]\n", encoding="utf-8")

    done = in_process("run", "m.yaml", "--provider", "sandbox")

    assert done.returncode == 2
    assert "notify" in done.stderr
