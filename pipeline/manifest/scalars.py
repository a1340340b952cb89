"""What a piece of text means where the schema wants more than text. Numbers are JSON's: `012` is none."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pipeline.model import JSON

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<fraction>\.[0-9]+)?(?P<exponent>[eE][+-]?[0-9]+)?")
DIGITS_MAX = 400
"""A longer number stays text, and is refused where a number is wanted."""

TOO_FINE = "an amount of money has 6 decimals at most"
_FINEST = Decimal("0.000001")

_WORDS: Mapping[str, JSON] = {"true": True, "false": False, "null": None, "": None}


def number_of(text: str) -> int | float | None:
    """The number that *text* is, `None` where it is none."""
    match = NUMBER.fullmatch(text) if len(text) <= DIGITS_MAX else None
    if match is None:
        return None
    if match["fraction"] is None and match["exponent"] is None:
        return int(text)
    number = float(text)
    return number if math.isfinite(number) else None


def is_money(amount: Decimal) -> bool:
    """Whether *amount* has no more decimals than a price may have: what it comes to, the ledger keeps to the digit."""
    return not amount or (amount.adjusted() >= -6 and not amount % _FINEST)


def free_value(text: str) -> JSON:
    """The meaning of unquoted *text* where anything may stand: JSON's scalars, else the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    number = number_of(text)
    return text if number is None else number


def typed(text: str, schema: Mapping[str, Any] | bool, *, plain: bool) -> JSON:
    """*text* as the type that *schema* gives it, or as it is. *plain*: it was written without quotes."""
    wanted = None if isinstance(schema, bool) else schema.get("type")
    if wanted == "string":
        return text
    if wanted is None:
        return free_value(text) if plain else text
    types = [wanted] if isinstance(wanted, str) else wanted
    if ("number" in types or "integer" in types) and (plain or "string" in types):
        number = number_of(text)
        return text if number is None else number
    if plain and "null" in types and text in ("null", ""):
        return None
    return _WORDS[text] if plain and "boolean" in types and text in ("true", "false") else text


def canonical(number: int | float) -> int | float:
    """*number*, an `int` where it is whole: 8.0 and 8 are one length."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def written_number(text: str) -> int | float | None:
    """The number a person probably meant by *text* that is none: `012`, `1_000`, `8s`, `4,5`, `+3`."""
    bare = re.sub(r"\s*(s|sec|secs|seconds?)$", "", text.strip(), flags=re.IGNORECASE)
    bare = bare.replace("_", "").replace(",", ".").lstrip("+")
    return number_of(re.sub(r"^(-?)0+(?=[0-9])", r"\1", bare))
