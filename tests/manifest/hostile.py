"""Hostile manifests, made by chance: the same seed and number make the same one.

`make(seed, n)` is the n-th. Most are wrong; where the place of the fault is known by how it was made, `line` says it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from tests.manifest.bombs import BOMBS
from tests.manifest.warped import warped
from tests.manifest.wounds import Hostile, one_wound

SUFFIXES = ("yaml", "csv", "jsonl")

Maker = Callable[[random.Random], Hostile]


def make(seed: int, n: int) -> Hostile:
    """The *n*-th hostile manifest of *seed*."""
    chance = random.Random(f"{seed} {n}")
    [kind] = chance.choices(list(KINDS), [weight for weight, _ in KINDS.values()])
    return KINDS[kind][1](chance)


def _bytes(chance: random.Random) -> Hostile:
    """No structure at all."""
    alphabet = chance.choice([bytes(range(256)), bytes(range(32, 127)) + b"\n\t", b"{}[]\"':,-&*!|>%@`# \n\\"])
    length = chance.choice([0, 1, 2, 3, 30, 300, 3_000, 60_000])
    content = bytes(chance.choice(alphabet) for _ in range(length))
    return Hostile(what="bytes", suffix=chance.choice(SUFFIXES), content=content)


def _bomb(chance: random.Random) -> Hostile:
    name = chance.choice(list(BOMBS))
    suffix, content = BOMBS[name](chance)
    return Hostile(what=name, suffix=suffix, content=content)


KINDS: Mapping[str, tuple[int, Maker]] = {
    "bytes": (5, _bytes),
    "warped": (45, warped),
    "wound": (25, one_wound),
    "bomb": (25, _bomb),
}
"""What there is, and how often."""
