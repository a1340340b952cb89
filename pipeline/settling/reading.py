"""A reading of the provider's list: how far it can be believed, and how deep it goes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from html import unescape
from itertools import pairwise
from typing import Any, Protocol
from unicodedata import normalize

from pipeline.model import Link
from pipeline.providers.base import Observation

MARGIN_S = 120.0
"""By so much a row's time may lie outside of the submit it came from, when both clocks agree."""


class Wish(Protocol):
    """What was asked for, as far as a list may tell of it."""

    @property
    def prompt(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def seconds(self) -> int | float: ...
    @property
    def size(self) -> str: ...
    @property
    def params(self) -> Mapping[str, object]: ...
    @property
    def source(self) -> str:
        """The key of the job whose video it builds on; empty: it stands alone."""

    @property
    def link(self) -> str:
        """How it does that: `remix`, `extend` or `edit`."""

    @property
    def reference(self) -> Mapping[str, object]:
        """The image it begins with; empty: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """An attempt whose id a ledger holds: its row is nobody else's, and shows how this provider echoes."""

    wish: Wish
    """With the length that its video has in all."""
    began_at: datetime
    ended_at: datetime
    made_from: str = ""
    """The id of the video that it builds on; empty: it stands alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All rows of the provider's list from the time of every doubt on."""

    rows: tuple[Observation, ...]
    began_at: datetime
    """By our clock."""
    offset_s: float | None
    """The provider's clock minus ours; `None`: it did not say."""


def margin_of(reading: Reading, owned: Mapping[str, Owned]) -> float | None:
    """How far a row's time may lie outside of its submit; `None`: the clocks cannot be compared.

    The provider's word on its clock may be another machine's than its rows': what we own shows how far they are off.
    """
    off = [] if reading.offset_s is None else [abs(reading.offset_s)]
    off += [
        max((own.began_at - row.created_at).total_seconds(), (row.created_at - own.ended_at).total_seconds(), 0.0)
        for row in reading.rows
        if row.created_at is not None and (own := owned.get(row.video_id)) is not None
    ]
    return MARGIN_S + max(off) if off else None


def reaches(reading: Reading, page: Sequence[Observation], since: datetime, owned: Mapping[str, Owned]) -> bool:
    """Whether *page*, the last that was read, and so all that follows it, is older than what began at *since*.

    Only a list in order, newest first, can tell; of any other, all pages have to be read.
    """
    margin_s = margin_of(reading, owned)
    times = [row.created_at for row in reading.rows if row.created_at is not None]
    if margin_s is None or not page or len(times) < len(reading.rows):
        return False
    ordered = all(newer >= older for newer, older in pairwise(times))
    return ordered and times[-len(page)] < since - timedelta(seconds=margin_s)


def unshown(reading: Reading, expected: Collection[str]) -> set[str]:
    """What a list that shows everything would have shown, and this one did not: its silence proves nothing."""
    return set(expected) - {row.video_id for row in reading.rows}


def strangers(rows: Iterable[Observation], owned: Mapping[str, Owned], *, dated: bool) -> list[Observation]:
    """The rows that no ledger owns, in order, without the fields in which this provider's echo cannot be believed."""
    told = {row.video_id: row for row in rows if row.video_id}.values()  # a page may repeat a row of the last one
    unbelieved = {
        name
        for row in told
        if (own := owned.get(row.video_id)) is not None
        for name in ("prompt", "model", "seconds", "size")
        if not agrees(name, row, own.wish)
    }
    unbelieved |= {
        "made_from" for row in told if (own := owned.get(row.video_id)) is not None and not _tells_its_source(row, own)
    }
    blank: dict[str, Any] = dict.fromkeys(unbelieved if dated else {*unbelieved, "created_at"})
    return sorted((replace(row, **blank) for row in told if row.video_id not in owned), key=in_time)


def _tells_its_source(row: Observation, own: Owned) -> bool:
    """Whether what a row says of the video it is a remix of, if it does, is so. (What was extended or edited is perhaps
    called no remix.)
    """
    if row.made_from is None:
        return True
    return row.made_from == (own.made_from if own.wish.link == Link.REMIX or row.made_from else "")


def in_time(row: Observation) -> tuple[bool, datetime, str]:
    """Sorts by time; those without one last."""
    return row.created_at is None, row.created_at or _EPOCH, row.video_id


def agrees(name: str, row: Observation, wish: Wish) -> bool:
    """Whether what a row echoes of a field, if it does, is what was asked for."""
    echo = getattr(row, name)
    if echo is None:
        return True
    if name == "prompt":
        return folded(echo) == folded(wish.prompt)
    return bool(echo == getattr(wish, name))


@lru_cache(maxsize=4096)
def folded(prompt: str) -> str:
    """A prompt without the differences that a server may make on its way: blanks, entities, forms of one letter."""
    return " ".join(normalize("NFC", unescape(prompt)).split())


_EPOCH = datetime.fromtimestamp(0, UTC)
