"""Which video of the provider's list is an uncertain submit's: at most one answer, and none where there is doubt.

A row can only be an uncertain submit's video if it was made in the time of that submit and contradicts nothing that
was asked for. Where just one assignment is possible, the video is adopted; where no row could be it, whatever it
says, this reading shows nothing (the caller wants that twice); everything else is ambiguous and left alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pipeline.model import Link
from pipeline.settling.absence import forgotten, objection, unlisted
from pipeline.settling.fit import Case, Doubt, Fit, case_of
from pipeline.settling.reading import MARGIN_S, Owned, Reading, in_time, margin_of, strangers
from pipeline.text import listing


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


_Family: TypeAlias = list[Case]
"""Cases that share rows: what is found, is found for all of them."""


def settle(
    doubts: Iterable[Doubt],
    reading: Reading,
    *,
    owned: Mapping[str, Owned],
    rivals: Iterable[Doubt] = (),
    retention_s: float,
    blind: str = "",
    forgetful: str = "",
    lists_linked: bool = False,
) -> dict[str, Finding]:
    """What *reading* says of each of *doubts*, by key.

    *owned* are the ids that any ledger holds. *rivals* are attempts that may have made a row as well as ours, *blind*
    says why some of those may not be known; neither matters to what has no row. *forgetful* says why the list may not
    show all that it should. Absence proves nothing then, nor once an attempt is *retention_s* old; nor of a video that
    builds on another, unless the list shows such (*lists_linked*, or one of ours of its kind is in it).
    """
    margin_s = margin_of(reading, owned)
    rows = strangers(reading.rows, owned, dated=margin_s is not None)
    order = sorted((*doubts, *rivals), key=lambda doubt: (doubt.began_at, doubt.key, doubt.whose))
    cases = [case_of(doubt, rows, margin_s or MARGIN_S) for doubt in order]
    findings: dict[str, Finding] = {}
    for family in _families(cases):
        findings |= _verdicts(family, blind)
    adopted = {found.video_id for found in findings.values() if isinstance(found, Adopt)}
    unclaimed = [row for row in rows if row.video_id not in adopted]
    told = {video_id for case in cases for video_id, fit in case.fits.items() if fit is Fit.SURE}
    soon = {video_id for case in cases if case.doubt.passing for video_id in case.fits}
    ours = [owned[row.video_id] for row in reading.rows if row.video_id in owned]
    shown_links: set[str] = {*Link} if lists_linked else {own.wish.link for own in ours}
    for case in cases:
        if case.doubt.whose or not isinstance(findings[case.doubt.key], Absent):
            continue
        if against := objection(case, unclaimed, told=told, soon=soon, vouched=bool(ours)):
            findings[case.doubt.key] = Ambiguous(reason=against.reason, passing=against.passing)
        elif reason := forgotten(case.doubt, reading, retention_s) or forgetful or unlisted(case.doubt, shown_links):
            findings[case.doubt.key] = Ambiguous(reason=reason)
    return findings


def _families(cases: Iterable[Case]) -> list[_Family]:
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
    if len({_fingerprint(case.doubt) for case in ours}) > 1 or not all(case.is_sure for case in ours):
        return _all(ours, Ambiguous(reason=f"{shown} may be it, and the list does not tell whose is which"))
    assigned = _assigned(ours)
    if assigned is None:
        count = f"{len(ids)} videos of this wish, {len(ours)} uncertain submits"
        return _all(ours, Ambiguous(reason=f"{shown} may be it: {count}; somebody else uses this key"))
    return assigned


def _all(cases: Iterable[Case], finding: Finding) -> dict[str, Finding]:
    return {case.doubt.key: finding for case in cases}


def _assigned(cases: Iterable[Case]) -> dict[str, Finding] | None:
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


def _fingerprint(doubt: Doubt) -> tuple[object, ...]:
    """What makes two videos interchangeable, the fields that no list echoes included."""
    wish = doubt.wish
    unseen = json.dumps([dict(wish.params), dict(wish.reference)], sort_keys=True, default=str)
    return wish.prompt, wish.model, float(wish.seconds), wish.size, unseen, wish.link, doubt.made_from
