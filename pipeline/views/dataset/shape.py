"""What a dataset is to be like, as the command line says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipeline.views.dataset.bring import Link
from pipeline.views.dataset.columns import CAPTIONED, COST, Column, columns_of, settled
from pipeline.views.dataset.guessing import one_guess
from pipeline.views.dataset.samples import Part
from pipeline.views.dataset.splits import Splits
from pipeline.views.dataset.tables import CSV, TYPED
from pipeline.views.rows import Row

SHARD_MB: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The choices that a person has."""

    splits: Splits = field(default_factory=Splits)
    link: Link = Link.HARD
    check: bool = False
    """Hash what is linked, too."""
    metadata: str = ""
    """The form of its tables: a key of `tables.WRITERS`; empty: as the format has it."""
    shard_bytes: int = SHARD_MB * 10**6
    with_cost: bool = False

    @property
    def fixed(self) -> tuple[Column, ...]:
        """The columns that do not depend on the jobs."""
        return (*CAPTIONED, *(COST if self.with_cost else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a dataset is made from."""

    run: Path
    """The run folder."""
    name: str
    provider: str
    parts: tuple[Part, ...]

    @property
    def videos(self) -> int:
        return sum(len(part.samples) for part in self.parts)

    @property
    def rows(self) -> list[Row]:
        return [sample.row for part in self.parts for sample in part.samples]

    def columns(self, fixed: Sequence[Column], form: str) -> Sequence[Column]:
        """The columns of its tables in this *form*, the same in each."""
        columns, parts = columns_of(self.rows, fixed), [part.rows for part in self.parts]
        if form in TYPED:
            return columns
        return one_guess(settled(columns, parts), parts) if form == CSV else settled(columns, parts)
