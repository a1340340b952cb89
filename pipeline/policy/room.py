"""How much room the disk must have before another video is bought: what is bought must have a place to go."""

from __future__ import annotations

ROOM_BYTES_MIN = 256 << 20
"""Never less than that is left: others write to the same disk, and so does the rest of the run folder."""
VIDEO_BYTES_GUESS = 20_000_000
"""Of one video, before any is here: twelve seconds in full HD."""
SPARE = 3
"""So many times what is on its way must fit: the next ones may be larger than all before."""


def room_needed_bytes(coming: int, largest_bytes: int) -> int:
    """What must be free where *coming* videos are bought or about to be; *largest_bytes*: the largest so far, or 0."""
    return max(ROOM_BYTES_MIN, SPARE * coming * (largest_bytes or VIDEO_BYTES_GUESS))
