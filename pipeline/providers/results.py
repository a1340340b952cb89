"""Models that hand out results and make nothing, by their names. Pure.

To ask one for a result is a POST to where videos are bought: whatever might make a video instead must not be asked.
"""

from __future__ import annotations

import re

_SAY_SO = ("get", "query", "result", "results", "fetch", "retrieve", "status", "task")
"""How models are called that hand out, as a whole word of the name."""
_BETWEEN = re.compile(r"[-._/]")
KNOWN = f"{', '.join(_SAY_SO[:-1])} or {_SAY_SO[-1]}"
"""These words, for people."""


def folded(model: str) -> str:
    """*model* as it is compared: gateways take names in any case of letters, some with blanks about them."""
    return model.strip().casefold()


def says_so(model: str) -> bool:
    """Whether its name says that *model* hands out and makes nothing."""
    return not frozenset(_SAY_SO).isdisjoint(_BETWEEN.split(folded(model)))
