"""The examination lane: what is stored is decoded to its end, in a process of its own, and in nobody's way.

What it finds is a note in the ledger and stands in the sidecar; the video's bytes stay as they came. With
`--strict-media` a video that is not as asked for, or broken, has failed, and is put aside. Nobody waits for this lane
but the end of the run, and that not for long: what is left, a later run examines.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import anyio
import anyio.lowlevel
import anyio.to_thread

from pipeline.disk import words_of
from pipeline.ledger.afterwards import media_note
from pipeline.ledger.deviation import unfitness
from pipeline.ledger.fields import MEDIA
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.state import JobState
from pipeline.lifecycle import Fact, State
from pipeline.media.examiner import EXTRA, Examines, NoExaminer, NotExamined
from pipeline.media.poster import WIDTH_MAX
from pipeline.progress import Notice, Observer
from pipeline.runner.aside import not_put_aside
from pipeline.runner.beside import tell_media
from pipeline.runner.board import Board
from pipeline.runner.told import moved
from pipeline.storage import RunFolder, is_intact, is_unchanged
from pipeline.text import listing, plural

LANE = "media"
REST_S = 30.0
"""So long a run goes on for what is left of this when nothing else is; a strict one until all of it is done."""


class Record(Protocol):
    """How a fact is written down."""

    def __call__(self, fact: Fact, key: str, /, *, reason: str) -> None: ...


@dataclass(slots=True, kw_only=True)
class Examination:
    """The videos that are to be examined, and what becomes of each."""

    ledger: Ledger
    folder: RunFolder
    examiner: Examines
    strict: bool
    record: Record
    notice: Callable[..., None]
    waiting: deque[str] = field(default_factory=deque)
    """Their keys."""
    unsaid: dict[str, list[str]] = field(default_factory=dict)
    """The ids of those of which nothing can be said, by the reason."""
    pending_rows: Callable[[Collection[str]], None] = lambda _: None
    """Takes rows of `metadata.jsonl` back that are still to be written."""
    struck: set[str] = field(default_factory=set)
    """The paths of those whose rows are out of `metadata.jsonl`."""
    given_up: str = ""
    """Why no more is examined in this run."""

    def add(self, keys: Iterable[str]) -> None:
        """Of these jobs, what is stored and has something to be found out, or to be done about."""
        self.waiting.extend(key for key in keys if self._is_due(self.ledger.state.jobs[key]))

    async def examine_first(self) -> str:
        """Examine what has waited longest; its key. Raises `LedgerBroken`."""
        key = self.waiting[0]
        job = self.ledger.state.jobs[key]
        try:
            if job.state is State.STORED:
                await self._attend(job)
        except NotExamined as why:
            self.unsaid.setdefault(str(why), []).append(job.id)
        except OSError as error:
            self.unsaid.setdefault(f"the disk does not give it: {words_of(error)}", []).append(job.id)
        except NoExaminer as error:
            self.given_up = str(error)
            return key
        self.waiting.popleft()  # not before: whoever is cancelled has not examined it
        return key

    async def _attend(self, job: JobState) -> None:
        if job.media is None:
            await self._examine(job)
        if words := self._unfitness(job):
            await self._put_aside(job, "; ".join(words))

    def say_left(self) -> None:
        """What was not examined, once, at the end."""
        then = f": {self.given_up}" if self.given_up else "; a later run goes on with them"
        if self.waiting:
            self.notice(LANE, f"{plural(len(self.waiting), 'video')} not examined yet{then}", urgent=self.strict)
        for why, ids in self.unsaid.items():
            words = f"{plural(len(ids), 'video')}, {listing(ids)}: {why}; a later run asks again"
            self.notice(LANE, f"not examined: {words}", urgent=True)

    def _is_due(self, job: JobState) -> bool:
        return job.state is State.STORED and (job.media is None or bool(self._unfitness(job)))

    def _unfitness(self, job: JobState) -> tuple[str, ...]:
        """Why this run refuses it; empty: it does not."""
        return unfitness(job, self.ledger.state) if self.strict and job.state is State.STORED else ()

    async def _examine(self, job: JobState) -> None:
        video, sha256 = self.folder.video(job.path), job.sha256
        if not await anyio.to_thread.run_sync(is_intact, video, job.bytes or 0):
            return  # the next run notices that, and fetches it again
        found = await self.examiner.examine(video, WIDTH_MAX)
        if found.media.problems and not await anyio.to_thread.run_sync(is_unchanged, video, job.bytes or 0, sha256):
            raise NotExamined("it is not as it was stored")
        with anyio.CancelScope(shield=True):  # the note comes last: what a crash leaves before it is done once more
            await anyio.to_thread.run_sync(tell_media, self.folder, job, found.media)
            with suppress(OSError):  # the report makes its own
                if found.poster:
                    await anyio.to_thread.run_sync(self.folder.keep_poster, sha256, found.poster)
        if job.state is not State.STORED or job.sha256 != sha256:
            return
        self.ledger.note(MEDIA, media_note(job, found.media))
        if found.media.problems and not self._unfitness(job):
            self.notice(LANE, f"{job.id}: {'; '.join(found.media.problems)}", urgent=self.strict)

    async def _put_aside(self, job: JobState, reason: str) -> None:
        """It has failed: that is durable before its file goes, and no row names it by then."""
        self.record(Fact.UNFIT, job.key, reason=reason)
        await self.ledger.commit()
        try:
            with anyio.CancelScope(shield=True):
                await self._strike(job)
                kept = await anyio.to_thread.run_sync(self.folder.put_aside, job.path, job.sha256)
        except OSError as error:
            self.notice(LANE, f"{job.id}: {reason}; {not_put_aside(job, error)}", urgent=True)
            return
        where = kept.relative_to(self.folder.path).as_posix()
        self.notice(LANE, f"{job.id}: {reason}; put aside as {where}", urgent=True)

    async def _strike(self, job: JobState) -> None:
        """Take its row out of `metadata.jsonl`, and with it those of all that are known to go the same way: the file is
        written once for them. Where the disk refuses, the run's end writes it anew.
        """
        if job.path in self.struck:
            return
        known = (self.ledger.state.jobs[key] for key in self.waiting)
        paths = {job.path, *(other.path for other in known if other.media is not None and self._unfitness(other))}
        self.pending_rows(paths)
        with suppress(OSError):
            await anyio.to_thread.run_sync(self.folder.strike_metadata, paths)
        self.struck |= paths


class ExaminationLane:
    """Examines what an earlier run left of the manifest's videos, and whatever this one brings home."""

    def __init__(self, board: Board, examiner: Examines, keys: Iterable[str], *, strict: bool) -> None:
        self._board = board
        self._work = Examination(
            ledger=board.ledger,
            folder=board.folder,
            examiner=examiner,
            strict=strict,
            record=board.record,
            notice=board.notice,
            pending_rows=self._drop_rows,
        )
        self._work.add(keys)
        board.examines = board.examining = True
        board.on_stored.append(lambda key: self._work.add([key]))

    async def run(self) -> None:
        try:
            async with anyio.create_task_group() as group:
                if not self._work.strict:
                    group.start_soon(self._bound, group.cancel_scope)
                await self._examine_all()
                group.cancel_scope.cancel()
        finally:
            self._board.examining = False
            self._board.bell.ring()
        self._work.say_left()

    def _drop_rows(self, paths: Collection[str]) -> None:
        self._board.new_rows = [row for row in self._board.new_rows if row["file_name"] not in paths]

    async def _examine_all(self) -> None:
        board, work = self._board, self._work
        while not work.given_up and (work.waiting or not board.collect_over):
            if not work.waiting:
                await board.bell.wait()
                continue
            key = await work.examine_first()
            for told in board.on_examined:
                told(key)
            await anyio.lowlevel.checkpoint()

    async def _bound(self, scope: anyio.CancelScope) -> None:
        """Leave the rest to a later run, some time after everything else is over."""
        while not self._board.collect_over:
            await self._board.bell.wait()
        await anyio.sleep(REST_S)
        scope.cancel()


