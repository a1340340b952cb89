"""A stored video comes into a dataset: linked where that was asked for and can be, else copied; never spoilt."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path, PurePosixPath

from pipeline.disk import words_of
from pipeline.errors import ArtifactError
from pipeline.storage import is_intact, is_unchanged
from pipeline.text import listing, plain, plural
from pipeline.views.dataset.draft import Draft
from pipeline.views.rows import Row

_BLOCK = 2**20


class Link(StrEnum):
    """How a video gets into a folder."""

    HARD = "hard"  # the same bytes on disk under a second name; a copy where the file system has no such thing
    COPY = "copy"
    SYMLINK = "symlink"  # relative, so that run and dataset can be moved together


class Spoilt(ArtifactError):
    """A stored video is not what was stored; nothing was exported."""

    def __init__(self, paths: Iterable[str], why: str) -> None:
        names = [plain(path) for path in paths]
        are = "is" if len(names) == 1 else "are"
        super().__init__(
            f"{plural(len(names), 'stored video')} {are} {why}: {listing(names)}; nothing was exported. "
            "`vidbatch verify` finds all such videos, and the next run fetches what is gone or has another length, "
            "where it still can; leave out the others with --where id!=ID"
        )


def check_there(run: Path, rows: Iterable[Row]) -> None:
    """Whether the videos of *rows* are in the folder *run*, each with its length. Raises `Spoilt`, which names all."""
    rows = list(rows)
    if strays := [row.path for row in rows if ".." in PurePosixPath(row.path).parts]:
        raise Spoilt(strays, "outside of the run folder")
    gone = [row.path for row in rows if not is_intact(run / row.path, row.bytes or 0)]
    if gone:
        raise Spoilt(gone, "gone or of another length")


def blocks_of(run: Path, row: Row) -> Iterator[bytes]:
    """The bytes of a video, in blocks. Raises `Spoilt` at their end where they are not those that were stored."""
    digest = hashlib.sha256()
    try:
        with (run / row.path).open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                yield block
    except OSError as error:
        raise Spoilt([row.path], f"not to be read ({words_of(error)})") from error
    if digest.hexdigest() != row.sha256:
        raise Spoilt([row.path], "not what was stored (another SHA-256)")


def bring(draft: Draft, name: str, run: Path, row: Row, link: Link, *, check: bool) -> Link:
    """Make the video of *row* the file *name* of *draft*, and tell how. With *check*, links are hashed as copies are.

    Raises `Spoilt`.
    """
    source = run / row.path
    if link is not Link.COPY and check and not is_unchanged(source, row.bytes or 0, row.sha256):
        raise Spoilt([row.path], "not what was stored (another SHA-256)")
    if link is Link.SYMLINK:
        place = draft.place(name)
        home = os.path.realpath(place.parent)  # the draft is as deep as the folder that it will be
        place.symlink_to(os.path.relpath(os.path.realpath(source), home))
        return Link.SYMLINK
    if link is Link.HARD and _linked(source, draft.place(name)):
        return Link.HARD
    draft.write(name, blocks_of(run, row))
    return Link.COPY


def _linked(source: Path, place: Path) -> bool:
    """Whether *place* is now another name of *source*: across file systems, and on some, there is no such thing."""
    try:
        os.link(os.path.realpath(source), place)
    except OSError:
        return False
    return True
