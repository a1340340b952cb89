"""The image that a submit sends along, from where the run folder keeps it."""

from __future__ import annotations

import anyio.to_thread

from pipeline.model import Reference
from pipeline.runner.board import Board


async def image_of(board: Board, reference: Reference | None, size: str) -> bytes:
    """The bytes that a job of that *size* sends; empty where it has no image.

    Raises `OSError`, `ReferenceLost` or `MissingExtra` where they cannot be had as the manifest's reader found them.
    """
    if reference is None:
        return b""
    return await anyio.to_thread.run_sync(board.folder.reference, reference, size)
