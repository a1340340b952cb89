"""The parts of an entry: every data row with every cell of its matrix, or the sample of them that is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, repeat
from typing import TYPE_CHECKING, Final, TypeAlias

from pipeline.manifest.settings import link_in
from pipeline.manifest.sheet import Written
from pipeline.manifest.sweep import CELLS_MAX, NONE_SAID, Cell, Matrix, cell_identity, read_matrix, sample
from pipeline.model import JSON, NOTHING

if TYPE_CHECKING:
    from pipeline.manifest.overrides import Overrides

SIFTED_MAX: Final = 1_000_000
"""More cells than this want a word of consent, where `exclude` or `sample` leaves but some of them."""
TAKES_MAX: Final = 100_000
"""More jobs from one entry want a word of consent."""

Part: TypeAlias = tuple[Written | None, Cell]


class Parts:
    """Iterates over them. What is at fault becomes an issue; *look* finds what else is wrong where the matrix is."""

    def __init__(
        self,
        entry: Written,
        rows: Iterable[Written] | None,
        overrides: Overrides | None,
        *,
        look: Callable[[Written], None],
        glance: bool = False,
    ) -> None:
        self._entry = entry
        self._rows = rows
        self._overrides = overrides
        self._look = look
        self._glance = glance
        """None of them is made: what is wrong with a large matrix can wait."""
        self._matrices: dict[tuple[str, ...], Matrix | None] = {}
        """By the names that the command line says to a row."""

    def __iter__(self) -> Iterator[Part]:
        pairs: Iterable[Part] = self._pairs()
        wanted = self._entry.fields.get("sample")
        if wanted is not None:
            pairs = sample(pairs, int(wanted["count"]), int(wanted.get("seed", 0)), _Identity())
        yield from pairs
        if wanted is not None and self._rows is None and not self._matrices:
            message = "there is nothing to draw from: the entry has no matrix and no 'from'"
            self._entry.place("sample").about("no-effect", message, key=True, warning=True)
        matrices = [matrix for matrix in self._matrices.values() if matrix is not None]
        idle = {fault.path: fault for matrix in matrices for fault in matrix.idle()}
        for fault in idle.values():
            self._entry.place(*fault.path).about(fault.code, fault.message, key=fault.key, warning=True)

    def _pairs(self) -> Iterator[Part]:
        entry, some, seen = self._entry, False, 0
        for row in (None,) if self._rows is None else self._rows:
            said = NONE_SAID if self._overrides is None else self._overrides.axes_of(entry, row, link_of(entry, row))
            if not said and "matrix" not in entry.fields:
                yield row, ()
                continue
            matrix = self._matrix(said)
            if matrix is not None and (row is None or self._columns_fit(row, matrix)):
                seen += matrix.count_max
                if seen > CELLS_MAX:
                    message = f"more than {CELLS_MAX:,} cells of all its rows; so many are not looked at"
                    entry.place("matrix").about("too-many", message, key=True)
                    return
                cells = matrix.cells()
                for cell in islice(cells, 1):
                    some = True
                    yield row, cell
                yield from zip(repeat(row), cells, strict=False)  # for a million of them: without a step of ours
        if "matrix" in entry.fields and not self._matrices:
            self._matrix(NONE_SAID)  # no row is sound
        if seen and not some:
            entry.place("matrix").about("empty-matrix", "the matrix leaves no cell: 'exclude' excludes all", key=True)

    def _matrix(self, said: Mapping[str, Sequence[JSON]]) -> Matrix | None:
        """The matrix with what is *said* on the command line, read once; `None`: it is at fault."""
        names = tuple(said)
        if names not in self._matrices:
            sound = None not in self._matrices.values()
            self._matrices[names] = self._read(said) if sound else None
            if sound and self._matrices[names] is None:
                self._look(self._entry)
        return self._matrices[names]

    def _read(self, said: Mapping[str, Sequence[JSON]]) -> Matrix | None:
        entry = self._entry
        written = entry.fields.get("matrix", NOTHING)
        sifted = "exclude" in written or "sample" in entry.fields
        most = CELLS_MAX if entry.sheet.ground.allow_large else SIFTED_MAX if sifted else TAKES_MAX
        matrix, faults = read_matrix(written, said, cells_max=most, glance=self._glance)
        for fault in faults:
            entry.place(*fault.path).about(fault.code, fault.message, key=fault.key)
        return matrix

    def _columns_fit(self, row: Written, matrix: Matrix) -> bool:
        """Whether no column is an axis too; `--set` may well go over a column."""
        said = self._overrides.axes if self._overrides is not None else NOTHING
        both = [name for name in matrix.axes if name not in said and row.holds(name)]
        for name in both:
            message = f"'{name}' is a column here and an axis of the matrix; rename one"
            row.place(*name.split(".")).about("axis-column", message, key=True)
        return not both


def link_of(entry: Written, row: Written | None) -> str:
    """The field that names a source; empty: none does."""
    return (link_in(row.fields) if row is not None else "") or link_in(entry.fields)


class _Identity:
    """A row and a cell as text, wherever they stand; a row is written out once for all its cells."""

    def __init__(self) -> None:
        self._row: Written | None = None
        self._data = ""

    def __call__(self, part: Part) -> str:
        row, cell = part
        if row is not None and row is not self._row:
            self._row, self._data = row, json.dumps([row.fields, dict(row.entry.columns)], sort_keys=True)
        return f"{self._data}\n{cell_identity(cell)}"
