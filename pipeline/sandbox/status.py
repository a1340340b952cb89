"""How a video stands: a pure function of its order, the settings, its fate and the time. Nothing ticks here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Mapping, Sequence
from typing import Final

from pipeline.model import JSON, Link
from pipeline.sandbox.faults import BEHAVE, FAILURES
from pipeline.sandbox.order import Order
from pipeline.sandbox.refusal import too_many
from pipeline.sandbox.settings import Settings

_QUEUED_PART: Final = 0.1
"""Of the render time, spent in the queue."""
_QUEUED_S_MAX: Final = 1.0
_RATE_WINDOW_S: Final = 60.0

_HEX: Final = re.compile("[0-9a-f]{8}")

ODD: Final = "odd_status"
ODD_STATUS: Final = "warming_up"
"""A word that no description of the API knows."""
CANCELLED: Final = "cancelled"
"""The fate, and the status, of a video that was ended at its buyer's wish."""
_STUCK_AT: Final = 99

_END: Final[Mapping[str, tuple[str, int]]] = {
    **dict.fromkeys(FAILURES, ("failed", 0)),
    "stuck": ("in_progress", _STUCK_AT),
    "expired": ("expired", 100),
}
"""By fate: how a video stands once its time to render is over."""
_ERRORS: Final[Mapping[str, JSON]] = {
    "failed_null": None,
    "failed_text": "The video could not be generated.",
    "failed_object": {"code": "video_generation_failed", "message": "The video could not be generated."},
    "moderated": {"code": "moderation_blocked", "message": "Your request was blocked by our moderation system."},
}


def render_s(order: Order, settings: Settings) -> float:
    """How long this video takes."""
    low, high = settings.render_s
    if low == high:
        return low
    return low + (high - low) * _share(order.id)


def _share(video_id: str) -> float:
    """A number from 0 to 1 that follows from an id."""
    tail = video_id[-8:] if _HEX.fullmatch(video_id[-8:]) else hashlib.sha256(video_id.encode()).hexdigest()[:8]
    return int(tail, 16) / 0xFFFFFFFF


def is_over(order: Order, settings: Settings, now: float) -> bool:
    """Whether its time to render is over."""
    return now >= order.at + render_s(order, settings)


def is_completed(order: Order, settings: Settings, now: float, fate: str = BEHAVE) -> bool:
    """Whether the film is there, or was."""
    return _status(order, settings, now, fate)[0] == "completed"


def is_gone(order: Order, settings: Settings, now: float) -> bool:
    """Whether its film was kept as long as promised, and is no more."""
    return now >= order.at + render_s(order, settings) + settings.retention_s


def video(order: Order, settings: Settings, now: float, fate: str = BEHAVE) -> dict[str, JSON]:
    """The video object as the API answers it. A completed one stays completed when its film is gone."""
    fields = order.fields
    status, progress = _status(order, settings, now, fate)
    created_at = order.at + settings.clock_skew_s
    completed_at = created_at + render_s(order, settings)
    done = status == "completed"
    return {
        "id": order.id,
        "object": "video",
        "model": fields["model"],
        "status": status,
        "progress": progress,
        "created_at": int(created_at),
        "completed_at": int(completed_at) if done else None,
        "expires_at": int(completed_at + settings.retention_s) if done else None,
        "prompt": fields["prompt"],
        "size": fields["size"],
        "seconds": order.seconds,
        "remixed_from_video_id": order.source.video_id if order.source and order.source.link is Link.REMIX else None,
        "error": _ERRORS.get(fate) if status == "failed" else None,
    }


def is_listed(order: Order, settings: Settings, now: float) -> bool:
    """Whether the list knows of it yet."""
    return now >= order.at + settings.list_lag_s


def _status(order: Order, settings: Settings, now: float, fate: str) -> tuple[str, int]:
    whole_s = render_s(order, settings)
    if fate == CANCELLED:
        return CANCELLED, 0
    if is_over(order, settings, now):
        return _END.get(fate, ("completed", 100))
    queued_s = min(whole_s * _QUEUED_PART, _QUEUED_S_MAX)
    rendered_s = now - order.at - queued_s
    status, progress = "queued", 0
    if rendered_s >= 0:
        status, progress = "in_progress", min(int(100 * rendered_s / (whole_s - queued_s)), _STUCK_AT)
    return (ODD_STATUS if fate == ODD else status), progress


def check_limits(orders: Sequence[Order], settings: Settings, now: float, ended: Container[str] = ()) -> None:
    """Whether one more create is let in after *orders*, oldest first; *ended* are the ids of those that were cancelled.

    Raises `Refused` (429) where it is not.
    """
    if settings.rate_per_minute and len(orders) >= settings.rate_per_minute:
        free_at = orders[-settings.rate_per_minute].at + _RATE_WINDOW_S
        if now < free_at:
            raise too_many(f"Rate limit reached: {settings.rate_per_minute} videos per minute.", wait_s=free_at - now)
    if settings.in_flight_max:
        ends = [end for order, end in _ends_in_flight(orders, settings, now) if order.id not in ended]
        if len(ends) >= settings.in_flight_max:
            free_at = sorted(ends)[-settings.in_flight_max]
            raise too_many(f"Too many running tasks: {settings.in_flight_max} at once.", wait_s=free_at - now)


def _ends_in_flight(orders: Sequence[Order], settings: Settings, now: float) -> list[tuple[Order, float]]:
    """When each video that is being rendered will be done."""
    ends = []
    for order in reversed(orders):
        if order.at + settings.render_s[1] <= now:
            break  # orders stand in the order of their times: all before this one are done
        end = order.at + render_s(order, settings)
        if end > now:
            ends.append((order, end))
    return ends
