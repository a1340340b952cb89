"""What the values of a sweep say in an id: `harbour-a-heron-8s-wide`. Pure."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from pipeline.manifest.identity import quick_slug
from pipeline.manifest.scalars import canonical
from pipeline.manifest.template import written
from pipeline.model import JSON

NAME_MAX = 70
"""The longest derived id, which leaves room for a take's `-t100000` in the 80 of an id."""
LABEL_MAX = 24
_FILES = frozenset({"prompt_file", "input_reference"})
_DIGITS = 6


def label(axis: str, value: JSON) -> str:
    """What *value* of *axis* says in an id."""
    name = axis.rpartition(".")[2]
    if isinstance(value, bool):
        return _words(f"{name}-{written(value)}")
    if isinstance(value, int | float):
        number = repr(canonical(value))
        return _words(f"{number}s" if axis == "seconds" else f"{name}{number}")
    text = written(value)
    if not text.strip():
        return _words(f"{name}-{_digest(json.dumps(value, sort_keys=True)) if value else 'none'}")
    return _words(text.rpartition("/")[2].rpartition(".")[0] or text if axis in _FILES else text)


def told_apart(rows: Sequence[tuple[str, ...]], identities: Sequence[str]) -> list[tuple[str, ...]]:
    """The labels of each of an axis' *rows*; those that read alike get digits of their *identities*."""
    counts = Counter(rows)
    return [
        labels if counts[labels] == 1 else _marked(labels, _digest(identity))
        for labels, identity in zip(rows, identities, strict=True)
    ]


def derived_name(base: str, labels: Iterable[str]) -> str:
    """The id of a cell's job: *base* and what its values say. One that is too long ends in digits of the whole."""
    name = "-".join(filter(None, (_base(base), *labels)))
    if len(name) <= NAME_MAX:
        return name
    return f"{name[: NAME_MAX - _DIGITS - 1].rstrip('-_')}-{_digest(name)}"


@lru_cache(maxsize=1_000)
def _base(base: str) -> str:
    """*base* as a slug: all cells of an entry have the same."""
    return base and quick_slug(base, bytes_max=NAME_MAX)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def _marked(labels: tuple[str, ...], mark: str) -> tuple[str, ...]:
    last = max(n for n, said in enumerate(labels) if said)
    return tuple(f"{said}-{mark}" if n == last else said for n, said in enumerate(labels))


def _words(text: str) -> str:
    """*text* as a slug, cut between two words where it is too long."""
    if not text.isascii():
        return quick_slug(text, bytes_max=LABEL_MAX)  # its letters may be lost: then a digest stands for them
    whole = quick_slug(text[:200], bytes_max=200)
    if len(whole) <= LABEL_MAX:
        return whole
    head = whole[: LABEL_MAX + 1].rpartition("-")[0] or whole[:LABEL_MAX]
    return head.rstrip("-_")
