"""`vidbatch`: finds the command that was typed, lets it run, and turns every way to end into an exit code.

Only the typed command's module is imported, and none for `vidbatch --help`: that is what keeps the start short.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, cast

from pipeline.cli import streams
from pipeline.cli.arguments import Parser, did_you_mean, parse
from pipeline.cli.errors import explain
from pipeline.errors import UsageError
from pipeline.version import __version__


class Command(Protocol):
    """What a command's module offers."""

    NAME: str
    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments; examples go into `parser.epilog`."""

    def command(self, args: argparse.Namespace) -> int:
        """Carry it out; returns the exit code."""


class Entry(NamedTuple):  # not a dataclass: importing those takes a tenth of the start
    """A command as the list of commands shows it."""

    module: str
    help: str


COMMANDS: Mapping[str, Entry] = {
    "init": Entry("pipeline.cli.init", "write a starter manifest"),
    "validate": Entry("pipeline.cli.validate", "report every issue of a manifest, and nothing else"),
    "plan": Entry("pipeline.cli.plan", "show what a run would do, and what it would cost"),
    "run": Entry("pipeline.cli.run", "make the videos of a manifest; run again to resume"),
    "status": Entry("pipeline.cli.status", "show where a run stands"),
    "show": Entry("pipeline.cli.show", "tell all that happened to one job"),
    "report": Entry("pipeline.cli.report", "write the gallery of a run: one page that opens from disk"),
    "export": Entry("pipeline.cli.export", "write the jobs of a run, or its videos as a dataset, for others to read"),
    "resolve": Entry("pipeline.cli.resolve", "settle jobs whose submit had an unknown outcome"),
    "verify": Entry("pipeline.cli.verify", "read every stored file again, and hold it against the ledger"),
    "ledger": Entry("pipeline.cli.ledger", "verify or repair a run's ledger"),
    "sandbox": Entry("pipeline.cli.sandbox", "serve the sandbox gateway on a port"),
    "profiles": Entry("pipeline.cli.profiles", "show the providers that are known, their models and prices"),
    "doctor": Entry("pipeline.cli.doctor", "ask a provider whether it is as its profile says, free of charge"),
    "schema": Entry("pipeline.cli.schema", "print a JSON Schema, for editors and other programs"),
}

DESCRIPTION = "Videos in bulk from a manifest: nothing is paid for twice, nothing paid for is lost."

EPILOG = """\
examples:
  vidbatch init                             write first.yaml, a manifest to start from
  vidbatch plan first.yaml                  what would be made, and what it would cost
  vidbatch run first.yaml                   make it; the same command resumes after any interruption
  vidbatch run first.yaml --budget 20       spend no more than that
  vidbatch status outputs/first             where it stands

exit codes:
  0    everything asked for is stored
  1    some jobs ended without a video, or were not examined as --strict-media demands
  2    the command line or the manifest is wrong; nothing was sent
  3    stopped early: key refused, quota, budget, disk, too many failures
  4    jobs of unknown outcome wait for a decision (vidbatch resolve)
  5    another runner holds this run
  70   a bug of ours; a report is written
  130  interrupted

`vidbatch COMMAND --help` explains a command.
Keys are read from the environment only; `vidbatch profiles` names the variables."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line *argv* (without the program's name) and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    streams.prepare()
    try:
        code = _answer(words)
    except BaseException as error:  # noqa: BLE001  every way to end is told here
        return explain(error, words)
    return _flushed(code, words)


def command_parser(name: str) -> tuple[Command, Parser]:
    """A command's module and the parser of its arguments."""
    command = cast(Command, importlib.import_module(COMMANDS[name].module))
    parser = Parser(prog=f"vidbatch {name}", description=f"{command.HELP[:1].upper()}{command.HELP[1:]}.")
    command.add_arguments(parser)
    return command, parser


def _answer(words: Sequence[str]) -> int:
    if not words:
        streams.say(_help())
        return UsageError.exit_code
    first, *rest = words
    if first in _ANSWERS:
        print(_ANSWERS[first]())
        return 0
    if first not in COMMANDS:
        raise UsageError(_unknown(first))
    command, parser = command_parser(first)
    try:
        args = parse(parser, rest)
    except SystemExit:  # argparse printed the command's help
        return 0
    return command.command(args)


def _flushed(code: int, words: Sequence[str]) -> int:
    """*code*, once all output has left; that of the failure where it could not leave and nothing worse happened."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        streams.give_up_output()
        if not isinstance(error, BrokenPipeError):
            return code or explain(error, words)
    return code


def _help() -> str:
    rows = "\n".join(f"  {name:<10} {entry.help}" for name, entry in COMMANDS.items())
    return (
        f"usage: vidbatch COMMAND [argument ...]\n\n{DESCRIPTION}\n\ncommands:\n{rows}\n\n"
        f"options:\n  -h, --help  show this\n  --version   show the version\n\n{EPILOG}"
    )


def _version() -> str:
    return f"vidbatch {__version__}"


_ANSWERS: Mapping[str, Callable[[], str]] = {"-h": _help, "--help": _help, "--version": _version}


def _unknown(word: str) -> str:
    if word.startswith("-"):
        near = did_you_mean(word, _ANSWERS) or "; options of a command stand after it"
        return f"unknown option '{word.partition('=')[0]}'{near}\ntry: vidbatch --help"
    return f"unknown command '{word}'{did_you_mean(word, COMMANDS)}\ntry: vidbatch --help"
