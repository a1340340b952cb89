"""How alike two texts are, and which of many are most like one. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache

_WORD = re.compile(r"\w+")
_EACH_SIDE = 3
"""So many neighbours of a text are looked at, before and after it: its own earlier versions are among them."""


def likeness(one: str, other: str) -> float:
    """From 0 to 1: the share of the words of both that begin both or end both; 1: they are equal."""
    if one == other:
        return 1.0
    ours, theirs = _words(one), _words(other)
    start = _common(ours, theirs)
    shorter = min(len(ours), len(theirs)) - start
    end = _common(ours[::-1][:shorter], theirs[::-1][:shorter])
    return 2 * (start + end) / (len(ours) + len(theirs))


class Texts:
    """Many texts, by number; those that begin or end most like another are found without asking all of them."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._count = len(texts)
        self._forward = sorted((text, n) for n, text in enumerate(texts))
        self._backward = sorted((text[::-1], n) for n, text in enumerate(texts))

    def near(self, text: str) -> Sequence[int]:
        """The numbers of those that are most like *text*, and perhaps a few others; of a few texts, all."""
        if self._count <= 2 * _EACH_SIDE:
            return range(self._count)
        return sorted({*self._around(self._forward, text), *self._around(self._backward, text[::-1])})

    def _around(self, order: Sequence[tuple[str, int]], text: str) -> Iterator[int]:
        at = bisect_left(order, (text, self._count))  # behind those that are equal: the last of them are near, too
        return (n for _, n in order[max(0, at - _EACH_SIDE) : at + _EACH_SIDE])


@lru_cache(maxsize=256)  # a text is compared with several
def _words(text: str) -> Sequence[str]:
    """The words of *text*; its characters, where nothing parts words, as in Japanese."""
    words = _WORD.findall(text)
    return words if len(words) > 1 else text


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words both begin with."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
