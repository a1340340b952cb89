"""Which lane a job was in, and when: submitted, rendering, downloading, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise
from typing import Final

from pipeline.ledger.course import Passage


class Phase(StrEnum):
    """Where an attempt is. The value is what it is doing, in a word."""

    SUBMITTING = "submitting"
    RENDERING = "rendering"
    DOWNLOADING = "downloading"


LOOKS: Final = {Phase.SUBMITTING: "series-1", Phase.RENDERING: "series-2", Phase.DOWNLOADING: "series-3"}
"""The classes of their marks."""
STORED: Final = "series-4"
MONEY: Final = "series-5"
WRONG: Final = "series-6"
BOUND: Final = "chart-bound"


def stops_of(passage: Passage, until_s: float) -> list[float]:
    """When *passage* came into each phase that it came to, and when it left the last, in seconds since 1970.

    What is under way is seen up to *until_s*. A clock that was put back makes a phase short, and none negative.
    """
    at_s = passage.submitted_at.timestamp()
    stops = [at_s]
    for at in (passage.accepted_at, passage.finished_at, passage.stored_at):
        if at is None:
            over_s = until_s if passage.ended_at is None else passage.ended_at.timestamp()
            stops.append(max(at_s, over_s))
            break
        at_s = max(at_s, at.timestamp())
        stops.append(at_s)
    return stops


def phases_of(passage: Passage, until_s: float) -> Iterator[tuple[Phase, float, float]]:
    """The phases that *passage* came through, from when and until when."""
    for phase, (began_s, ended_s) in zip(Phase, pairwise(stops_of(passage, until_s)), strict=False):
        yield phase, began_s, ended_s
