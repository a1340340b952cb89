"""The frame: what is imported, what is understood, and how every way to end becomes an exit code."""

from __future__ import annotations

import argparse
import errno
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import pipeline
from pipeline.cli import main as frame
from pipeline.cli.arguments import actions_of, amount, count, ended_states, options_of
from pipeline.errors import InvalidManifest, LedgerBroken, LedgerBusy, NotSent, PipelineError, UsageError
from pipeline.model import Issue, Position
from pipeline.version import __version__

HEAVY = {"httpx", "yaml", "jsonschema", "jinja2", "tqdm", "anyio", "starlette", "uvicorn", "av"}
WRITTEN = [name for name, entry in frame.COMMANDS.items() if importlib.util.find_spec(entry.module)]
ROOT = Path(pipeline.__file__).parent.parent


@pytest.mark.parametrize("words", [("--help",), ("--version",), *((name, "--help") for name in WRITTEN)])
def test_help_loads_nothing_heavy_and_no_other_command(words: tuple[str, ...]) -> None:
    code = (
        "import sys; from pipeline.cli.main import main; code = main(sys.argv[1:]);"
        "print('LOADED', *sys.modules); sys.exit(code)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )

    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    commands = {entry.module for name, entry in frame.COMMANDS.items() if name not in words}
    assert loaded & HEAVY == set()
    assert loaded & commands == set()


@pytest.mark.parametrize("name", WRITTEN)
def test_a_command_calls_itself_what_the_list_of_commands_says(name: str) -> None:
    command, _ = frame.command_parser(name)

    assert (name, frame.COMMANDS[name].help) == (command.NAME, command.HELP)


@pytest.mark.parametrize("name", WRITTEN)
def test_every_argument_is_explained(name: str) -> None:
    _, parser = frame.command_parser(name)

    assert [action.dest for action in actions_of(parser) if not action.help and not action.choices] == []


@pytest.mark.parametrize("name", WRITTEN)
def test_the_page_on_the_command_line_knows_every_flag(name: str) -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    section = re.search(rf"^## `vidbatch {name}\b.*?(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    _, parser = frame.command_parser(name)

    assert section is not None
    flags = {option for option in options_of(parser) if option.startswith("--")} - {"--help"}
    assert sorted(flag for flag in flags if f"`{flag}" not in section[0]) == []


def test_help_lists_every_command_and_every_exit_code(vidbatch: Callable[..., Any]) -> None:
    done = vidbatch("--help")

    assert done.returncode == 0
    assert done.stderr == ""
    for name, entry in frame.COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(entry.help)}$", done.stdout, re.MULTILINE)
    assert re.findall(r"^  (\d+) +\w", done.stdout, re.MULTILINE) == ["0", "1", "2", "3", "4", "5", "70", "130"]
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_the_version_is_told(vidbatch: Callable[..., Any]) -> None:
    assert vidbatch("--version").stdout == f"vidbatch {__version__}\n"


def test_without_a_command_the_help_goes_to_standard_error(vidbatch: Callable[..., Any]) -> None:
    done = vidbatch()

    assert (done.returncode, done.stdout) == (2, "")
    assert "commands:" in done.stderr


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["rnu"], "unknown command 'rnu'; did you mean 'run'?", "vidbatch --help"),
        (["zzz"], "unknown command 'zzz'", "vidbatch --help"),
        (["--hlep"], "unknown option '--hlep'; did you mean '--help'?", "vidbatch --help"),
        (["--budget=9", "run"], "unknown option '--budget'; options of a command stand after it", "vidbatch --help"),
        (["fake", "x", "--bugdet", "9"], "unknown option '--bugdet'; did you mean '--budget'?", "vidbatch fake --help"),
        (["fake", "--bugdet=9"], "unknown option '--bugdet'; did you mean '--budget'?", "vidbatch fake --help"),
        (["fake", "x", "--budg", "9"], "unknown option '--budg'; did you mean '--budget'?", "vidbatch fake --help"),
        (["fake", "x", "-z"], "unknown option '-z'", "vidbatch fake --help"),
        (["fake", "x", "y"], "one word too many: 'y'", "vidbatch fake --help"),
        (["fake"], "the following arguments are required: MANIFEST", "vidbatch fake --help"),
        (["fake", "x", "--budget"], "--budget: expected one argument", "vidbatch fake --help"),
        (
            ["fake", "x", "--log-format", "jsn"],
            "--log-format: 'jsn' is not one of text, json; did you mean 'json'?",
            "vidbatch fake --help",
        ),
        (
            ["fake", "x", "--budget", "lots"],
            "--budget: 'lots' is not an amount; write a number such as 40 or 12.50",
            "vidbatch fake --help",
        ),
    ],
)
def test_a_wrong_command_line_gets_one_message_that_helps(
    words: list[str], message: str, hint: str, fake: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    code = frame.main(words)

    assert capsys.readouterr() == ("", f"vidbatch: {message}\ntry: {hint}\n")
    assert code == 2
    assert fake.calls == []


def test_a_command_gets_its_arguments_and_gives_the_exit_code(fake: Fake) -> None:
    fake.code = 4

    assert frame.main(["fake", "m.yaml", "--budget", "9"]) == 4
    assert [(args.manifest, str(args.budget)) for args in fake.calls] == [("m.yaml", "9")]


AT = Position(file="m.yaml", line=3, column=5)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (UsageError("no key: set API_TOKEN"), 2, "vidbatch: no key: set API_TOKEN"),
        (LedgerBusy(Path("outputs/x"), "process 7"), 5, "vidbatch: outputs/x: another runner holds this run"),
        (NotSent("the address is not known"), 3, "vidbatch: the address is not known"),
        (PipelineError("key sk-abcdefghij refused"), 3, "vidbatch: key [redacted] refused"),
        (PipelineError("it\x1b[2J says \u202eno"), 3, "vidbatch: it says no\n"),
        (KeyboardInterrupt(), 130, "vidbatch: interrupted"),
        (OSError(errno.ENOSPC, "No space left on device", "x/ledger"), 3, "No space left on device: 'x/ledger'"),
        *[
            (OSError(number, "so it is", "out/x"), 3, f"vidbatch: [Errno {number}] so it is: 'out/x'")
            for number in (
                *(errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG),
                *(errno.EFBIG, errno.ENFILE, errno.ESTALE),
            )
        ],
        (PermissionError(errno.EACCES, "Permission denied", "out"), 3, "Permission denied: 'out'"),
        (ExceptionGroup("tasks", [LedgerBroken("disk full"), LedgerBroken("disk full")]), 3, "vidbatch: disk full"),
        (
            ExceptionGroup("tasks", [ExceptionGroup("inner", [LedgerBusy(Path("o"), "7")])]),
            5,
            "vidbatch: o: another runner",
        ),
        (BaseExceptionGroup("tasks", [KeyboardInterrupt(), NotSent("x")]), 130, "vidbatch: interrupted"),
    ],
)
def test_an_expected_end_is_one_message_without_a_traceback(
    error: BaseException, code: int, message: str, fake: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.error = error

    assert frame.main(["fake", "m.yaml"]) == code
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1
    assert "Traceback" not in told


def test_a_group_with_a_bug_in_it_is_a_bug(
    fake: Fake, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fake.error = ExceptionGroup("tasks", [LedgerBroken("disk full"), ZeroDivisionError("division by zero")])

    assert frame.main(["fake", "m.yaml"]) == 70
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_all_issues_of_a_manifest_are_told_and_counted(fake: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    warning = Issue(position=AT, message="odd", warning=True)
    fake.error = InvalidManifest([Issue(position=AT, message=f"wrong {n}") for n in range(3)] + [warning])

    assert frame.main(["fake", "m.yaml"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert [line for line in told if line.startswith("m.yaml:3:5:")] != []
    assert all(f"wrong {n}" in "\n".join(told) for n in range(3))
    assert told[-1] == "3 issues; nothing was sent"


def test_a_reader_that_leaves_ends_us_quietly(tmp_path: Path) -> None:
    code = (
        "import sys; from pipeline.cli import main as frame;"
        "frame._ANSWERS = {'--version': lambda: 'x' * 10_000_000};"
        "sys.exit(frame.main(['--version']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(1)
        running.stdout.close()
        said = running.stderr.read()

        assert (running.wait(timeout=60), said) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_that_cannot_be_written_is_told() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", "--version"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )

    assert (done.returncode, done.stderr) == (3, "vidbatch: [Errno 28] No space left on device\n")


@pytest.mark.skipif(os.name == "nt", reason="closes descriptors the POSIX way")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-"])
def test_closed_streams_are_no_trouble(closed: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m pipeline --help {closed}', sys.executable],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")


def test_a_terminal_without_a_character_gets_its_number(vidbatch: Callable[..., Any]) -> None:
    done = vidbatch("日本", PYTHONIOENCODING="ascii")

    assert done.returncode == 2
    assert "unknown command '\\u65e5\\u672c'" in done.stderr


@pytest.mark.parametrize("text", ["-1", "NaN", "sNaN", "inf", "1,5", "", "1000000001", "1e999999999"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not an amount"):
        amount(text)


@pytest.mark.parametrize("text", ["0.0000001", "10.1234567890123456789012", "1." + "0" * 40 + "1", "1e-999999999"])
def test_an_amount_finer_than_the_ledger_keeps_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="6 decimals at most"):
        amount(text)


@pytest.mark.parametrize("text", ["0", "0.000001", "12.50000000000000000000000000000", "1000000000"])
def test_an_amount_is_taken_to_the_digit(text: str) -> None:
    assert str(amount(text)) == text


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "²", "many"])
def test_what_is_no_count_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="whole number"):
        count(text)


def test_states_to_retry_are_checked() -> None:
    assert ended_states("failed, Expired") == {"failed", "expired"}
    with pytest.raises(argparse.ArgumentTypeError, match=r"'faild' is not one of .*did you mean 'failed'"):
        ended_states("expired,faild")
    with pytest.raises(argparse.ArgumentTypeError, match="'stored' is not one of"):
        ended_states("stored")


class Fake(ModuleType):
    """A command that notes what it was called with, then returns or raises what the test says."""

    NAME = "fake"
    HELP = "do as told"

    def __init__(self) -> None:
        super().__init__("fake_command")
        self.code = 0
        self.error: BaseException | None = None
        self.calls: list[argparse.Namespace] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("manifest", metavar="MANIFEST")
        parser.add_argument("--budget", type=amount)
        parser.add_argument("--log-format", choices=["text", "json"])

    def command(self, args: argparse.Namespace) -> int:
        self.calls.append(args)
        if self.error is not None:
            raise self.error
        return self.code


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    command = Fake()
    monkeypatch.setitem(sys.modules, "fake_command", command)
    monkeypatch.setattr(frame, "COMMANDS", {**frame.COMMANDS, "fake": frame.Entry("fake_command", "do as told")})
    return command
