"""What was edited in a job, in few words: the part of a text that differs, the value before and after."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal

from pipeline.changes import Change, Edit
from pipeline.model import JSON
from pipeline.text import WIDTH, cells, fit, money, plain

SHOWN_CELLS = 28
"""So much of a value is shown."""
_CONTEXT_CHARS = 16
"""As much that did not change is shown before and after, up to the next blank."""
_INDENT = " " * 11


def change_document(name: str, key: str, change: Change, price: Decimal | None) -> dict[str, JSON]:
    """A changed job for programs: the job called *name*, of *key*, which costs *price* now."""
    return {
        "id": name,
        "key": key,
        "was": change.was,
        "was_id": change.was_id,
        "was_price": None if change.was_price is None else float(change.was_price),
        "price": None if price is None else float(price),
        "fields": [{"field": edit.field, "old": edit.old, "new": edit.new} for edit in change.edits],
    }


def change_lines(
    name: str, change: Change, price: Decimal | None, currency: str, changes: Mapping[str, Change]
) -> Iterator[str]:
    """A changed job for people. *changes* are all, by key: a source may have been edited, too."""
    words = [_words(edit, changes) for edit in change.edits]
    if change.was_price != price:
        words.append(f"price {_amount(change.was_price, currency)} -> {_amount(price, currency)}")
    line = f"{_INDENT}{plain(name)}: {'; '.join(words) or 'asked for in another way'}"
    if cells(line) <= WIDTH:
        yield line
        return
    yield f"{_INDENT}{plain(name)}:"
    yield from (f"{_INDENT}  {one}" for one in words)


def differing(old: str, new: str) -> tuple[str, str]:
    """The parts of two texts that differ, with a word around them where they would say nothing alone."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    start = max(old.rfind(" ", 0, start) + 1, start - _CONTEXT_CHARS)
    if min(len(old), len(new)) - end <= start:  # one of them only adds something: show after what
        start = max(old.rfind(" ", 0, max(start - 1, 0)) + 1, start - _CONTEXT_CHARS)
    return _cut(old, start, end), _cut(new, start, end)


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _cut(text: str, start: int, end: int) -> str:
    """*text* without its first *start* characters, and without its last *end* but for the rest of the word."""
    stop = len(text) - end
    blank = text.find(" ", stop)
    stop = min(len(text) if blank < 0 else blank, stop + _CONTEXT_CHARS)
    shown = fit(text[start:stop], SHOWN_CELLS)
    return f"{'…' if start else ''}{shown}{'…' if start + len(shown) < len(text) else ''}"


def _words(edit: Edit, changes: Mapping[str, Change]) -> str:
    if edit.field == "source":
        return _source_words(str(edit.old), str(edit.new), changes)
    if edit.field == "prompt":
        old, new = differing(plain(str(edit.old)), plain(str(edit.new)))
        return f"prompt {old} -> {new}"
    return f"{plain(edit.field)} {_value(edit.old)} -> {_value(edit.new)}"


def _source_words(old: str, new: str, changes: Mapping[str, Change]) -> str:
    if new in changes and changes[new].was == old:
        return "its source changed"
    return f"source {old[:8] or 'none'} -> {new[:8] or 'none'}"


def _value(value: JSON) -> str:
    if value is None or value == "":
        return "none"
    return _short(plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))


def _short(text: str) -> str:
    short = fit(text, SHOWN_CELLS)
    return text if short == text else f"{short}…"


def _amount(price: Decimal | None, currency: str) -> str:
    return "not known" if price is None else money(price, currency)
