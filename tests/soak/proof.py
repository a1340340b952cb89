"""What a long proof is: a script of any size that ends in figures, and in faults where something is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What one run of a proof came to."""

    figures: Mapping[str, object]
    """What was measured, in the order to print it."""
    faults: tuple[str, ...] = field(default=())
    """What should not be; empty where all is well."""

    def __str__(self) -> str:
        width = max(map(len, self.figures), default=0)
        lines = [f"{name:<{width}}  {figure}" for name, figure in self.figures.items()]
        return "\n".join([*lines, *(f"FAULT: {fault}" for fault in self.faults)])


class Script(Protocol):
    """A module of this package that proves something."""

    WHAT: str
    """In one line, for the list."""
    SIZE: int
    """How large the full proof is: kills, jobs, downloads, manifests."""

    def prove(self, *, size: int, seed: int) -> Proof:
        """Do it, so large, replayable by *seed*. Blocks."""
