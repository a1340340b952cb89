"""Making the posters that a run's videos lack, in `report/posters/`: once for the same bytes, and kept.

They are drawn in processes of their own, since the bytes are a stranger's.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import anyio
import anyio.to_thread

from pipeline.disk import words_of
from pipeline.media.examiner import Examiner, NoExaminer, NoPoster, is_at_hand
from pipeline.storage import RunFolder
from pipeline.views.rows import VIDEOS, Row

FILE_S_MAX: Final = 20.0
"""For the beginning of one file, on a busy machine."""
_EACH: Final = 8
"""A further process pays where it draws so many; fewer are drawn before it has started."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
Told: TypeAlias = Callable[[int, int], object]
"""Hears how many were tried so far, and of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posters:
    """What came of it."""

    there: frozenset[str] = frozenset()
    """The digests of the videos that have one."""
    failed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By why there can be none, the ids of such videos' jobs."""
    left: int = 0
    """So many were not tried: the extra `media` is missing, the time was over, or they could not go on."""
    stopped: str = ""
    """Why they could not."""


def kept(folder: RunFolder, rows: Iterable[Row]) -> frozenset[str]:
    """The digests of the videos of *rows* that have a poster."""
    return frozenset(row.sha256 for row in rows if is_kept(folder, row.sha256))


def is_kept(folder: RunFolder, sha256: str) -> bool:
    """Whether the video of this digest has a poster."""
    return _SHA256.fullmatch(sha256) is not None and folder.has_poster(sha256)


async def make_posters(
    folder: RunFolder,
    rows: Iterable[Row],
    *,
    within_s: float = math.inf,
    told: Told = lambda tried, total: None,  # noqa: ARG005
) -> Posters:
    """Make what the videos of *rows* lack, on every core, for *within_s* seconds at most. Nothing fails by it."""
    rows = list(rows)
    there = kept(folder, rows)
    lacking = {row.sha256: row for row in rows if row.sha256 not in there and _SHA256.fullmatch(row.sha256)}
    if not lacking or not is_at_hand():
        return Posters(there=there, left=len(lacking))
    work = _Work(folder, list(lacking.values()), told)
    with anyio.move_on_after(within_s):
        await work.do(examiners=min(os.cpu_count() or 1, math.ceil(len(lacking) / _EACH)))
    left = len(lacking) - work.tried
    return Posters(there=there | work.made, failed=work.failed, left=left, stopped=work.stopped)


class _Work:
    """The examiners draw from one iterator of videos, so none of them waits for another."""

    def __init__(self, folder: RunFolder, rows: list[Row], told: Told) -> None:
        self.made: set[str] = set()
        self.failed: dict[str, list[str]] = {}
        self.tried = 0
        self.stopped = ""
        self._folder = folder
        self._waiting: Iterator[Row] = iter(rows)
        self._total = len(rows)
        self._told = told

    async def do(self, *, examiners: int) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(examiners):
                group.start_soon(self._draw)

    async def _draw(self) -> None:
        examiner = Examiner(limit_s=FILE_S_MAX)
        try:
            for row in self._waiting:
                await self._make(row, examiner)
                self.tried += 1
                self._told(self.tried, self._total)
        except NoExaminer as error:
            self.stopped = str(error)
        except OSError as error:  # the disk takes no more
            self.stopped = words_of(error)
        finally:
            await examiner.close()

    async def _make(self, row: Row, examiner: Examiner) -> None:
        try:
            picture = await examiner.poster(self._folder.video(row.path.removeprefix(f"{VIDEOS}/")))
        except (NoPoster, ValueError) as why:
            self.failed.setdefault(str(why), []).append(row.id)
            return
        await anyio.to_thread.run_sync(self._folder.keep_poster, row.sha256, picture)
        self.made.add(row.sha256)
