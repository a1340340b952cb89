"""Circles in what wants what. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence


def circles(wants: Mapping[str, Collection[str]]) -> Mapping[str, str]:
    """For each name, one of its circle, the same for all names in that; a name in no circle stands for itself.

    In time linear to what is wanted (Kosaraju): the last to be left is the first that all of a circle come back to.
    """
    wanted_by: defaultdict[str, list[str]] = defaultdict(list)
    for name, others in wants.items():
        for other in others:
            wanted_by[other].append(name)
    found: dict[str, str] = {}
    for first in reversed(_as_left(wants)):
        waiting = [first]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = first
                waiting += wanted_by[name]
    return found


def _as_left(wants: Mapping[str, Collection[str]]) -> Sequence[str]:
    """All names, each behind all that is reached from it and was not before."""
    seen: set[str] = set()
    left: list[str] = []
    for start in wants:
        waiting = [(start, False)]
        while waiting:
            name, is_left = waiting.pop()
            if is_left:
                left.append(name)
            elif name not in seen:
                seen.add(name)
                waiting.append((name, True))
                waiting += [(other, False) for other in wants.get(name, ())]
    return left
