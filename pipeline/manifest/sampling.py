"""A subset of a sweep that is the same on every machine. Pure."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import TypeVar

T = TypeVar("T")


def sample(cells: Iterable[T], count: int, seed: int, identity: Callable[[T], str]) -> list[T]:
    """*count* of the *cells*, in their order; all of them, where there are no more.

    Each cell is ranked by a hash of *seed* and its *identity* alone. So a larger count only adds to a smaller one's,
    and another value in an axis pushes few of the others out. No more than *count* cells are held in memory.
    """
    lowest = heapq.nsmallest(count, _ranked(cells, f"{seed}\n", identity))
    return [cell for _, _, cell in sorted(lowest, key=itemgetter(1))]


def _ranked(cells: Iterable[T], salt: str, identity: Callable[[T], str]) -> Iterator[tuple[bytes, int, T]]:
    for n, cell in enumerate(cells):
        yield hashlib.sha256((salt + identity(cell)).encode("utf-8", "surrogatepass")).digest(), n, cell
