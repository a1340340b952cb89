"""How files begin: videos, and the pictures that go with them."""

from __future__ import annotations

FIRST_BOXES = frozenset({b"ftyp", b"styp"})

PICTURES: tuple[tuple[str, tuple[tuple[int, bytes], ...]], ...] = (
    (".png", ((0, b"\x89PNG\r\n\x1a\n"),)),
    (".jpg", ((0, b"\xff\xd8\xff"),)),
    (".webp", ((0, b"RIFF"), (8, b"WEBP"))),
    (".gif", ((0, b"GIF87a"),)),
    (".gif", ((0, b"GIF89a"),)),
)
"""By suffix: which bytes stand where."""


def looks_like_mp4(head: bytes) -> bool:
    """Whether the first bytes of a file are those of an MP4 (8 at least; ISO/IEC 14496-12 §4.3)."""
    return len(head) >= 8 and head[4:8] in FIRST_BOXES


def picture_suffix(content: bytes) -> str:
    """What a file that begins like this is called by, `.webp`; empty: it is no picture that we know."""
    fits = (suffix for suffix, marks in PICTURES if all(content.startswith(mark, at) for at, mark in marks))
    return next(fits, "")
