"""Submits of unknown outcome: whether a run settles them, and whether one may be sent again by leave to pay twice."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from pipeline.profile import Profile

AGAIN_MAX = 3
"""So often one job is submitted again: what is lost every time is lost for a reason, and one job must not use up what
was granted for all, nor, where it costs nothing, go on for ever.
"""


def settles(profile: Profile, ceiling: Decimal | None, *, repeats_keys: bool = True) -> bool:
    """Whether a run finds out by itself what became of such a submit, or may send it again.

    *ceiling* is what may be paid twice; `None`: nothing is sent again. *repeats_keys*: where they are honoured.
    """
    return profile.lists or (profile.honours_keys and repeats_keys) or ceiling is not None


def may_repeat(profile: Profile, *, linked: bool) -> bool:
    """Whether a repeated key makes no second video there; *linked*: of a submit that builds on another video."""
    return profile.honours_keys and (profile.honours_keys_linked or not linked)


class Held(StrEnum):
    """Why a job is not submitted again although there is leave to pay twice."""

    UNPRICED = "its price is not known"
    OVER_CEILING = "the ceiling would be passed"
    OFTEN = "it was submitted again often enough"


def why_held(price: Decimal | None, *, paid: Decimal | None, ceiling: Decimal, times: int) -> Held | None:
    """Why a job whose latest submit cost *price* is not submitted again; `None`: it may be.

    *paid* is what may have been paid twice before, *times* how often this job was submitted again.
    """
    if price is None or paid is None:
        return Held.UNPRICED
    if paid + price > ceiling:
        return Held.OVER_CEILING
    if times >= AGAIN_MAX:
        return Held.OFTEN
    return None
