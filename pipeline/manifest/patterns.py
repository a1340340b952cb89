"""Patterns of file names, folder by folder: `*`, `?` and `[…]` within a name, `**` for any number of folders. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate
from typing import Final, TypeAlias

_MAGIC: Final = re.compile(r"[*?\[]")
PARTS_MAX: Final = 30

At: TypeAlias = frozenset[int]
"""How far a path has come: the parts of the pattern that its next name may be."""


def is_pattern(name: str) -> bool:
    """Whether *name* stands for others."""
    return _MAGIC.search(name) is not None


def literal(name: str) -> str:
    """The pattern that names *name* alone."""
    return _MAGIC.sub(r"[\g<0>]", name)


class Pattern:
    """A pattern that a path is held against name by name; upper and lower case differ on every machine.

    What begins with a dot is only meant by what begins with one. Raises `ValueError` for one that is too long.
    """

    def __init__(self, text: str) -> None:
        parts = text.split("/")
        if len(parts) > PARTS_MAX:
            raise ValueError(f"a pattern goes through {PARTS_MAX} folders at most")
        self._parts = [_part(part) for part in parts]
        self.start: At = self._reached(0)

    def after(self, at: At, name: str) -> At:
        """How far a path has come behind *name*; empty: the pattern names nothing there."""
        hidden = name.startswith(".")
        found: set[int] = set()
        for n in at:
            if n == len(self._parts):
                continue
            matches = self._parts[n]
            if matches is None:
                found |= self._reached(n) if not hidden else set()
            elif matches(name):
                found |= self._reached(n + 1)
        return frozenset(found)

    def ends(self, at: At) -> bool:
        """Whether a path that has come so far is one of those it names."""
        return len(self._parts) in at

    def names(self, path: str) -> bool:
        """Whether it names *path*."""
        at = self.start
        for name in path.split("/"):
            at = self.after(at, name)
        return self.ends(at)

    def _reached(self, n: int) -> At:
        """Part *n*, and those behind it where it may stand for no folder at all."""
        found = {n}
        while n < len(self._parts) and self._parts[n] is None:
            n += 1
            found.add(n)
        return frozenset(found)


def _part(text: str) -> Callable[[str], object] | None:
    """What tells whether a name is meant by one part of a pattern; `None`: any number of folders."""
    if text == "**":
        return None
    matches = re.compile(translate(text)).match
    return matches if text.startswith(".") else lambda name: None if name.startswith(".") else matches(name)
