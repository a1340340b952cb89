"""Which video of the provider's list is an uncertain submit's: at most one answer, and none where there is doubt.

A row can only be an uncertain submit's video if it was made in the time of that submit and contradicts nothing that
was asked for. Where just one assignment is possible, the video is adopted; where no row could be it, this reading
shows nothing (the caller wants that twice); everything else is ambiguous and left alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeAlias

from pipeline.providers.base import Observation
from pipeline.settling.reading import MARGIN_S, Owned, Reading, Wish, agrees, folded, in_time, margin_of, strangers
from pipeline.text import listing

ECHO_CHARACTERS_MIN = 40
"""An echoed prompt that is the beginning of ours, and at least so long, may be ours cut short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One attempt that may have made a video: ours to settle, or a rival for the rows that ours might be."""

    key: str
    wish: Wish
    began_at: datetime
    """When its intent was written."""
    ended_at: datetime
    """When it was given up; of an open one, now."""
    whose: str = ""
    """Of a rival: whose it is, in words; empty for what is to be settled."""
    passing: bool = False
    """Of a rival: it will be no rival any more in a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt:
    """This video is the one."""

    video_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """This reading shows nothing that could be it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguous:
    """No proof either way."""

    reason: str
    passing: bool = False
    """It will look different in a while."""


Finding: TypeAlias = Adopt | Absent | Ambiguous


class _Fit(Enum):
    """How well a row fits an attempt."""

    SURE = "sure"  # nothing contradicts, and the prompt is echoed
    MAYBE = "maybe"  # nothing contradicts
    NEAR = "near"  # our prompt in our time, and yet something else is not ours: no proof of anything
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One attempt, and the rows that have to do with it, by id."""

    doubt: Doubt
    rows: Mapping[str, Observation]
    """Those that could be it."""
    sure: bool
    """All of these echo its prompt."""
    near: frozenset[str]


_Family: TypeAlias = "list[_Case]"
"""Cases that share rows: what is found, is found for all of them."""


def settle(
    doubts: Iterable[Doubt],
    reading: Reading,
    *,
    owned: Mapping[str, Owned],
    rivals: Iterable[Doubt] = (),
    retention_s: float,
    blind: str = "",
) -> dict[str, Finding]:
    """What *reading* says of each of *doubts*, by key.

    *owned* are the ids that any ledger holds. *rivals* are attempts that may have made a row as well as ours, *blind*
    says why some of those may not be known; neither matters to what has no row. Absence proves nothing once an
    attempt is *retention_s* old: the list may have forgotten it.
    """
    margin_s = margin_of(reading, owned)
    rows = strangers(reading.rows, owned, dated=margin_s is not None)
    order = sorted((*doubts, *rivals), key=lambda doubt: (doubt.began_at, doubt.key, doubt.whose))
    cases = [_case(doubt, rows, margin_s or MARGIN_S) for doubt in order]
    findings: dict[str, Finding] = {}
    for family in _families(cases):
        findings |= _verdicts(family, blind)
    adopted = {found.video_id for found in findings.values() if isinstance(found, Adopt)}
    known = adopted.union(*(case.rows for case in cases))
    strange = [row for row in rows if row.video_id not in known]
    vouched = any(row.video_id in owned for row in reading.rows)
    for case in cases:
        if not case.doubt.whose and isinstance(findings[case.doubt.key], Absent):
            reason = _telling(case, adopted, strange, vouched=vouched) or _forgotten(case.doubt, reading, retention_s)
            findings[case.doubt.key] = Ambiguous(reason=reason) if reason else Absent()
    return findings


def _case(doubt: Doubt, rows: Iterable[Observation], margin_s: float) -> _Case:
    margin = timedelta(seconds=margin_s)
    since, until = doubt.began_at - margin, doubt.ended_at + margin
    timely = (row for row in rows if row.created_at is None or since <= row.created_at <= until)
    fits = [(row, _fit(row, doubt.wish)) for row in timely]
    return _Case(
        doubt=doubt,
        rows={row.video_id: row for row, fit in fits if fit in (_Fit.SURE, _Fit.MAYBE)},
        sure=not any(fit is _Fit.MAYBE for _, fit in fits),
        near=frozenset(row.video_id for row, fit in fits if fit is _Fit.NEAR),
    )


def _fit(row: Observation, wish: Wish) -> _Fit:
    prompt = _prompt_fit(row.prompt, wish.prompt)
    if all(agrees(name, row, wish) for name in ("model", "seconds", "size")):
        return prompt
    return _Fit.NEAR if prompt is _Fit.SURE else _Fit.NO


