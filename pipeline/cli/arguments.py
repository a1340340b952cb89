"""Words of a command line: a parser whose refusals help, and the types that several commands share."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from decimal import Decimal

    from pipeline.lifecycle import State

AMOUNT_MAX = 10**9
"""As the schema of manifests has it."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean '--budget'?` for the nearest of *known*; empty where none is near."""
    import difflib

    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""


def not_known(what: str, word: str, known: Sequence[str]) -> str:
    """That there is no *what* called *word*, and the nearest name that there is, or else all of them."""
    return f"there is no {what} '{word}'{did_you_mean(word, known) or '; there are ' + ', '.join(known)}"


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` that raises `UsageError`, takes no abbreviations, and keeps the line breaks of its texts."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        settings.setdefault("allow_abbrev", False)  # `--retr` must not become `--retry` and pay for something
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*arguments, **settings)

    def error(self, message: str) -> NoReturn:
        said = re.sub(r"^argument ([^:]+): ", r"\1: ", message)
        raise UsageError(f"{said}\ntry: {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """As the base class does, and naming the nearest choice. (Not called, the plain message would do.)"""
        if action.choices is not None and value not in action.choices:
            choices = [str(choice) for choice in action.choices]
            near = did_you_mean(str(value), choices)
            raise argparse.ArgumentError(action, f"'{value}' is not one of {', '.join(choices)}{near}")


def parse(parser: Parser, words: Sequence[str]) -> argparse.Namespace:
    """*words* as *parser* understands them. Raises `UsageError`, which names an unknown option before all else."""
    try:
        parsed, left = parser.parse_known_args(words)
    except UsageError:
        left = [word for word in words if _unknown(word, options_of(parser))]
        if not left:
            raise
    if not left:
        return parsed
    word = next((word for word in left if word.startswith("-")), left[0])
    if not word.startswith("-"):
        parser.error(f"one word too many: '{word}'")
    name = word.partition("=")[0]
    return parser.error(f"unknown option '{name}'{did_you_mean(name, options_of(parser))}")


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    """Every option that *parser* and the parsers below it know."""
    return {option for action in actions_of(parser) for option in action.option_strings}


def actions_of(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every argument that *parser* and the parsers below it know."""
    for action in parser._actions:  # noqa: SLF001  argparse has no public way to list them
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for below in action.choices.values():
                yield from actions_of(below)


def amount(text: str) -> Decimal:
    """A type of argument: an amount of money that is not negative."""
    from decimal import Decimal, InvalidOperation

    from pipeline.manifest.scalars import TOO_FINE, is_money

    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 <= value <= AMOUNT_MAX:
        raise argparse.ArgumentTypeError(f"'{text}' is not an amount; write a number such as 40 or 12.50")
    if not is_money(value):
        raise argparse.ArgumentTypeError(f"'{text}': {TOO_FINE}")
    return value


def folder(text: str) -> Path:
    """A type of argument: a folder that is there or can be made."""
    path = Path(text)
    first = next((place for place in (path, *path.parents) if os.path.lexists(place)), None)
    if first is not None and not first.is_dir():
        what = "a link that leads nowhere" if first.is_symlink() and not first.exists() else "a file"
        raise argparse.ArgumentTypeError(f"{first} is {what}, not a folder")
    return path


def count(text: str) -> int:
    """A type of argument: a whole number, 1 or more."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of 1 or more")
    return int(text)


def ended_states(text: str) -> frozenset[State]:
    """A type of argument: states, separated by commas, in which a job ended without a video."""
    from pipeline.lifecycle import ENDED_WITHOUT_VIDEO, State

    known = sorted(ENDED_WITHOUT_VIDEO)
    return frozenset(State(_one_of(word.strip().lower(), known)) for word in text.split(","))


def any_states(text: str) -> frozenset[State]:
    """A type of argument: states of jobs, separated by commas."""
    from pipeline.lifecycle import State

    return frozenset(State(_one_of(word.strip().lower(), sorted(State))) for word in text.split(","))


def _one_of(word: str, known: Collection[str]) -> str:
    if word not in known:
        raise argparse.ArgumentTypeError(f"'{word}' is not one of {', '.join(known)}{did_you_mean(word, known)}")
    return word


def _unknown(word: str, known: Collection[str]) -> bool:
    return word.startswith("--") and word != "--" and word.partition("=")[0] not in known
