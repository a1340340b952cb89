"""The collect lane: finished videos come home, the one that expires first goes first.

Nothing pauses this lane but the provider's own word. A video is tried for until its time is up, by the monotonic
clock from when this run first wanted it.
"""

from __future__ import annotations

import re
from contextlib import aclosing, closing, suppress
from dataclasses import dataclass, field

import anyio
import anyio.to_thread

from pipeline.errors import ArtifactError, NotAVideo, OutcomeUnknown, ProviderError, Truncated
from pipeline.ledger.state import JobState
from pipeline.lifecycle import Fact
from pipeline.policy.collect import Fetches, NoVideo, after_fetch, fetching_s
from pipeline.policy.verdict import Verdict
from pipeline.progress import Received
from pipeline.providers.base import Refusal, Request
from pipeline.runner.board import Board, Wanted
from pipeline.runner.lanes import FOREVER
from pipeline.runner.part import Held, Part
from pipeline.runner.sidecar import difference, metadata_row, sidecar
from pipeline.storage import Artifact
from pipeline.transport import Incoming

_SPAN = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)
_NO_SPAN = re.compile(r"bytes \*/(\d{1,18})", re.ASCII)
WHOLE_S = 1800.0
"""A download that is not over by then is cut and taken up again."""


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
        self._errands: dict[str, _Errand] = {}
        self._paused_until_s = float("-inf")
        self._told_of_disk = False

    async def run(self) -> None:
        board = self._board
        async with anyio.create_task_group() as downloads:
            while not board.collect_over:
                now_s = anyio.current_time()
                free = board.fetching.value < board.limits.downloads
                wanted = board.backlog.take(now_s) if free and now_s >= self._paused_until_s else None
                if wanted is not None:
                    board.fetching.begin()
                    downloads.start_soon(self._collect, wanted)
                else:
                    await board.bell.wait(max(board.backlog.next_s(), self._paused_until_s) if free else FOREVER)

    async def _collect(self, wanted: Wanted) -> None:
        board, job = self._board, self._board.job(wanted.key)
        part = Part(board.folder, job.path, wanted.video_id)
        with board.fetching:
            errand = self._errands.pop(wanted.key, None) or self._new_errand(job)
            with closing(part):
                try:
                    outcome = await self._bring(wanted, part)
                except OSError as error:  # our disk's: the transport has words of its own for what a network does
                    error.filename = error.filename or str(part.file)
                    outcome = error
            if outcome is not None:
                await self._settle(wanted, errand, part, outcome)

    def _new_errand(self, job: JobState) -> _Errand:
        board, now = self._board, self._board.now()
        finished_at = job.finished_at or now
        expires = job.expires_at.timestamp() if job.expires_at else finished_at.timestamp() + board.profile.retention_s
        return _Errand(expires=expires, until_s=anyio.current_time() + fetching_s(expires - now.timestamp()))

    async def _bring(self, wanted: Wanted, part: Part) -> NoVideo | None:
        """Fetch a video and keep it; what came in its place. Raises the `OSError` of a disk."""
        adopted = await anyio.to_thread.run_sync(part.adopt, wanted.key) if part.has_sidecar else None
        if adopted is not None:
            self._stored(wanted.key, adopted, "")
            return None
        try:
            with anyio.fail_after(WHOLE_S):
                expected, etag = await self._fetch(wanted, part)
        except _NotServed as answer:
            return answer.refusal
        except (ProviderError, ArtifactError) as error:
            if not isinstance(error, ProviderError | Truncated):
                part.discard()
            return error
        except TimeoutError:
            return OutcomeUnknown(f"not whole after {WHOLE_S:.0f} s")
        return await self._keep(wanted.key, part, expected, etag)

    async def _fetch(self, wanted: Wanted, part: Part) -> tuple[int | None, str]:
        """Bring the bytes; returns how many there must be in all, and their ETag."""
        board = self._board
        request = board.dialect.content(wanted.video_id, board.profile)
        held = part.held()
        if held and held.whole:
            await anyio.to_thread.run_sync(part.resume, held)
            return held.total, held.etag
        async with board.transport.fetch(_from(request, held)) as incoming:
            expected = await self._begin(part, incoming, held)
            name = board.job(wanted.key).id
            if incoming.status != 416:
                async with aclosing(incoming.blocks()) as blocks:
                    async for block in blocks:
                        part.write(block)
                        board.observer(Received(id=name, bytes=len(block)))
            return expected, incoming.headers.get("etag", "")

    async def _begin(self, part: Part, incoming: Incoming, held: Held | None) -> int | None:
        """Take up the part or start it anew, as the answer says. Raises `_NotServed` for anything but a video."""
        if incoming.headers.get("content-encoding", "identity") != "identity":
            raise NotAVideo(f"it came encoded as {incoming.headers['content-encoding']!r}, unasked")
        if incoming.status == 200:
            part.begin(incoming.headers.get("etag", ""), incoming.length)
            return incoming.length
        if incoming.status in (206, 416):
            total = _total(incoming, held) if held else None
            if held is None or total is None:
                part.discard()
                raise OutcomeUnknown("the server cannot go on where the download broke off: starting anew")
            await anyio.to_thread.run_sync(part.resume, held)
            return total
        raise _NotServed(self._board.dialect.read_no_content(await incoming.reply(), self._board.profile))

    async def _keep(self, key: str, part: Part, expected: int | None, etag: str) -> ArtifactError | None:
        board = self._board
        try:
            with anyio.CancelScope(shield=True):  # what is here whole is not thrown away
                artifact = await anyio.to_thread.run_sync(
                    part.finish, expected, lambda artifact: sidecar(board.job(key), artifact, board.ledger.state)
                )
        except ArtifactError as error:
            if not isinstance(error, Truncated) or expected is None:
                part.discard()
            return error
        self._stored(key, artifact, etag)
        return None

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
        board.new_rows.append(metadata_row(board.job(key)))
        if other := difference(board.job(key).wish, media):
            board.notice("collect", f"{board.job(key).id}: not as it was asked for: {'; '.join(other.values())}")

    async def _settle(self, wanted: Wanted, errand: _Errand, part: Part, outcome: NoVideo) -> None:
        """Write down that the video did not come, and when to try again."""
        board, now_s = self._board, anyio.current_time()
        left_s, spread = errand.until_s - now_s, board.chance.random()
        verdict = after_fetch(
            outcome, errand.fetches, left_s=left_s, backoff=board.patience.fetch, now=board.now(), spread=spread
        )
        errand.fetches = errand.fetches.after(outcome)
        self._paused_until_s = max(self._paused_until_s, now_s + verdict.pause_s)
        if verdict.fact is not None:
            await self._give_up(wanted.key, part, verdict)
        elif verdict.again_s is not None:
            self._errands[wanted.key] = errand
            board.backlog.add(wanted, from_s=now_s + verdict.again_s, rank=errand.expires)
            board.bell.ring()
        if isinstance(outcome, OSError) and not self._told_of_disk:
            self._told_of_disk = True
            board.notice(
                "collect", f"the disk fails: {verdict.reason}; it is tried again while time is left", urgent=True
            )
        board.heed(verdict, "collect")

    async def _give_up(self, key: str, part: Part, verdict: Verdict) -> None:
        board, name = self._board, self._board.job(key).id
        assert verdict.fact is not None
        words = "its download failed"
        if verdict.fact is Fact.EXPIRED:
            words = "it expired"
            with suppress(OSError):  # a part that stays is not another video's: it says whose it is
                part.discard()
        board.record(verdict.fact, key, reason=verdict.reason)
        await board.ledger.commit()
        board.notice("collect", f"{name}: {words}: {verdict.reason}", urgent=True)


class _NotServed(Exception):
    """The answer to a download was no video."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def _total(incoming: Incoming, held: Held) -> int | None:
    """How many bytes there are in all, where this answer goes on with just what is *held*; else `None`."""
    said = incoming.headers.get("content-range", "")
    if incoming.status == 416:  # there is no more: what is held is all, if that is what it says
        whole = _NO_SPAN.fullmatch(said)
        return held.bytes if whole and int(whole[1]) == held.bytes else None
    span = _SPAN.fullmatch(said)
    if span is None or incoming.headers.get("etag") != held.etag:
        return None
    first, last, total = map(int, span.groups())
    goes_on = first == held.bytes and last == total - 1 and held.total in (None, total)
    return total if goes_on else None


def _from(request: Request, held: Held | None) -> Request:
    """*request*, for the rest only where some of it is here (RFC 9110 §13.1.5: If-Range with a strong validator)."""
    if held is None:
        return request
    headers = {**request.headers, "range": f"bytes={held.bytes}-", "if-range": held.etag}
    return Request(method=request.method, path=request.path, query=request.query, headers=headers)
