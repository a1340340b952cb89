"""What speaks against "not created": rows that may be a submit's video all the same, and lists that forget.

Absence is what leads to a second payment, so it is proven of the time of a submit and not of its likeness. A list may
cut a prompt off, escape it, rewrite it for moderation or call a model by another name, for one row and not for the
next: nothing that a row says shows that it is not ours. So each row of that time must be known to be another's.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass

from pipeline.providers.base import Observation
from pipeline.settling.fit import Case, Doubt, Fit, fit_of, prompt_fit
from pipeline.settling.reading import Reading
from pipeline.text import listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """Why it is no proof that nothing seems to be it."""

    reason: str
    passing: bool = False
    """All of these rows may soon be known as those of submits that are under way."""


def objection(
    case: Case, unclaimed: Iterable[Observation], *, told: Set[str], soon: Set[str], vouched: bool
) -> Objection | None:
    """What of *unclaimed*, the rows that no ledger owns and nobody adopts, may be the video of *case*.

    A row that repeats the whole prompt of another submit of ours in its time (*told*), and no part of this one's, is
    that one's. *soon* are rows of the time of submits that are under way. *vouched*: a video of ours shows how this
    list repeats a wish. Only then is a row of another time and another wish another's: for our clock may have been
    wrong, but hardly that and the list's way with prompts at once.
    """
    prompt = case.doubt.wish.prompt
    others = [row for row in unclaimed if row.video_id not in told or prompt_fit(row.prompt, prompt) is not Fit.NO]
    timely = [row for row in others if row.video_id in case.fits]
    near = [row for row in timely if row.prompt and case.fits[row.video_id] is Fit.NEAR]
    alike = [row for row in others if fit_of(row, case.doubt) is not Fit.NO]
    ours = [row for row in alike if row.prompt]
    for rows, words in (
        (near, "has its prompt and time, or their beginning, and yet something else is not its own"),
        (timely, "may be it: made in its time, and no run here knows whose that is"),
        (ours, "has its prompt, but seems to be of another time"),
        (alike, "may be it, though it seems to be of another time"),
        ([] if vouched else others, "may be it: no video of ours shows how this list repeats a wish"),
    ):
        if rows:
            ids = sorted(row.video_id for row in rows)
            return Objection(reason=f"{listing(ids)} {words}", passing=soon >= {*ids})
    return None


def unlisted(doubt: Doubt, shown: Set[str]) -> str:
    """Why the list may not show such a video at all; empty where it does: *shown* are the links of what it has."""
    if not doubt.wish.link or doubt.wish.link in shown:
        return ""
    return f"no {doubt.wish.link} of ours shows that the list has such videos, so that it does not show it is no proof"


def forgotten(doubt: Doubt, reading: Reading, retention_s: float) -> str:
    """Why the list may show it no more; empty where it must."""
    age_s = (reading.began_at - doubt.began_at).total_seconds()
    if age_s >= retention_s:
        return "it is older than the provider keeps its videos, so that the list does not show it is no proof"
    return "our clock was set back since, so that the list does not show it is no proof" if age_s < 0.0 else ""
