"""How well the rows of a list fit a submit of unknown outcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from pipeline.model import Link
from pipeline.providers.base import Observation
from pipeline.settling.reading import Wish, agrees, folded

ECHO_CHARACTERS_MIN = 40
"""An echoed prompt that is the beginning of ours, and at least so long, may be ours cut short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One attempt that may have made a video: ours to settle, or a rival for the rows that ours might be."""

    key: str
    wish: Wish
    """With the length that its video has in all."""
    began_at: datetime
    """When its intent was written."""
    ended_at: datetime
    """When it was given up; of an open one, now."""
    made_from: str = ""
    """The id of the video that it builds on; empty: it stands alone."""
    whose: str = ""
    """Of a rival: whose it is, in words; empty for what is to be settled."""
    passing: bool = False
    """Of a rival: it will be no rival any more in a while."""


class Fit(Enum):
    """How well a row fits an attempt."""

    SURE = "sure"  # nothing contradicts, and the prompt is echoed
    MAYBE = "maybe"  # nothing contradicts
    NEAR = "near"  # our prompt, and yet something is not ours, or too little of it to tell: no proof of anything
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One attempt, and the rows that have to do with it, by id."""

    doubt: Doubt
    fits: Mapping[str, Fit]
    """Of every row that was made in its time."""
    rows: Mapping[str, Observation]
    """Those of them that could be it."""

    @property
    def is_sure(self) -> bool:
        """Whether all rows that could be it echo its prompt."""
        return all(self.fits[video_id] is Fit.SURE for video_id in self.rows)


def case_of(doubt: Doubt, rows: Iterable[Observation], margin_s: float) -> Case:
    """What *rows* have to do with *doubt*; a row without a time may be of any."""
    margin = timedelta(seconds=margin_s)
    since, until = doubt.began_at - margin, doubt.ended_at + margin
    timely = {row.video_id: row for row in rows if row.created_at is None or since <= row.created_at <= until}
    fits = {video_id: fit_of(row, doubt) for video_id, row in timely.items()}
    could = {video_id: row for video_id, row in timely.items() if fits[video_id] in (Fit.SURE, Fit.MAYBE)}
    return Case(doubt=doubt, fits=fits, rows=could)


def fit_of(row: Observation, doubt: Doubt) -> Fit:
    """How well what a row tells, but for its time, fits an attempt."""
    wish = doubt.wish
    prompt = prompt_fit(row.prompt, wish.prompt)
    if not all(agrees(name, row, wish) for name in ("model", "seconds", "size")):
        return Fit.NEAR if prompt is Fit.SURE else Fit.NO
    return _by_source(prompt, row, doubt)


def _by_source(fit: Fit, row: Observation, doubt: Doubt) -> Fit:
    """*fit*, in view of the video that a row is said to be a remix of.

    A remix or an edit is never taken for a video of the same words that stands alone, nor the reverse. Not every server
    tells of a source, so one that is not told where it is due makes a row no proof of anything.
    """
    if row.made_from is None or fit is Fit.NO:
        return fit
    if row.made_from:
        return fit if row.made_from == doubt.made_from else Fit.NEAR if fit is Fit.SURE else Fit.NO
    return Fit.NEAR if doubt.wish.link in (Link.REMIX, Link.EDIT) else fit


def prompt_fit(echo: str | None, prompt: str) -> Fit:
    """How well an echoed prompt, whole or cut off, fits the one that was sent."""
    told, asked = folded(echo or ""), folded(prompt)
    start = told.rstrip(".… ")
    if not start:
        return Fit.MAYBE
    if told == asked:
        return Fit.SURE
    if not asked.startswith(start):
        return Fit.NO
    return Fit.MAYBE if len(start) >= ECHO_CHARACTERS_MIN else Fit.NEAR
