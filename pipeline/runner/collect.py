"""The collect lane: finished videos come home, the one that expires first goes first.

Nothing pauses this lane but the provider's own word, and its breaker where nobody answers; a video about to expire is
asked for once more even then. A video is tried for until its time is up, by the monotonic clock from when this run
first wanted it.
"""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass, field

import anyio
import anyio.to_thread

from pipeline.errors import ArtifactError, NotAVideo, ProviderError, Truncated
from pipeline.ledger.deviation import deviating
from pipeline.lifecycle import Fact
from pipeline.policy.collect import LAST_TRY_S, Fetches, NoVideo, after_fetch, fetching_s
from pipeline.policy.verdict import Verdict
from pipeline.progress import Kind
from pipeline.runner.board import Board, Wanted
from pipeline.runner.fetch import NotServed, fetch
from pipeline.runner.foresight import Foresight
from pipeline.runner.lanes import FOREVER
from pipeline.runner.part import Part
from pipeline.runner.sidecar import metadata_row, sidecar
from pipeline.runner.wording import gone_words
from pipeline.storage import Artifact


@dataclass(slots=True, kw_only=True)
class _Errand:
    """What this run has been through for one video."""

    expires: float
    """When the provider drops it, as a UNIX time: the order among those that wait."""
    until_s: float
    """When its time is up, by the monotonic clock."""
    fetches: Fetches = field(default_factory=Fetches)


class CollectLane:
    """Fetches what is finished until nothing more can come."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._temper = board.tempers["collect"]
        self._foresight = Foresight(board)
        self._errands: dict[str, _Errand] = {}
        self._told_of_disk = False

    async def run(self) -> None:
        board = self._board
        async with anyio.create_task_group() as downloads:
            while not board.collect_over:
                now_s = anyio.current_time()
                self._foresight.look(now_s)
                free = board.fetching.value < board.limits.downloads
                wanted = board.backlog.take(now_s) if free and now_s >= self._ready_s(now_s) else None
                if wanted is not None:
                    self._temper.begin()
                    board.fetching.begin()
                    downloads.start_soon(self._collect, wanted)
                else:
                    next_s = max(board.backlog.next_s(), self._ready_s(now_s)) if free else FOREVER
                    await board.bell.wait(min(next_s, self._foresight.again_s))

    def _ready_s(self, now_s: float) -> float:
        """When the next may go: the lane has its pauses, but not past the last moments of what is about to expire."""
        left_s = self._board.backlog.first_rank(now_s) - self._board.now().timestamp()
        last_s = now_s + left_s - LAST_TRY_S if left_s > 0.0 else FOREVER
        return min(self._temper.ready_s, last_s)

    async def _collect(self, wanted: Wanted) -> None:
        board, job = self._board, self._board.job(wanted.key)
        part = Part(board.folder, job.path, wanted.video_id, without_key=board.transport.without_key)
        with board.fetching:
            errand = self._errands.pop(wanted.key, None) or self._new_errand(wanted.key)
            with closing(part):
                try:
                    outcome = await self._bring(wanted, part)
                except OSError as error:  # our disk's: the transport has words of its own for what a network does
                    error.filename = error.filename or str(part.file)
                    outcome = error
            if outcome is not None:
                await self._settle(wanted, errand, part, outcome)

    def _new_errand(self, key: str) -> _Errand:
        expires, now = self._board.expires(key), self._board.now().timestamp()
        return _Errand(expires=expires, until_s=anyio.current_time() + fetching_s(expires - now))

    async def _bring(self, wanted: Wanted, part: Part) -> NoVideo | None:
        """Fetch a video and keep it; what came in its place. Raises the `OSError` of a disk."""
        adopted = await anyio.to_thread.run_sync(part.adopt, wanted.key) if part.has_sidecar else None
        if adopted is not None:
            self._stored(wanted.key, adopted, "")
            return None
        folder, target = self._board.folder, self._board.folder.video(self._board.job(wanted.key).path)
        if not folder.has_room_for(target):
            await anyio.to_thread.run_sync(folder.make_room_for, target)
        try:
            expected, etag = await fetch(self._board, wanted, part)
            return await self._keep(wanted.key, part, expected, etag)
        except NotServed as answer:
            return answer.refusal
        except NotAVideo as error:
            return self._sampled(part, error)
        except (ProviderError, Truncated) as error:
            return error

    async def _keep(self, key: str, part: Part, expected: int | None, etag: str) -> ArtifactError | None:
        board = self._board
        try:
            with anyio.CancelScope(shield=True):  # what is here whole is not thrown away
                artifact = await anyio.to_thread.run_sync(
                    part.finish, expected, lambda artifact: sidecar(board.job(key), artifact, board.ledger.state)
                )
        except Truncated as error:
            if expected is None:
                part.discard()
            return error
        self._stored(key, artifact, etag)
        return None

    def _sampled(self, part: Part, error: NotAVideo) -> NotAVideo:
        """Throw away what came, but for its start."""
        kept = part.keep_sample()
        part.discard()
        where = part.sample.relative_to(self._board.folder.path).as_posix()
        return NotAVideo(f"{error}; its start is kept in {where}") if kept else error

    def _stored(self, key: str, artifact: Artifact, etag: str) -> None:
        """Write down that it is here. The next commit, at most a second away, makes that durable too: nothing acts
        upon it, and after a crash before that the next run adopts the file.
        """
        board, media = self._board, artifact.media
        board.record(
            Fact.STORED,
            key,
            path=artifact.path,
            bytes=artifact.bytes,
            sha256=artifact.sha256,
            etag=etag or None,
            seconds=media.seconds,
            size=f"{media.width}x{media.height}",
        )
        self._foresight.came()
        board.new_rows.append(metadata_row(board.job(key)))
        for words in deviating([board.job(key)], board.ledger.state):
            board.notice("collect", f"{board.job(key).id}: not as it was asked for: {words}")

    async def _settle(self, wanted: Wanted, errand: _Errand, part: Part, outcome: NoVideo) -> None:
        """Write down that the video did not come, and when to try again."""
        board, now_s = self._board, anyio.current_time()
        left_s, spread = errand.until_s - now_s, board.chance.random()
        verdict = after_fetch(
            outcome,
            errand.fetches,
            left_s=left_s,
            kept_s=errand.expires - board.now().timestamp(),
            backoff=board.patience.fetch,
            now=board.now(),
            spread=spread,
        )
        errand.fetches = errand.fetches.after(outcome)
        if verdict.fact is not None:
            await self._give_up(wanted.key, part, verdict)
        elif verdict.again_s is not None:
            self._errands[wanted.key] = errand
            board.backlog.add(wanted, from_s=now_s + verdict.again_s, rank=errand.expires)
            board.bell.ring()
        if isinstance(outcome, OSError) and not self._told_of_disk:
            self._told_of_disk = True
            message = f"the disk fails: {verdict.reason}; make room: it is tried again while time is left"
            board.notice("collect", message, urgent=True, kind=Kind.DISK)
        self._temper.heed(outcome, verdict)

    async def _give_up(self, key: str, part: Part, verdict: Verdict) -> None:
        board, job = self._board, self._board.job(key)
        assert verdict.fact is not None
        if verdict.fact is Fact.EXPIRED:
            words = gone_words(board, key, verdict.fact, verdict.reason)
            with suppress(OSError):  # a part that stays is not another video's: it says whose it is
                part.discard()
        else:
            words = f"{job.id}: its download failed; a later run fetches it again while it is kept: {verdict.reason}"
        board.record(verdict.fact, key, reason=verdict.reason)
        await board.ledger.commit()
        board.notice("collect", words, urgent=True)
