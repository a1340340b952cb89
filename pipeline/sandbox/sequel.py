"""Videos made from videos: what a remix, an extension and an edit ask for, and whether their source can be had."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from pipeline.model import JSON, Link
from pipeline.sandbox import wish
from pipeline.sandbox.order import Order, Source
from pipeline.sandbox.refusal import Refused, invalid

_KEPT: Final[Mapping[Link, tuple[str, ...]]] = {
    Link.REMIX: ("model", "seconds", "size", "input_reference"),
    Link.EXTEND: ("model", "size", "input_reference"),
    Link.EDIT: ("model", "seconds", "size", "input_reference"),
}
"""What a video has from its source, and so nobody may ask for."""
_MADE: Final = {Link.REMIX: "remixed", Link.EXTEND: "extended", Link.EDIT: "edited"}


def source_id(fields: Mapping[str, JSON]) -> str:
    """Which video an extension or an edit asks for: `video.id`, or the part `video[id]`. Raises `Refused` (400)."""
    video = fields.get("video")
    named = video.get("id") if isinstance(video, dict) else fields.get("video[id]")
    if not isinstance(named, str) or not named:
        message = "Missing required parameter: 'video.id', the id of a completed video."
        raise invalid("video", message, "missing_required_parameter")
    return named


def read(fields: Mapping[str, JSON], source: Order, link: Link) -> tuple[dict[str, JSON], Source]:
    """What is asked for, accepted as a create would be, and how it builds on *source*. Raises `Refused` (400)."""
    if wrong := next((name for name in _KEPT[link] if name in fields), None):
        raise invalid(wrong, f"Unknown parameter: '{wrong}'. It is the source's.", "unknown_parameter")
    if link is Link.EXTEND and "seconds" not in fields:
        raise invalid("seconds", "Missing required parameter: 'seconds'.", "missing_required_parameter")
    own = {name: value for name, value in fields.items() if name not in ("video", "video[id]")}
    from_source = {"model": source.fields["model"], "size": source.fields["size"]}
    asked = wish.read({"seconds": source.seconds, **own, **from_source}, multipart=False)
    length = str(asked["seconds"])
    if link is Link.EXTEND:
        length = f"{float(length) + float(source.seconds):g}"
        if float(length) > wish.SECONDS_MAX:
            message = f"Invalid value: it would be {length} seconds long; {wish.SECONDS_MAX} is the most."
            raise invalid("seconds", message, "invalid_value")
    return asked, Source(video_id=source.id, link=link, seconds=length, wish=_digest(source))


def unfinished(video_id: str, link: Link) -> Refused:
    """There is nothing to build on yet, or nothing came of it."""
    return invalid("video_id", f"Video '{video_id}' is not completed, and only a completed video can be {_MADE[link]}.")


def _digest(order: Order) -> str:
    """Of all that the film of *order* comes from, and not of its id: the same wishes make the same films."""
    asked: list[JSON] = [dict(order.fields), order.lineage]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
