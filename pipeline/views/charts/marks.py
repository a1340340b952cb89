"""The marks that charts are made of, as SVG. Whatever text comes from outside is made plain and escaped here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

from pipeline.text import cells, fit, plain

CELL: Final = 5.8
"""How wide a character is, about, in a wide font at the font size of a label: 11 units."""


def escaped(words: str) -> str:
    """*words* as text of a document: on one line, without what no document may hold, and escaped."""
    return escape("".join(c for c in plain(words) if c not in "\ufffe\uffff"))


def shortened(words: str, width: float) -> str:
    """As many of *words* as fit into *width* at the size of a label."""
    words, cells_max = plain(words), int(width / CELL)
    return words if cells(words) <= cells_max else fit(words, cells_max - 1).rstrip() + "…"


def abridged(words: str, width: float) -> str:
    """*words* without so much of their middle that they fit as `shortened` does: a sweep's ids differ at their ends."""
    words, cells_max = plain(words), int(width / CELL)
    if cells(words) <= cells_max:
        return words
    tail = words[-(cells_max // 2) :]
    while cells(tail) > cells_max // 2:
        tail = tail[1:]
    return f"{fit(words, cells_max - 1 - cells(tail)).rstrip()}…{tail.lstrip()}"


def figure(number: float) -> str:
    """A coordinate, in as few characters as will do: a tenth of a unit is not seen."""
    return f"{number:.1f}".removesuffix(".0")


def label(x: float, y: float, words: str, anchor: str = "start", more: str = "") -> str:
    """Words at a place; *anchor* is `start`, `middle` or `end`, *more* are further attributes, as markup."""
    place = f'x="{figure(x)}" y="{figure(y)}" text-anchor="{anchor}"'
    return f'<text class="chart-label" {place}{more}>{escaped(words)}</text>'


def line(x: float, y: float, to_x: float, to_y: float, look: str, *, more: str = "") -> str:
    """A thin straight line. *more* are further attributes, as markup."""
    return (
        f'<path class="{look}" d="M{figure(x)} {figure(y)}L{figure(to_x)} {figure(to_y)}" stroke="currentColor"{more}/>'
    )


def stroke(look: str, d: str, width: float = 1.5, more: str = "") -> str:
    """The path *d*, drawn and not filled."""
    return f'<path class="{look}" d="{d}" fill="none" stroke="currentColor" stroke-width="{figure(width)}"{more}/>'


def area(look: str, d: str, title: str = "") -> str:
    """The path *d*, filled."""
    words = f"<title>{escaped(title)}</title>" if title else ""
    return f'<path class="{look}" d="{d}" fill="currentColor">{words}</path>'


def box(x: float, y: float, to_x: float, to_y: float) -> str:
    """The path of a rectangle."""
    return f"M{figure(x)} {figure(y)}H{figure(to_x)}V{figure(to_y)}H{figure(x)}Z"


def cross(x: float, y: float, half: float) -> str:
    """The path of a ×."""
    a, b, c, d = figure(x - half), figure(y - half), figure(x + half), figure(y + half)
    return f"M{a} {b}L{c} {d}M{a} {d}L{c} {b}"


def legend(entries: Iterable[tuple[str, str]], x: float, y: float) -> str:
    """Swatches and their words in a row, from *x*."""
    parts = []
    for look, words in entries:
        parts += [area(look, box(x, y - 8, x + 9, y)), label(x + 13, y, words)]
        x += 13 + cells(words) * CELL * 1.1 + 6  # a word may be all of wide letters
    return "".join(parts)
