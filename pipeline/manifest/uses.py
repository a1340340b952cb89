"""Whether an entry, with one of its data rows, uses a variable: then `--set` may make an axis of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from pipeline.manifest.fields import LINK_FIELDS
from pipeline.manifest.settings import over
from pipeline.manifest.sheet import Written
from pipeline.manifest.template import asks_for
from pipeline.model import NOTHING

_PROMPTS: Final = frozenset({"prompt", "prompt_file"})
_REPLACED: Final = frozenset({"id", "group", "input_reference"})
"""What a row says in place of its entry."""
_NO_TEMPLATES: Final = frozenset({"vars", "from", "sample", *LINK_FIELDS})
_asks_for = lru_cache(maxsize=256)(asks_for)  # the texts of an entry are asked again for each of its rows


def uses(name: str, entry: Written, row: Written | None) -> bool:
    """Whether a template for *entry* and *row* asks for the variable *name*, or one of both says it itself.

    An entry with a `prompt_file` of its own may always do so.
    """
    data = row if row is not None else entry if entry.literal else None
    if name in entry.fields.get("vars", NOTHING) or (data is not None and name in data.entry.columns):
        return True
    placing = entry.sheet.ground.placing
    if placing is not None and name in placing.asked:
        return True
    return any(field == "prompt_file" or asked_in(name, value) for field, value in _templates(entry, data))


def asked_in(name: str, value: Any) -> bool:
    """Whether one of the texts in *value* is a template that asks for the variable *name*."""
    return any(_asks_for(name, text) for text in _texts(value))


def _templates(entry: Written, data: Written | None) -> Iterator[tuple[str, Any]]:
    """The fields that may hold templates; what a row states is none, and stands in the place of some."""
    fields = over(entry.sheet.ground.defaults, NOTHING if entry.literal else entry.fields)
    stated = data.fields if data is not None else NOTHING
    prompted = not _PROMPTS.isdisjoint(stated)
    for field, value in fields.items():
        if field in _PROMPTS and prompted:
            replaced = field == "prompt_file" or "prompt" not in stated or not _wraps(entry, value)
        else:
            replaced = field in _NO_TEMPLATES or (field in _REPLACED and field in stated)
        if not replaced:
            yield field, value


def _wraps(entry: Written, prompt: str) -> bool:
    """Whether *prompt* is the entry's own, to be put around that of each row."""
    return entry.fields.get("prompt") == prompt and _asks_for("prompt", prompt)


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
