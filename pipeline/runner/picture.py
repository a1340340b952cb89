"""The pictures beside a video: how one comes, where it is kept, and what the sidecar says of it."""

from __future__ import annotations

import hashlib
import os
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from pipeline.errors import OutcomeUnknown
from pipeline.ledger.state import JobState, Picture
from pipeline.naming import variant
from pipeline.policy.aftercare import PICTURE_BYTES_MAX, NoPicture, suffix_of
from pipeline.providers.base import Problem, Refusal
from pipeline.runner.beside import tell_picture
from pipeline.storage import RunFolder, is_intact

if TYPE_CHECKING:
    from pipeline.runner.board import Board
    from pipeline.transport import Incoming

PICTURE_S = 60.0
"""A picture has so long to come."""
_OF_A_LINK = (Problem.BAD_KEY, Problem.UNKNOWN_ID, Problem.GONE)


async def fetch_picture(board: Board, video_id: str, name: str) -> bytes | Refusal:
    """The bytes of a video's variant, or what was said in their place.

    Raises `ProviderError`, `Truncated`, `NoPicture`.
    """
    request = board.dialect.content(video_id, board.profile, name)
    with anyio.move_on_after(PICTURE_S):
        async with board.transport.fetch(request) as incoming:
            if incoming.status == 200:
                return await _whole(incoming)
            refusal = board.dialect.read_no_content(await incoming.reply(), board.profile)
            stale = incoming.away and refusal.problem in _OF_A_LINK
            return replace(refusal, problem=Problem.STALE_LINK) if stale else refusal
    raise OutcomeUnknown("not whole in time")


async def _whole(incoming: Incoming) -> bytes:
    content = bytearray()
    async with aclosing(incoming.blocks()) as blocks:
        async for block in blocks:
            content += block
            if len(content) > PICTURE_BYTES_MAX:
                raise NoPicture(f"more than {PICTURE_BYTES_MAX:,} bytes came")
    return bytes(content)


def keep_picture(folder: RunFolder, job: JobState, name: str, content: bytes) -> Picture:
    """Keep *content* beside the job's video, durably. Blocks.

    Raises `NoPicture` for what is none, and where another file has its name; and `OSError`.
    """
    path = variant(job.path, name, suffix_of(content))
    target = folder.video(path)
    picture = Picture(video_id=job.video_id, path=path, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    if not Path(os.path.realpath(target)).is_relative_to(os.path.realpath(folder.path)):
        raise NoPicture(f"videos/{path} leads out of the run folder")
    known = job.pictures.get(name)
    if target.exists() and _sha256(target) not in (picture.sha256, known.sha256 if known else ""):
        raise NoPicture(f"videos/{path} is another file already")
    folder.make_room_for(target)
    with folder.naming:
        folder.disk.write_whole(target, content)
    tell_picture(folder, job, name, picture)
    return picture


def is_here(folder: RunFolder, job: JobState, name: str) -> bool:
    """Whether the variant *name* of the job's video is kept, and still there."""
    picture = job.picture(name)
    return picture is not None and is_intact(folder.video(picture.path), picture.bytes)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
