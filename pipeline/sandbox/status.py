"""How a video stands: a pure function of its order, the settings and the time. Nothing ticks, nothing is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pipeline.model import JSON
from pipeline.sandbox.order import Order
from pipeline.sandbox.refusal import too_many
from pipeline.sandbox.settings import Settings

_QUEUED_PART: Final = 0.1
"""Of the render time, spent in the queue."""
_QUEUED_S_MAX: Final = 1.0
_RATE_WINDOW_S: Final = 60.0


def render_s(order: Order, settings: Settings) -> float:
    """How long this video takes."""
    low, high = settings.render_s
    if low == high:
        return low
    return low + (high - low) * int(order.id[-8:], 16) / 0xFFFFFFFF


def is_completed(order: Order, settings: Settings, now: float) -> bool:
    """Whether the film is there, or was."""
    return now >= order.at + render_s(order, settings)


def is_gone(order: Order, settings: Settings, now: float) -> bool:
    """Whether its film was kept as long as promised, and is no more."""
    return now >= order.at + render_s(order, settings) + settings.retention_s


def video(order: Order, settings: Settings, now: float) -> dict[str, JSON]:
    """The video object as the API answers it. A completed one stays completed when its film is gone."""
    fields = order.fields
    status, progress = _status(order, settings, now)
    completed_at = order.at + render_s(order, settings)
    done = status == "completed"
    return {
        "id": order.id,
        "object": "video",
        "model": fields["model"],
        "status": status,
        "progress": progress,
        "created_at": int(order.at),
        "completed_at": int(completed_at) if done else None,
        "expires_at": int(completed_at + settings.retention_s) if done else None,
        "prompt": fields["prompt"],
        "size": fields["size"],
        "seconds": fields["seconds"],
        "remixed_from_video_id": None,
        "error": None,
    }


def _status(order: Order, settings: Settings, now: float) -> tuple[str, int]:
    if is_completed(order, settings, now):
        return "completed", 100
    whole_s = render_s(order, settings)
    queued_s = min(whole_s * _QUEUED_PART, _QUEUED_S_MAX)
    rendered_s = now - order.at - queued_s
    if rendered_s < 0:
        return "queued", 0
    return "in_progress", min(int(100 * rendered_s / (whole_s - queued_s)), 99)


def check_limits(orders: Sequence[Order], settings: Settings, now: float) -> None:
    """Whether one more create is let in after *orders*, oldest first. Raises `Refused` (429) where it is not."""
    if settings.rate_per_minute and len(orders) >= settings.rate_per_minute:
        free_at = orders[-settings.rate_per_minute].at + _RATE_WINDOW_S
        if now < free_at:
            raise too_many(f"Rate limit reached: {settings.rate_per_minute} videos per minute.", wait_s=free_at - now)
    if settings.in_flight_max:
        ends = _ends_in_flight(orders, settings, now)
        if len(ends) >= settings.in_flight_max:
            free_at = sorted(ends)[-settings.in_flight_max]
            raise too_many(f"Too many running tasks: {settings.in_flight_max} at once.", wait_s=free_at - now)


def _ends_in_flight(orders: Sequence[Order], settings: Settings, now: float) -> list[float]:
    """When each video that is being rendered will be done."""
    ends = []
    for order in reversed(orders):
        if order.at + settings.render_s[1] <= now:
            break  # orders stand in the order of their times: all before this one are done
        end = order.at + render_s(order, settings)
        if end > now:
            ends.append(end)
    return ends
