"""The aftercare lane: what a stored video still owes. Its pictures are fetched, then the provider may delete it.

Videos go first always: nothing is asked for while a finished one waits for its turn, and pictures have a line of their
own. Nothing here ends a job or stops a run; it can be left at any moment, since a later run takes up what is left.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

import anyio
import anyio.lowlevel
import anyio.to_thread

from pipeline.disk import words_of as disk_words
from pipeline.errors import ProviderError, Truncated
from pipeline.ledger.afterwards import deleted_note, picture_note
from pipeline.ledger.fields import DELETED, VARIANT
from pipeline.ledger.state import JobState
from pipeline.lifecycle import State
from pipeline.model import Manifest
from pipeline.outlook import Outlook
from pipeline.policy.aftercare import (
    After,
    NoAnswer,
    NoPicture,
    Owed,
    after_deletion,
    after_picture,
    owed,
    unknown_to_both,
)
from pipeline.policy.verdict import pause_after, throttled_s, words_of
from pipeline.progress import Deleted
from pipeline.providers.base import Problem, Refusal
from pipeline.runner.board import Board
from pipeline.runner.heirs import Heirs
from pipeline.runner.lanes import FOREVER, Agenda
from pipeline.runner.picture import fetch_picture, is_here, keep_picture
from pipeline.storage import RunFolder, is_unchanged
from pipeline.text import listing, plural

FAILURES_MAX = 5
WAIT_S_MAX = 60.0
"""When no video is waited for any more: after so many failures in a row, or for so long, nobody waits for this."""
_SPOILT = (
    "not deleted at the provider: the file here is not as it was stored. Move it away and run again, and it is fetched "
    "anew while it is kept there"
)

_BROKEN = "not deleted at the provider, since the file here is not sound"


@dataclass(slots=True, kw_only=True)
class _Errand:
    """One stored video, and how far we are with it."""

    key: str
    tries: int = 0
    """At what is asked for now."""
    without: set[str] = field(default_factory=set)
    """Variants that will not come in this run."""
    stays: bool = False
    """One of these may come in a later run, so the video is not deleted in this one."""


def owing(job: JobState, manifest: Manifest, folder: RunFolder, *, origin: str, now: datetime) -> Owed:
    """What a job still owes by its *manifest*, as the ledger and the disk have it."""
    return owed(
        job,
        manifest.aftercare,
        origin=origin,
        now=now,
        retention_s=manifest.profile.retention_s,
        has=lambda name: is_here(folder, job, name),
    )


class AftercareLane:
    """Looks after the stored videos that the manifest asks for, until no more can come."""

    def __init__(self, board: Board, outlook: Outlook) -> None:
        self._board = board
        self._manifest = manifest = outlook.manifest
        self._keys = [step.job.key for step in outlook.plan.steps]
        self._wanted = frozenset(self._keys)
        self._heirs = Heirs(
            manifest.jobs if manifest.aftercare.delete_remote else (), board.ledger.state.jobs, board.shared
        )
        self._errands: Agenda[_Errand] = Agenda()
        self._held: dict[str, _Errand] = {}
        """Not deleted while something builds on them."""
        self._unseen: dict[str, _Errand] = {}
        """Not deleted before the file here was examined."""
        self._failures = 0
        self._ready_s = float("-inf")
        self._told: dict[str, list[str]] = defaultdict(list)
        """What is to be said at the end, and of which jobs."""
        board.on_stored.append(self._stored)
        board.on_examined.append(self._examined)

    async def run(self) -> None:
        board = self._board
        for key in self._keys:
            if board.job(key).state is State.STORED:
                self._stored(key)
        while not self._is_over():
            now_s = anyio.current_time()
            ready_s = self._may_ask_s
            free = now_s >= ready_s and not board.backlog.due_count(now_s)
            errand = self._errands.take(now_s) if free else None
            if errand is not None:
                await self._attend(errand)
                await anyio.lowlevel.checkpoint()  # of most of what an earlier run stored, nothing is asked
            else:
                await board.bell.wait(ready_s if now_s < ready_s and len(self._errands) else FOREVER)
        self._say()

    @property
    def _may_ask_s(self) -> float:
        """Nothing is asked for before then: after a failure of ours, or of those who fetch videos."""
        return max(self._ready_s, self._board.tempers["collect"].ready_s)

    def _stored(self, key: str) -> None:
        """A video is here: it owes something, and what it was made from may be deleted now."""
        if key in self._wanted:
            self._add(_Errand(key=key))
        if held := self._held.pop(self._board.job(key).wish.source, None):
            self._add(held)

    def _examined(self, key: str) -> None:
        """A file is known to be sound, or not to be."""
        if errand := self._unseen.pop(key, None):
            self._add(errand)
            self._board.bell.ring()

    def _add(self, errand: _Errand) -> None:
        self._errands.add(errand, from_s=anyio.current_time(), rank=self._board.expires(errand.key))

    def _is_over(self) -> bool:
        """Whether nothing more is to be done in this run."""
        if not self._board.collect_over:
            return False
        wait_s = self._may_ask_s - anyio.current_time()
        if self._failures >= FAILURES_MAX or wait_s > WAIT_S_MAX:
            self._leave_the_rest()
            return True
        for key in [key for key in self._held if not self._heirs.need(self._board.job(key))]:
            self._add(self._held.pop(key))  # what builds on it has come to an end without a video
        return not len(self._errands) and not (self._unseen and self._board.examining)

    # --- one video

    async def _attend(self, errand: _Errand) -> None:
        """Ask for one thing that a video owes."""
        job = self._board.job(errand.key)
        try:
            due = self._owed(job)
            name = next((name for name in due.variants if name not in errand.without), "")
            if name:
                await self._picture(errand, job, name)
            elif due.deletion and not errand.stays:
                await self._deletion(errand, job)
        except OSError as error:  # our disk's: the transport has words of its own for what a network does
            self._tell(job, f"the disk fails ({disk_words(error)}): a later run looks after it")

    def _owed(self, job: JobState) -> Owed:
        board = self._board
        return owing(job, self._manifest, board.folder, origin=board.origin, now=board.now())

    async def _picture(self, errand: _Errand, job: JobState, name: str) -> None:
        outcome = await self._brought(job, name)
        if outcome is None:
            self._failures, errand.tries = 0, 0
            self._add(errand)
            return
        after = after_picture(outcome, errand.tries + 1)
        if self._goes_on(errand, outcome, after):
            return
        errand.without.add(name)
        errand.stays = errand.stays or after is After.LATER
        then = "the provider does not have it" if after is After.NEVER else "a later run asks again while it is kept"
        self._tell(job, f"no {name} came ({words_of(outcome)}): {then}")
        self._add(errand)

    async def _brought(self, job: JobState, name: str) -> NoAnswer | None:
        """Fetch a picture and keep it; what came in its place. Raises the `OSError` of a disk."""
        board = self._board
        try:
            content = await fetch_picture(board, job.video_id, name)
            if isinstance(content, Refusal):
                return content
            with anyio.CancelScope(shield=True):
                picture = await anyio.to_thread.run_sync(keep_picture, board.folder, job, name, content)
        except (ProviderError, Truncated, NoPicture) as error:
            return error
        board.ledger.note(VARIANT, picture_note(job.key, name, picture))
        return None

    async def _deletion(self, errand: _Errand, job: JobState) -> None:
        """Ask the provider to delete a video that is here for certain: durable in the ledger, and whole on disk."""
        board = self._board
        if self._heirs.need(job):
            self._held[job.key] = errand
            return
        if board.examines and job.media is None:
            self._unseen[job.key] = errand
            return
        if job.media is not None and not job.media.decodes:
            self._tell(job, f"{_BROKEN}: {'; '.join(job.media.problems)}")
            return
        await board.ledger.commit()
        if job.state is not State.STORED or not await self._is_unchanged(job):
            self._tell(job, _SPOILT)
            return
        outcome = await self._deleted(job.video_id)
        after = after_deletion(outcome, errand.tries + 1)
        if outcome is None or after is After.DONE:
            board.ledger.note(DELETED, deleted_note(job))
            await board.ledger.commit()
            board.observer(Deleted(id=job.id, key=job.key, video_id=job.video_id or ""))
            self._failures = 0
        elif not self._goes_on(errand, outcome, after):
            self._tell(job, f"not deleted at the provider ({words_of(outcome)})")

    async def _is_unchanged(self, job: JobState) -> bool:
        file = self._board.folder.video(job.path)
        return await anyio.to_thread.run_sync(is_unchanged, file, job.bytes or 0, job.sha256)

    async def _deleted(self, video_id: str) -> NoAnswer | None:
        """Have a video deleted; what was answered otherwise. `None`: it is not there any more."""
        board = self._board
        dialect, profile = board.dialect, board.profile
        try:
            refusal = dialect.read_delete(await board.transport.look(dialect.delete(video_id, profile)), profile)
            if refusal is None or refusal.problem is not Problem.UNKNOWN_ID:
                return refusal
            seen = dialect.read_look(await board.transport.look(dialect.look(video_id, profile)), profile, video_id)
        except ProviderError as error:
            return error
        return unknown_to_both(refusal, seen)

    def _goes_on(self, errand: _Errand, outcome: NoAnswer, after: After) -> bool:
        """Take note of a failure; whether the same is asked for once more in this run."""
        board = self._board
        if after is After.NEVER:
            self._failures = 0
        else:
            self._failures += 1
            self._ready_s = anyio.current_time() + self._pause_s(outcome)
        errand.tries = errand.tries + 1 if after is After.AGAIN else 0
        if after is After.AGAIN:
            self._add(errand)
        board.bell.ring()
        return after is After.AGAIN

    def _pause_s(self, outcome: NoAnswer) -> float:
        board, spread = self._board, self._board.chance.random()
        if isinstance(outcome, Refusal) and outcome.problem is Problem.THROTTLED:
            return throttled_s(outcome, self._failures, backoff=board.patience.fetch, now=board.now(), spread=spread)
        return pause_after(board.patience.fetch, self._failures, spread)

    # --- the end

    def _leave_the_rest(self) -> None:
        for errand in self._errands.take_all(FOREVER):
            self._tell(self._board.job(errand.key), "left to a later run, since nobody answers")

    def _tell(self, job: JobState, words: str) -> None:
        self._told[words].append(job.id)

    def _say(self) -> None:
        """Once, at the end, what did not come and what was not done."""
        for key in self._held:
            self._tell(self._board.job(key), "not deleted at the provider yet: something builds on it")
        for key in self._unseen:
            self._tell(self._board.job(key), "not deleted at the provider yet: the file here was not examined")
        for words, ids in self._told.items():
            message = f"{plural(len(ids), 'video')}, {listing(ids)}: {words}"
            self._board.notice("aftercare", message, urgent=words == _SPOILT)
