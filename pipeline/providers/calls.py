"""A call as a profile has it: its path, its query, its headers."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from pipeline.profile import Profile
from pipeline.providers.base import Request


def path_of(call: str, profile: Profile, video_id: str = "") -> str:
    """The path of a call, with the id as one segment, whatever it holds."""
    return profile.wire.paths[call].replace("{id}", _segment(video_id))


def get(call: str, profile: Profile, video_id: str = "", query: Mapping[str, str] | None = None) -> Request:
    """A GET as the profile has it."""
    return Request(
        method="GET",
        path=path_of(call, profile, video_id),
        query={**profile.wire.queries.get(call, {}), **(query or {})},
        headers=profile.wire.headers.get(call, {}),
    )


def _segment(video_id: str) -> str:
    segment = quote(video_id, safe="", errors="surrogatepass")
    return segment if segment.strip(".") else segment.replace(".", "%2E")  # `..` would climb
