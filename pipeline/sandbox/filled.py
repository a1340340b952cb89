"""Forms with places for what differs from answer to answer: `{name}`, or `{name:text}` in one of three forms. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from pipeline.model import JSON

_PLACE: Final = re.compile(r"\{([a-z_]+)(?::(text|integer|number))?\}")


def filled(form: Mapping[str, JSON], values: Mapping[str, JSON]) -> dict[str, JSON]:
    """*form* with *values* in their places. A place that is a whole text is the value as it is; unknown names stay."""
    return {name: filled_in(inner, values) for name, inner in form.items()}


def filled_in(form: JSON, values: Mapping[str, JSON]) -> JSON:
    """The same of anything."""
    if isinstance(form, dict):
        return filled(form, values)
    if isinstance(form, list):
        return [filled_in(inner, values) for inner in form]
    if not isinstance(form, str):
        return form
    whole = _PLACE.fullmatch(form)
    if whole and whole[1] in values:
        return _FORMS[whole[2]](values[whole[1]])
    return _PLACE.sub(lambda place: _text(values[place[1]]) if place[1] in values else place[0], form)


def _text(value: JSON) -> str:
    return "" if value is None else str(value)


def _number(value: JSON, kind: Callable[[float], JSON]) -> JSON:
    """What is no number stays as it is."""
    try:
        return kind(float(_text(value)))
    except (ValueError, OverflowError):
        return value


_FORMS: Final[Mapping[str | None, Callable[[JSON], JSON]]] = {
    None: lambda value: value,
    "text": _text,
    "integer": lambda value: _number(value, int),
    "number": lambda value: _number(value, float),
}