def say_missing_extra(board: Board) -> None:
    """Without its extra nothing is examined, which is said when there is something that would be, once."""

    def say(_: str) -> None:
        board.on_stored.remove(say)
        words = f"what is stored is not decoded: that needs the extra '{EXTRA}' (pip install 'vidbatch[{EXTRA}]')"
        board.notice(LANE, words)

    board.on_stored.append(say)


async def examine_rest(
    ledger: Ledger, folder: RunFolder, examiner: Examines, keys: Iterable[str], observer: Observer, *, strict: bool
) -> None:
    """The same of what is stored, where a run has nothing else to do. Raises `LedgerBroken`."""

    def record(fact: Fact, key: str, /, *, reason: str) -> None:
        job = ledger.state.jobs[key]
        was = job.state
        ledger.record(fact, key, reason=reason)
        observer(moved(job, was, ledger.state))

    def notice(lane: str, message: str, *, urgent: bool = False) -> None:
        observer(Notice(lane=lane, message=message, urgent=urgent))

    work = Examination(ledger=ledger, folder=folder, examiner=examiner, strict=strict, record=record, notice=notice)
    work.add(keys)
    if not work.waiting:
        return
    notice(LANE, f"examining {plural(len(work.waiting), 'stored video')}")
    with anyio.move_on_after(float("inf") if strict else REST_S):
        while work.waiting and not work.given_up:
            await work.examine_first()
    work.say_left()
    await ledger.commit()
