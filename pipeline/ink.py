"""Colour for people at a terminal: who wants it, and which words of a plan get some. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum


class Ink(StrEnum):
    """How a text is shown, as a terminal is told."""

    RED = "\x1b[31m"
    YELLOW = "\x1b[33m"
    BOLD = "\x1b[1m"
    DIM = "\x1b[2m"


_PLAIN = "\x1b[0m"
_OF_A_PLAN = re.compile(
    r"^(?P<count> +[\d,]+  )?(?:"
    r"(?P<BOLD>cost(?= ))"
    r"|(?P<YELLOW>warning(?= )|changed(?=:))"
    r"|(?P<RED>(?:uncertain|blocked|ended without a video)(?=:))"
    r"|(?P<DIM>(?:at|time|folder)(?= )))",
    re.MULTILINE,
)
_OF_A_STATUS = re.compile(
    r"^(?P<count> +[\d,]+  )?(?:"
    r"(?P<BOLD>(?:spent|left)(?= ))"
    r"|(?P<YELLOW>(?:expiry|stuck)(?= )|(?:stalled|finished|blocked)(?=:)|not as it should be(?=:))"
    r"|(?P<RED>(?:uncertain|rejected|failed|expired|lost)(?=$|:))"
    r"|(?P<DIM>(?:began|folder)(?= )))",
    re.MULTILINE,
)


def painted(text: str, ink: Ink) -> str:
    """*text* in *ink*."""
    return f"{ink}{text}{_PLAIN}"


def painted_plan(text: str) -> str:
    """A plan, or the comparison of two, with its headline, its cost and what needs a look set off."""
    return _painted(text, _OF_A_PLAN)


def painted_status(text: str) -> str:
    """Where a run stands, with its headline, its money, the time left and what needs a look set off."""
    return _painted(text, _OF_A_STATUS)


def _painted(text: str, words: re.Pattern[str]) -> str:
    headline, line_end, rest = text.partition("\n")
    return f"{painted(headline, Ink.BOLD)}{line_end}{words.sub(_painted_word, rest)}"


def _painted_word(found: re.Match[str]) -> str:
    ink = next(ink for ink in Ink if found[ink.name])
    return f"{found['count'] or ''}{painted(found[ink.name], ink)}"


def is_wanted(environment: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Whether colour is wanted: at a terminal, unless `NO_COLOR` or `TERM=dumb` says no, or `FORCE_COLOR` says yes.

    As https://no-color.org and https://force-color.org have it; the first of these goes before the other.
    """
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return environment["FORCE_COLOR"] != "0"
    return is_terminal and environment.get("TERM") != "dumb"
