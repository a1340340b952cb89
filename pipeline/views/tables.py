"""The parts of a plan as small tables of 80 columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from pipeline.text import cells, fit, money, plain
from pipeline.views.breakdown import VALUES_MAX, Breakdown, Part

ROWS_SHOWN = 12
_INDENT = " " * 8
_NAME_CELLS = 38
_NONE = "(none)"
_NOTHING = Part(value="")


def kind_lines(kinds: Sequence[Part], currency: str) -> Iterator[str]:
    """What is bought of each kind of video, and what that costs, as far as it is known."""
    bought = [kind for kind in kinds if kind.submits]
    for kind, words in _rows(bought, _in_words):
        amount = "" if kind.cost is None else f"{money(kind.cost, currency):>9}  "
        yield f"{_INDENT}{amount}{kind.submits:,} x {words}"


def table_lines(parts: Breakdown, currency: str) -> Iterator[str]:
    """The videos and the money of each group and of each value of an axis, where there is more than one."""
    tables = {"group": parts.groups, **parts.axes}
    shown = {name: column for name, column in tables.items() if len(column) > 1 and not _is_a_list(column)}
    all_bought = all(part.submits == part.videos for part in parts.kinds)
    for n, (name, column) in enumerate(shown.items()):
        label = _fitted(f"by {plain(name)}", _NAME_CELLS + len(_INDENT))
        yield label.rstrip() if n else f"{label}{_heads(all_bought)}"
        lacking = parts.lacking.get(name, _NOTHING)
        for part, words in (*_rows(column, _value), *([(lacking, _NONE)] if lacking.videos else [])):
            yield f"{_INDENT}{_fitted(words, _NAME_CELLS)}{_figures(part, currency, all_bought)}"
    for name, column in tables.items():
        if not column and parts.kinds:
            yield f"by {plain(name)}: more than {VALUES_MAX:,} values"
        elif _is_a_list(column):
            yield f"by {plain(name)}: {len(column):,} values, another for each video"


def _is_a_list(column: Sequence[Part]) -> bool:
    """Whether it says no more than a list of the videos would."""
    return len(column) > 1 and all(part.videos == 1 for part in column)


def _heads(all_bought: bool) -> str:
    submits = "" if all_bought else f"{'submits':>10}"
    return f"{'videos':>9}{submits}{'cost':>14}"


def _figures(part: Part, currency: str, all_bought: bool) -> str:
    submits = "" if all_bought else f"{part.submits:>10,}"
    cost = "not known" if part.cost is None else money(part.cost, currency)
    return f"{part.videos:>9,}{submits}{cost:>14}"


def _rows(parts: Sequence[Part], words: Callable[[Part], str]) -> Iterator[tuple[Part, str]]:
    """The first of *parts*, and what all others come to."""
    yield from ((part, words(part)) for part in parts[:ROWS_SHOWN])
    if rest := parts[ROWS_SHOWN:]:
        known = [part.cost for part in rest if part.cost is not None]
        whole = Part(
            value=None,
            videos=sum(part.videos for part in rest),
            submits=sum(part.submits for part in rest),
            cost=sum(known, Decimal(0)) if len(known) == len(rest) else None,
        )
        yield whole, f"{len(rest):,} more"


def _in_words(kind: Part) -> str:
    model, size, seconds = kind.value if isinstance(kind.value, list) else ("", "", 0)
    return f"{plain(str(model))} {size} {seconds:g} s"


def _value(part: Part) -> str:
    if part.value == "":
        return _NONE
    return plain(part.value) if isinstance(part.value, str) else plain(json.dumps(part.value, ensure_ascii=False))


def _fitted(text: str, width: int) -> str:
    """*text* in just *width* columns of a terminal."""
    short = text if cells(text) <= width else f"{fit(text, width - 1)}…"
    return short + " " * (width - cells(short))
