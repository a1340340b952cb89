"""Which new jobs are edits of old ones, and what was edited. Pure: wishes in, pairs and differences out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from pipeline.likeness import Texts, likeness
from pipeline.model import JSON, Reference

KEY_DIGITS = 6
"""An id that nobody gave has at least so many digits of the key in it."""

LIKENESS_MIN = 0.5
"""More than that of two prompts has to be the same, where there is another that may be meant."""
CROWDS_MAX = 100_000
"""Of more nameless ones, new and old together, nobody looks for pairs."""
COMPARED_MAX = 40_000_000
"""So many characters of prompts are compared: about a second's work. The larger crowds come last; where it does not do
for one, nobody says who is who in it."""

_SETTINGS = ("prompt", "model", "seconds", "size", "take", "group")
_BUILDS_ON = ("source", "link")
_BY_NAME = ("params", "meta")


class Wanted(Protocol):
    """What is asked for; a manifest's job and a ledger's wish know it both."""

    @property
    def prompt(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def seconds(self) -> int | float: ...
    @property
    def size(self) -> str: ...
    @property
    def params(self) -> Mapping[str, JSON]: ...
    @property
    def take(self) -> int: ...
    @property
    def group(self) -> str: ...
    @property
    def meta(self) -> Mapping[str, JSON]: ...
    @property
    def source(self) -> str: ...
    @property
    def link(self) -> str | None: ...
    @property
    def reference(self) -> Reference | Mapping[str, JSON] | None:
        """An image, or the fields of one."""


class Asked(NamedTuple):
    """A wish and its labels."""

    key: str
    id: str
    wish: Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One field that is not what it was. A name of `params` or `meta` that is missing is `None`."""

    field: str
    old: JSON
    new: JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A job that takes the place of another."""

    was: str
    """The other's key."""
    was_id: str
    was_price: Decimal | None
    edits: tuple[Edit, ...]


def pairs(new: Iterable[Asked], old: Iterable[Asked], *, waiting: Container[str] = ()) -> dict[str, Asked]:
    """Which of *new* (by key) takes the place of which of *old*.

    One of the same id does. So does one that nobody gave an id, where it differs in a single field from one of the old.
    Where there are several to choose from, more than half of the prompt's words are as they were, at its ends: the most
    alike go together first, and of those as like, the last of the *old*, which come in the order in which they were
    asked for. But not what is *waiting*: that was asked for beside the old already.
    """
    by_id = {one.id: one for one in old}  # the latest, where an id was used again
    fresh = list(new)
    found = {one.key: was for one in fresh if (was := by_id.pop(one.id, None)) is not None}
    nameless = [one for one in fresh if one.key not in found and one.key not in waiting and _is_nameless(one)]
    return {**found, **_nearest(nameless, [one for one in by_id.values() if _is_nameless(one)])}


def edits(old: Wanted, new: Wanted) -> tuple[Edit, ...]:
    """What differs, in the order in which people write it."""
    return tuple(_edits(old, new))


def _edits(old: Wanted, new: Wanted) -> Iterator[Edit]:
    for name in (*_SETTINGS, *_BUILDS_ON):
        before, after = getattr(old, name) or "", getattr(new, name) or ""
        if before != after:
            yield Edit(field=name, old=before, new=after)
    if (was := _image(old)) != (now := _image(new)):
        yield Edit(field="input_reference", old=_in_words(*was), new=_in_words(*now))
    for name in _BY_NAME:
        before, after = getattr(old, name), getattr(new, name)
        for below in dict.fromkeys((*before, *after)) if before != after else ():
            if before.get(below) != after.get(below):
                yield Edit(field=f"{name}.{below}", old=before.get(below), new=after.get(below))


def _is_nameless(one: Asked) -> bool:
    return f"-{one.key[:KEY_DIGITS]}" in one.id


def _nearest(new: Sequence[Asked], old: Sequence[Asked]) -> dict[str, Asked]:
    """Pairs that differ in a single field, the most alike first; of those as like, what was asked for last."""
    if not new or not old or len(new) + len(old) > CROWDS_MAX:
        return {}
    fresh = [(_signature(one.wish), n) for n, one in enumerate(new)]
    gone = [(_signature(one.wish), n) for n, one in enumerate(old)]
    crowds = [crowd for part in range(len(gone[0][0])) for crowd in _alike(fresh, gone, part)]
    prompts = [one.wish.prompt for one in new], [one.wish.prompt for one in old]
    couples = {
        (likeness(prompts[0][here], prompts[1][there]), there, here) for there, here in _couples(crowds, *prompts)
    }
    rivals = Counter(side for _, there, here in couples for side in (("old", there), ("new", here)))
    chosen: dict[int, int] = {}
    taken: set[int] = set()
    for alike, there, here in sorted(couples, reverse=True):
        alone = rivals["old", there] == rivals["new", here] == 1
        if here not in chosen and there not in taken and (alone or alike > LIKENESS_MIN):
            chosen[here] = there
            taken.add(there)
    return {new[here].key: old[there] for here, there in sorted(chosen.items())}


def _couples(
    crowds: Sequence[tuple[list[int], list[int]]], new: Sequence[str], old: Sequence[str]
) -> Iterator[tuple[int, int]]:
    """For each new prompt the few old ones of its crowd that it is most like, both by number, the old one first."""
    left = COMPARED_MAX
    for here, there in sorted(crowds, key=lambda crowd: len(crowd[0]) + len(crowd[1])):
        texts = Texts([old[n] for n in there])
        left -= sum(len(old[n]) for n in there)
        found: list[tuple[int, int]] = []
        for n in here if left > 0 else ():
            near = [there[at] for at in texts.near(new[n])]
            left -= sum(len(new[n]) + len(old[one]) for one in near)
            found += ((one, n) for one in near)
            if left < 0:
                break
        if left < 0:
            return
        yield from found


def _alike(
    fresh: Sequence[tuple[tuple[Any, ...], int]], gone: Sequence[tuple[tuple[Any, ...], int]], n: int
) -> Iterator[tuple[list[int], list[int]]]:
    """Those new ones and old ones that agree in all but the *n*-th part of what they ask for, by their numbers."""
    groups: dict[tuple[Any, ...], tuple[list[int], list[int]]] = {}
    for signature, one in gone:
        groups.setdefault((*signature[:n], *signature[n + 1 :]), ([], []))[1].append(one)
    for signature, one in fresh:
        if group := groups.get((*signature[:n], *signature[n + 1 :])):
            group[0].append(one)
    return (group for group in groups.values() if group[0])


def _signature(wish: Wanted) -> tuple[Any, ...]:
    """All that a key is the hash of."""
    params = repr(sorted(wish.params.items())) if wish.params else ""
    asked = (wish.prompt, wish.model, wish.seconds, wish.size, params, wish.take)
    return (*asked, wish.source, wish.link or "", _image(wish)[1:])


def _image(wish: Wanted) -> tuple[str, str, str]:
    """Name, digest and fit of the reference image; empty texts where there is none."""
    image = wish.reference
    if not image:
        return "", "", ""
    if isinstance(image, Reference):
        return image.name, image.sha256, image.fit
    return str(image.get("name", "")), str(image.get("sha256", "")), str(image.get("fit", ""))


def _in_words(name: str, sha256: str, fit: str) -> str:
    return f"{name} ({sha256[:8]}{', ' if fit else ''}{fit})" if sha256 else ""
