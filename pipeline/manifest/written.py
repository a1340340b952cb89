"""How values become text in a template, and what to say of one that cannot be filled in. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pipeline.manifest.fields import shown

RESULT_MAX = 32_000
"""The longest text a template may make, in characters."""

Writer = Callable[[Any], str]
"""How a value becomes text."""


class BadTemplate(ValueError):
    """A template that cannot be used; the message says why. `word` is what is at fault in its text, where one is."""

    def __init__(self, message: str, *, code: str = "bad-template", word: str = "", near: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.word = word
        self.near = near
        """What stands in the text where the fault is."""


class Named(dict[str, Any]):
    """A mapping as one value of an axis: templates write its `name`; without one, its single values."""


def written(value: Any) -> str:
    """A value as templates write it: JSON's words for true, false and structures, nothing for null."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(written(part) for part in value)
    if value is None:
        return ""
    if isinstance(value, Named):
        single = [part for part in value.values() if not isinstance(part, list | dict)]
        return written(value.get("name", single))
    if isinstance(value, int | float | dict):
        return json.dumps(value, ensure_ascii=False)
    str(value)  # an undefined value says here what it is
    raise BadTemplate(f"a template cannot write a {shown(type(value).__name__)}")
