"""What a reader of CSV, who is told no types, takes a column for. Pure.

As pandas guesses, with which `datasets` reads CSV.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import Enum, auto
from typing import Final

from pipeline.views.dataset.columns import Column
from pipeline.views.dataset.tables import cell_of
from pipeline.views.rows import Row

_NOTHING: Final = frozenset(
    {
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>"),
        *("N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    }
)
"""Cells that stand for no value (pandas.read_csv, na_values)."""
_WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*", re.ASCII)


class Guess(Enum):
    """The type that a column of a CSV seems to have."""

    WHOLE = auto()
    NUMBER = auto()
    FLAG = auto()
    TEXT = auto()


def guess(cells: Iterable[str]) -> Guess:
    """What a column of these *cells* is taken for."""
    found = list(cells)
    told = [cell for cell in found if cell not in _NOTHING]
    if told and len(told) == len(found) and all(_WHOLE.fullmatch(cell) for cell in told):
        return Guess.WHOLE
    if all(map(_is_number, told)):
        return Guess.NUMBER  # also a column of nothing
    return Guess.FLAG if all(cell.lower() in ("true", "false") for cell in told) else Guess.TEXT


def one_guess(columns: Sequence[Column], parts: Sequence[Sequence[Row]]) -> tuple[Column, ...]:
    """Those of *columns* that are taken for the same in a CSV of each of *parts*: others cannot be in files that have
    to be of one type.
    """
    return tuple(column for column in columns if len({_guess_of(column, part) for part in parts}) == 1)


def _guess_of(column: Column, rows: Sequence[Row]) -> Guess:
    return guess(cell_of(column, row) for row in rows)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
