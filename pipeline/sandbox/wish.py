"""Which creates are in order, and what is filled in: rules of form, as the API states them.

Any model is taken. Lengths and sizes are free within the bounds of the encoder, since what a model offers is for a
profile to know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pipeline.model import JSON
from pipeline.sandbox.reference import check_size
from pipeline.sandbox.refusal import Refused, invalid

PROMPT_LENGTH_MAX: Final = 32_000
MODEL_LENGTH_MAX: Final = 200
SECONDS_MAX: Final = 120
SIDE_MIN, SIDE_MAX = 16, 4096

DEFAULTS: Final[Mapping[str, str]] = {"model": "sora-2", "seconds": "4", "size": "720x1280"}

_SECONDS: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3})?")
_SIZE: Final = re.compile(r"([0-9]{2,4})x([0-9]{2,4})")
_KINDS: Final = {bool: "a boolean", int: "an integer", float: "a number", list: "an array", dict: "an object"}


def read(fields: Mapping[str, JSON], *, multipart: bool) -> dict[str, JSON]:
    """The accepted fields, defaults filled in, others as they came. Raises `Refused` (400) at the first wrong one."""
    if fields.get("prompt") is None:
        raise invalid("prompt", "Missing required parameter: 'prompt'.", "missing_required_parameter")
    texts = {name: _text(fields, name) for name in ("prompt", *DEFAULTS)}
    if not texts["prompt"].strip() or len(texts["prompt"]) > PROMPT_LENGTH_MAX:
        raise invalid("prompt", f"Invalid 'prompt': expected 1 to {PROMPT_LENGTH_MAX} characters.", "invalid_value")
    if not 0 < len(texts["model"]) <= MODEL_LENGTH_MAX:
        raise invalid("model", f"Invalid 'model': expected 1 to {MODEL_LENGTH_MAX} characters.", "invalid_value")
    _check_seconds(texts["seconds"])
    _check_size(texts["size"])
    _check_reference(fields.get("input_reference"), multipart=multipart)
    check_size(fields.get("input_reference"), texts["size"])
    return {**texts, **{name: value for name, value in fields.items() if name not in texts}}


def _text(fields: Mapping[str, JSON], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return DEFAULTS[name]
    if not isinstance(value, str):
        raise _wrong_type(name, "a string", value)
    return value


def _check_seconds(seconds: str) -> None:
    if not _SECONDS.fullmatch(seconds) or not 0 < float(seconds) <= SECONDS_MAX:
        wanted = f"a number of seconds above 0, at most {SECONDS_MAX}"
        raise invalid("seconds", f"Invalid value: '{seconds[:40]}'. Expected {wanted}.", "invalid_value")


def _check_size(size: str) -> None:
    match = _SIZE.fullmatch(size)
    sides = [int(side) for side in match.groups()] if match else []
    if not sides or any(not SIDE_MIN <= side <= SIDE_MAX or side % 2 for side in sides):
        wanted = f"WIDTHxHEIGHT in pixels, both even, from {SIDE_MIN} to {SIDE_MAX}"
        raise invalid("size", f"Invalid value: '{size[:40]}'. Expected {wanted}.", "invalid_value")


def _check_reference(reference: JSON, *, multipart: bool) -> None:
    if reference is not None and not isinstance(reference, dict):
        raise _wrong_type("input_reference", "a file" if multipart else "an object", reference)


def _wrong_type(name: str, wanted: str, value: JSON) -> Refused:
    found = _KINDS.get(type(value), "a string")
    return invalid(name, f"Invalid type for '{name}': expected {wanted}, but got {found} instead.", "invalid_type")
