"""Values as a person reads them: money, times, sizes, lists, and text that a terminal can be trusted with.

Nothing here prints, and everything is a function of its arguments.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

_ESCAPE = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: titles, links, clipboards
    r"|[\x1b\x9b]\[?[0-?]*[ -/]*[@-~]"  # CSI and the short ones: colours, cursor
)
_INK = re.compile(r"\x1b\[[0-9]*m")
_JOINERS = "\u200c\u200d"
_UNIT_SECONDS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_CENT = Decimal("0.01")
_FINEST = Decimal("0.000001")


WIDTH = 80
"""Columns of what is said to people wherever it goes."""


def plain(text: str) -> str:
    """*text* on one line, without what could steer a terminal or reorder what is shown.

    Escape sequences, control characters and the invisible format characters (bidi overrides among them) go; line
    breaks and tabs become spaces. Joiners stay: several scripts and emoji need them.
    """
    if text.isascii() and text.isprintable():
        return text
    shown = "".join(c for c in _ESCAPE.sub("", text) if c.isspace() or c in _JOINERS or not _steers(c))
    return " ".join(shown.split())


def money(amount: Decimal, currency: str) -> str:
    """*amount* with its currency: `$3.20`, `0.0125 CNY`. At least two places, more only where they say something."""
    places = amount.quantize(_FINEST).normalize()
    figure = f"{places.quantize(_CENT) if places == places.quantize(_CENT) else places:f}"
    if currency != "USD":
        return f"{figure} {currency}"
    return f"-${figure[1:]}" if figure.startswith("-") else f"${figure}"


def spent_money(amount: Decimal, currency: str, unpriced: int) -> str:
    """What was spent: *amount*, and whatever *unpriced* submits cost whose price is not known."""
    if not unpriced:
        return money(amount, currency)
    return f"at least {money(amount, currency)} ({plural(unpriced, 'submit')} at an unknown price)"


PLAY_MONEY = " (play money: nothing is billed)"
"""What is said of amounts at a provider that only rehearses."""


def duration(seconds: float) -> str:
    """A length of time in its two largest units: `45 s`, `12 min 3 s`, `3 h 20 min`."""
    left = max(0, round(seconds))
    parts = []
    for unit, length_s in _UNIT_SECONDS:
        count, left = divmod(left, length_s)
        parts.append((count, unit))
    first = next((n for n, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count or len(parts) == first + 1)


def byte_size(count: float) -> str:
    """A number of bytes in decimal units: `512 B`, `1.4 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 99.95 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def plural(count: int, noun: str) -> str:
    """`1 job`, `6 jobs`, `12,000 jobs`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def listing(names: Sequence[str], *, shown_max: int = 5) -> str:
    """The first of *names*, and how many more there are: `a, b, c and 17 more`."""
    if len(names) <= shown_max:
        return ", ".join(names)
    return f"{', '.join(names[:shown_max])} and {len(names) - shown_max:,} more"


def cells(text: str) -> int:
    """How many columns of a terminal *text* takes; East Asian wide characters take two."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(c) for c in text)


def fit(text: str, width: int) -> str:
    """*text*, cut where it takes more than *width* columns."""
    if cells(text) <= width:
        return text
    taken, kept = 0, []
    for c in text:
        taken += _cells_of(c)
        if taken > width:
            break
        kept.append(c)
    return "".join(kept)


def wrap(text: str, width: int, *, first: str = "", indent: str = "", cut: bool = True) -> str:
    """*text* in lines of at most *width* columns, broken between words.

    The first line starts with *first*, the others with *indent*. A word that is wider than a line is cut; without
    *cut* it stays whole, as paths and commands should. Ink takes no room.
    """
    return "\n".join(_lines(text.split(), max(width, len(indent) + 2), first, indent, cut=cut))


def _lines(words: Iterable[str], width: int, first: str, indent: str, *, cut: bool) -> Iterator[str]:
    line, start, empty = "", first, True
    for word in words:
        rest = word
        while rest:
            candidate = f"{start}{rest}" if empty else f"{line} {rest}"
            if _inkless(candidate) <= width or (empty and not cut):
                line, rest, empty = candidate, "", False
            elif not empty:
                yield line
                line, start, empty = "", indent, True
            else:  # a word wider than a line is cut
                head = fit(candidate, width)
                rest = candidate[len(head) :]
                yield head
                start = indent
    if line:
        yield line


def _inkless(text: str) -> int:
    return cells(_INK.sub("", text) if "\x1b" in text else text)


def _steers(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"}


def _cells_of(character: str) -> int:
    if unicodedata.combining(character) or character in _JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
