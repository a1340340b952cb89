"""Chances that exclude one another: together at most 1, which a schema cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pipeline.manifest.document import Path

_ROUNDING: Final = 1e-9
"""Ten tenths are one, whatever binary fractions make of them."""


def overfull(faults: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Where the chances of a phase of *faults*, whose form is right, are together more than 1, and the words for it."""
    for name, phase in faults.items():
        chances = phase.get("chance", {}) if isinstance(phase, Mapping) else {}
        together = sum(chances.values())
        if not together <= 1 + _ROUNDING:  # so written, no NaN passes
            yield (name, "chance"), f"the chances are together {together:g}; 1 is the most"
