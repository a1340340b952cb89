"""How a video file begins."""

from __future__ import annotations

FIRST_BOXES = frozenset({b"ftyp", b"styp"})


def looks_like_mp4(head: bytes) -> bool:
    """Whether the first bytes of a file are those of an MP4 (8 at least; ISO/IEC 14496-12 §4.3)."""
    return len(head) >= 8 and head[4:8] in FIRST_BOXES
