"""Models that hand out results and make nothing, by their names. Pure.

To ask one for a result is a POST to where videos are bought: whatever might make a video instead must not be asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.manifest.fields import shown
from pipeline.manifest.wording import Fault

_SAY_SO = ("get", "query", "result", "results", "fetch", "retrieve", "status", "task")
"""How models are called that hand out, as a whole word of the name."""
_BETWEEN = re.compile(r"[-._/]")
_KNOWN = f"{', '.join(_SAY_SO[:-1])} or {_SAY_SO[-1]}"


def folded(model: str) -> str:
    """*model* as it is compared: gateways take names in any case of letters, some with blanks about them."""
    return model.strip().casefold()


def says_so(model: str) -> bool:
    """Whether its name says that *model* hands out and makes nothing."""
    return not frozenset(_SAY_SO).isdisjoint(_BETWEEN.split(folded(model)))


def buying_looks(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Which of the `result_models` of *document* might make a video."""
    result_models = document.get("result_models", {})
    makers = {folded(name) for name, offer in document.get("models", {}).items() if offer is not None}
    makers |= {folded(document.get("defaults", {}).get("model", "")), *map(folded, result_models)}
    for name, model in result_models.items():
        if folded(model) in makers:
            message = f"'{shown(model)}' makes videos here: to ask it for a result could buy another"
        elif not says_so(model):
            message = f"'{shown(model)}' may be one that makes videos, and to ask it for a result could buy another"
            message += f": one that only hands out has {_KNOWN} as a word of its name, as in sora-2-get"
        else:
            continue
        yield Fault(path=("result_models", name), code="bad-form", message=message)
