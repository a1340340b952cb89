"""Models that hand out results and make nothing, by their names. Pure.

To ask one for a result is a POST to where videos are bought: whatever might make a video instead must not be asked.
"""

from __future__ import annotations

import re

_SAY_SO = ("get", "query", "result", "results", "fetch", "retrieve", "poll", "download")
"""How models are called that hand out, as the first or the last word of the name: `query-video`, `sora-2-get`."""
_BETWEEN = re.compile(r"[-._/]")
KNOWN = f"{', '.join(_SAY_SO[:-1])} or {_SAY_SO[-1]}"
"""These words, for people."""


def folded(model: str) -> str:
    """*model* as it is compared: gateways take names in any case of letters, some with blanks about them."""
    return model.strip().casefold()


def says_so(model: str) -> bool:
    """Whether its name says that *model* hands out and makes nothing."""
    words = _BETWEEN.split(folded(model))
    return words[0] in _SAY_SO or words[-1] in _SAY_SO
