"""Finding what a profile points at in a reply: `data.url`, `unsigned_urls.0`.

A text that is a document itself is gone into like any other: some servers wrap the video as JSON in a string.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.model import JSON
from pipeline.providers.replies import document, mapping, text
from pipeline.wire import Wire


def at(raw: JSON | Mapping[str, JSON], path: str) -> JSON:
    """What stands at *path*; `None` where nothing does."""
    found: JSON | Mapping[str, JSON] = raw
    for step in path.split("."):
        if isinstance(found, str):
            found = document(_bytes(found))
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return dict(found) if isinstance(found, Mapping) else found


def first(raw: JSON | Mapping[str, JSON], paths: Iterable[str]) -> JSON:
    """The first that is there; `None` where none is."""
    return next((found for path in paths if (found := at(raw, path)) is not None), None)


def first_text(raw: JSON | Mapping[str, JSON], paths: Iterable[str]) -> str:
    """The first that is a text or a number and not empty; else empty."""
    return next((found for path in paths if (found := text(at(raw, path)))), "")


def video_in(raw: Mapping[str, JSON], wire: Wire) -> Mapping[str, JSON]:
    """The video object in a reply, where it is wrapped; else the reply itself."""
    inner = first(raw, wire.answers["video"])
    if isinstance(inner, str):
        return mapping(_bytes(inner)) or raw
    return inner if isinstance(inner, Mapping) else raw


def _bytes(told: str) -> bytes:
    return told.encode("utf-8", "surrogatepass")
