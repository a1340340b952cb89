"""The collect lane: finished videos come home, the one that expires first goes first. Nothing pauses this lane."""

from __future__ import annotations

import re
from contextlib import aclosing, closing

import anyio
import anyio.to_thread

from pipeline.errors import ArtifactError, OutcomeUnknown, ProviderError, Truncated
from pipeline.lifecycle import Fact
from pipeline.policy import Fetches, after_fetch
from pipeline.progress import Received
from pipeline.providers.base import Problem, Refusal, Request
from pipeline.runner.board import Board, Wanted
from pipeline.runner.lanes import FOREVER
from pipeline.runner.sidecar import metadata_row, sidecar
from pipeline.storage import Artifact, Part
from pipeline.transport import Incoming

_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
WHOLE_S = 1800.0
"""A download that is not over by then is cut and taken up again."""


class CollectLane:
    """Fetches what is finished until nothing more can come."""

    def __init__(self, board: Board) -> None:
        self._board = board

    async def run(self) -> None:
        board = self._board
        async with anyio.create_task_group() as downloads:
            while not board.collect_over:
                free = board.fetching.value < board.limits.downloads
                wanted = board.backlog.take(anyio.current_time()) if free else None
                if wanted is not None:
                    board.fetching.begin()
                    downloads.start_soon(self._collect, wanted)
                else:
                    await board.bell.wait(board.backlog.next_s() if free else FOREVER)

    async def _collect(self, wanted: Wanted) -> None:
        part = self._board.folder.part(self._board.job(wanted.key).path)
        with self._board.fetching, closing(part):
            try:
                with anyio.fail_after(WHOLE_S):
                    expected, etag = await self._fetch(wanted, part)
            except _NotServed as answer:
                await self._settle(wanted, answer.refusal)
            except (ProviderError, ArtifactError) as error:
                if not isinstance(error, ProviderError | Truncated):
                    part.discard()
                await self._settle(wanted, error)
            except TimeoutError:
                await self._settle(wanted, OutcomeUnknown(f"not whole after {WHOLE_S:.0f} s"))
            else:
                with anyio.CancelScope(shield=True):  # what is here whole is not thrown away
                    await self._keep(wanted, part, expected, etag)

    async def _fetch(self, wanted: Wanted, part: Part) -> tuple[int | None, str]:
        """Bring the bytes; returns how many there must be in all, and their ETag."""
        board = self._board
        request = board.dialect.content(wanted.video_id, board.profile)
        held = part.resumable()
        async with board.transport.fetch(_from(request, held)) as incoming:
            expected = await self._begin(part, incoming, held)
            name = board.job(wanted.key).id
            async with aclosing(incoming.blocks()) as blocks:
                async for block in blocks:
                    part.write(block)
                    board.observer(Received(id=name, bytes=len(block)))
            return expected, incoming.headers.get("etag", "")

    async def _begin(self, part: Part, incoming: Incoming, held: tuple[int, str] | None) -> int | None:
        """Take up the part or start it anew, as the answer says. Raises `_NotServed` for anything but a video."""
        if incoming.headers.get("content-encoding", "identity") != "identity":
            raise OutcomeUnknown(f"it came encoded as {incoming.headers['content-encoding']!r}, unasked")
        if incoming.status == 200:
            part.begin(incoming.headers.get("etag", ""))
            return incoming.length
        span = _CONTENT_RANGE.fullmatch(incoming.headers.get("content-range", ""))
        if incoming.status == 206 and held and span and int(span[1]) == held[0]:
            await anyio.to_thread.run_sync(part.resume)
            return int(span[2])
        if incoming.status in (206, 416):
            part.discard()
            raise OutcomeUnknown("the server cannot go on where the download broke off: starting anew")
        raise _NotServed(self._board.dialect.read_no_content(await incoming.reply(), self._board.profile))

    async def _keep(self, wanted: Wanted, part: Part, expected: int | None, etag: str) -> None:
        board, key = self._board, wanted.key
        try:
            artifact = await anyio.to_thread.run_sync(
                part.finish, expected, lambda artifact: sidecar(board.job(key), artifact, board.ledger.state)
            )
        except ArtifactError as error:
            if not isinstance(error, Truncated) or expected is None:
                part.discard()
            await self._settle(wanted, error)
            return
        self._record_stored(key, artifact, etag)  # the next commit, at most a second away, makes it durable too:
        # nothing acts upon it, and a crash before that only fetches the video again
        board.new_rows.append(metadata_row(board.job(key)))

    def _record_stored(self, key: str, artifact: Artifact, etag: str) -> None:
        media = artifact.media
        self._board.record(
            Fact.STORED,
            key,
            path=artifact.path,
            bytes=artifact.bytes,
            sha256=artifact.sha256,
            etag=etag or None,
            seconds=media.seconds,
            size=f"{media.width}x{media.height}",
        )

    async def _settle(self, wanted: Wanted, outcome: Refusal | ProviderError | ArtifactError) -> None:
        """Write down that the video did not come, and when to try again."""
        board = self._board
        fetches = Fetches(tries=wanted.tries, absent=wanted.absent)
        verdict = after_fetch(outcome, fetches, now=board.now(), spread=board.chance.random())
        wanted.tries += 1
        wanted.absent += isinstance(outcome, Refusal) and outcome.problem is Problem.UNKNOWN_ID
        if verdict.fact is not None:
            board.record(verdict.fact, wanted.key, reason=verdict.reason)
            await board.ledger.commit()
            words = "its download failed" if verdict.fact is Fact.DOWNLOAD_FAILED else "it expired"
            board.notice("collect", f"{board.job(wanted.key).id}: {words}: {verdict.reason}", urgent=True)
        elif verdict.again_s is not None:
            from_s = anyio.current_time() + max(verdict.again_s, verdict.pause_s)
            board.backlog.add(wanted, from_s=from_s)
            board.bell.ring()
        board.heed(verdict, "collect")


class _NotServed(Exception):
    """The answer to a download was no video."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def _from(request: Request, held: tuple[int, str] | None) -> Request:
    """*request*, for the rest only where some of it is here (RFC 9110 §13.1.5: If-Range with a strong validator)."""
    if held is None:
        return request
    length, tag = held
    headers = {**request.headers, "range": f"bytes={length}-", "if-range": tag}
    return Request(method=request.method, path=request.path, query=request.query, headers=headers)