def _prompt_fit(echo: str | None, prompt: str) -> _Fit:
    if echo is None:
        return _Fit.MAYBE
    told, asked = folded(echo), folded(prompt)
    if told == asked:
        return _Fit.SURE
    start = told.rstrip(".… ")
    return _Fit.MAYBE if len(start) >= ECHO_CHARACTERS_MIN and asked.startswith(start) else _Fit.NO


def _families(cases: Iterable[_Case]) -> list[_Family]:
    """The cases, each with all that may be confused with it."""
    families: list[tuple[set[str], _Family]] = []
    for case in cases:
        ids, family = set(case.rows), [case]
        apart = []
        for other_ids, other in families:
            if other_ids.isdisjoint(ids):
                apart.append((other_ids, other))
            else:
                ids, family = ids | other_ids, [*other, *family]
        families = [*apart, (ids, family)]
    return [family for _, family in families]


def _verdicts(family: _Family, blind: str) -> dict[str, Finding]:
    ours = [case for case in family if not case.doubt.whose]
    rivals = [case.doubt for case in family if case.doubt.whose]
    ids = sorted({video_id for case in family for video_id in case.rows})
    shown = listing(ids)
    if not ids:
        return {case.doubt.key: Absent() for case in ours}
    if rivals:
        passing = all(rival.passing for rival in rivals)
        return _all(ours, Ambiguous(reason=f"{shown} may be it, or of {rivals[0].whose}", passing=passing))
    if blind:
        return _all(ours, Ambiguous(reason=f"{shown} may be it, but {blind}"))
    if len(ours) == len(ids) == 1:
        return _all(ours, Adopt(video_id=ids[0]))
    if len({_fingerprint(case.doubt.wish) for case in ours}) > 1 or not all(case.sure for case in ours):
        return _all(ours, Ambiguous(reason=f"{shown} may be it, and the list does not tell whose is which"))
    assigned = _assigned(ours)
    if assigned is None:
        count = f"{len(ids)} videos of this wish, {len(ours)} uncertain submits"
        return _all(ours, Ambiguous(reason=f"{shown} may be it: {count}; somebody else uses this key"))
    return assigned


def _all(cases: Iterable[_Case], finding: Finding) -> dict[str, Finding]:
    return {case.doubt.key: finding for case in cases}


def _assigned(cases: Iterable[_Case]) -> dict[str, Finding] | None:
    """Rows to attempts of one wish, one to one, in the order of time; `None` where a row is left over.

    Takes are as good as one another. Each row, the earliest first, goes to the attempt whose time is over first:
    rows being points in time and attempts spans, that places every row if it can be done at all.
    """
    free = sorted(cases, key=lambda case: (case.doubt.ended_at, case.doubt.began_at, case.doubt.key))
    findings: dict[str, Finding] = {case.doubt.key: Absent() for case in free}
    rows = {row.video_id: row for case in free for row in case.rows.values()}
    for row in sorted(rows.values(), key=in_time):
        taker = next((case for case in free if row.video_id in case.rows), None)
        if taker is None:
            return None
        findings[taker.doubt.key] = Adopt(video_id=row.video_id)
        free.remove(taker)
    return findings


def _fingerprint(wish: Wish) -> tuple[object, ...]:
    """What makes two videos interchangeable, the fields that no list echoes included."""
    params = json.dumps(dict(wish.params), sort_keys=True, default=str)
    return wish.prompt, wish.model, float(wish.seconds), wish.size, params


def _telling(case: _Case, adopted: Collection[str], strange: Iterable[Observation], *, vouched: bool) -> str:
    """Which rows may be it all the same, so that its absence is no proof; empty where none may.

    *strange* are those that fit no submit of ours. Clocks may have been set since, and a list may repeat a wish in
    words of its own: only where a video of ours shows how it does (*vouched*), another wish is another's.
    """
    near = sorted(case.near.difference(adopted))
    apart = sorted(row.video_id for row in strange if _fit(row, case.doubt.wish) in (_Fit.SURE, _Fit.NEAR))
    others = [] if vouched else sorted(row.video_id for row in strange)
    if near:
        return f"{listing(near)} has its prompt and time, but another model, length or size"
    if apart:
        return f"{listing(apart)} has its prompt, but seems to be of another time"
    return f"{listing(others)} may be it: no video of ours shows how this list repeats a wish" if others else ""


def _forgotten(doubt: Doubt, reading: Reading, retention_s: float) -> str:
    """Why the list may show it no more; empty where it must."""
    age_s = (reading.began_at - doubt.began_at).total_seconds()
    if age_s >= retention_s:
        return "it is older than the provider keeps its videos, so that the list does not show it is no proof"
    return "our clock was set back since, so that the list does not show it is no proof" if age_s < 0.0 else ""
