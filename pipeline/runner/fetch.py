"""One download over HTTP: what is asked for, and what the answer says about the bytes that follow.

The answer is the video, or a document that has it or says where it is. A link is asked for anew at each try: one that
was signed runs out. What is here of a video is gone on with all the same, where its strong ETag still holds.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import anyio
import anyio.to_thread

from pipeline.errors import NotAVideo, OutcomeUnknown
from pipeline.policy.collect import whole_s
from pipeline.progress import Received
from pipeline.providers.base import Found, Problem, Refusal, Reply, Request
from pipeline.runner.board import Board, Wanted
from pipeline.runner.held import Held
from pipeline.runner.part import PIECE_BYTES, Part
from pipeline.signature import looks_like_mp4
from pipeline.transport import Incoming

_SPAN = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.ASCII)
_NO_SPAN = re.compile(r"bytes \*/(\d{1,18})", re.ASCII)

REASON_BYTES_MAX = 1 << 16
"""A document that says in a video's place why there is none is no longer."""
_BLANKS_MAX = 256

_OF_A_LINK = (Problem.BAD_KEY, Problem.UNKNOWN_ID, Problem.GONE, Problem.FAILED)
"""What another host, to which the provider led us, can only say of the link."""


class NotServed(Exception):
    """The answer to a download was no video."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


async def fetch(board: Board, wanted: Wanted, part: Part) -> tuple[int | None, str]:
    """Bring a video's bytes; returns how many there must be in all, and their ETag.

    Raises `NotServed`, `ProviderError`, `ArtifactError`, and the `OSError` of a disk.
    """
    held = part.held()
    if held and held.whole:
        await _resume(part, held, held.total)
        return held.total, held.etag
    request = board.dialect.content(wanted.video_id, board.profile)
    if board.profile.wire.content == "bytes":
        return await _download(board, wanted, part, from_where(request, held), held)
    found = await _find(board, request)
    if not found.url:
        return _write(board, wanted, part, found.content), ""
    there = from_where(Request(method="GET", path=request.path), held)
    return await _download(board, wanted, part, there, held, link=found.url)


async def _find(board: Board, request: Request) -> Found:
    """Ask for the document that has a video or says where it is. Raises as `fetch` does."""
    time = anyio.CancelScope(deadline=anyio.current_time() + whole_s(None))
    with time:
        async with board.transport.fetch(request) as incoming:
            _check_encoding(incoming)
            time.deadline = anyio.current_time() + whole_s(incoming.length)
            reply = await _answer(incoming, request)
        read = board.dialect.read_content
        found = await anyio.to_thread.run_sync(read, reply, board.profile, limiter=board.unpacking)
        if isinstance(found, Refusal):
            raise NotServed(_of_whom(incoming, found))
        board.tempers["collect"].answered()
        return found
    raise OutcomeUnknown("not whole in time")


async def _answer(incoming: Incoming, request: Request) -> Reply:
    """All of an answer; what is refused is told in few words."""
    if 200 <= incoming.status < 300:
        return await incoming.document(request.reply_bytes_max)
    return await incoming.reply()


def _write(board: Board, wanted: Wanted, part: Part, content: bytes) -> int:
    """A video that came in a document; returns how many bytes it has."""
    part.begin("", len(content))
    for at in range(0, len(content), PIECE_BYTES):
        part.write(content[at : at + PIECE_BYTES])
    board.observer(Received(id=board.job(wanted.key).id, bytes=len(content)))
    return len(content)


async def _download(
    board: Board, wanted: Wanted, part: Part, request: Request, held: Held | None, *, link: str = ""
) -> tuple[int | None, str]:
    """Bring the bytes that *request* is answered with, or those at *link*. Returns and raises as `fetch` does."""
    time = anyio.CancelScope(deadline=anyio.current_time() + whole_s(None))
    with time:
        async with board.transport.fetch(request, link=link) as incoming:
            expected = await _begin(board, part, incoming, held)
            board.tempers["collect"].answered()
            time.deadline = anyio.current_time() + whole_s(incoming.length)
            if incoming.status != 416:
                await _take(board, wanted, part, incoming)
            return expected, incoming.headers.get("etag", "")
    raise OutcomeUnknown("not whole in time")


async def _resume(part: Part, held: Held, total: int | None) -> None:
    """Go on with what is held. Raises `OutcomeUnknown` where a crash has spoilt it."""
    if not await anyio.to_thread.run_sync(part.resume, held, total):
        part.discard()
        raise OutcomeUnknown("what was here of it is not as it came: starting anew")


async def _take(board: Board, wanted: Wanted, part: Part, incoming: Incoming) -> None:
    """Write what comes. Raises `NotServed` where that is a document that says why there is no video."""
    name = board.job(wanted.key).id

    def take(block: bytes) -> None:
        part.write(block)
        board.observer(Received(id=name, bytes=len(block)))

    async with aclosing(incoming.blocks()) as blocks:
        if incoming.status == 200:
            start = await _start(blocks)
            _demand_no_reason(board, incoming, start)
            take(start)
        async for block in blocks:
            take(block)


async def _start(blocks: AsyncIterator[bytes]) -> bytes:
    """The first bytes; of what begins as a JSON object, all of it, or more than `REASON_BYTES_MAX`."""
    start = b""
    async for block in blocks:
        start += block
        if len(start) > REASON_BYTES_MAX or not _may_be_reason(start):
            break
    return start


def _may_be_reason(start: bytes) -> bool:
    return start[:_BLANKS_MAX].lstrip()[:1] in (b"", b"{") and not looks_like_mp4(start[:8])


def _demand_no_reason(board: Board, incoming: Incoming, start: bytes) -> None:
    """Raise `NotServed` where *start*, in a video's place with 200, is a document that the profile can read."""
    if len(start) > REASON_BYTES_MAX or not _may_be_reason(start):
        return
    reply = Reply(status=incoming.status, headers=incoming.headers, body=board.transport.without_key(start))
    refusal = board.dialect.read_no_content(reply, board.profile)
    if refusal.problem is not Problem.TROUBLE:
        raise NotServed(_of_whom(incoming, refusal))


async def _begin(board: Board, part: Part, incoming: Incoming, held: Held | None) -> int | None:
    """Take up the part or start it anew, as the answer says. Raises `NotServed` for anything but a video."""
    _check_encoding(incoming)
    if incoming.status == 200:
        part.begin(incoming.headers.get("etag", ""), incoming.length)
        return incoming.length
    if incoming.status in (206, 416):
        total = total_of(incoming, held) if held else None
        if held is None or total is None:
            part.discard()
            raise OutcomeUnknown("the server cannot go on where the download broke off: starting anew")
        await _resume(part, held, total)
        return total
    raise NotServed(_of_whom(incoming, board.dialect.read_no_content(await incoming.reply(), board.profile)))


def _check_encoding(incoming: Incoming) -> None:
    if incoming.headers.get("content-encoding", "identity") != "identity":
        raise NotAVideo(f"it came encoded as {incoming.headers['content-encoding'][:40]!r}, unasked")


def _of_whom(incoming: Incoming, refusal: Refusal) -> Refusal:
    """*refusal*, as it is meant: away from the provider it is no word on the video; the link has run out."""
    if incoming.away and refusal.problem in _OF_A_LINK:
        return replace(refusal, problem=Problem.STALE_LINK)
    return refusal


def total_of(incoming: Incoming, held: Held) -> int | None:
    """How many bytes there are in all, where this answer goes on with just what is *held*; else `None`."""
    said = incoming.headers.get("content-range", "")
    if incoming.status == 416:  # there is no more: what is held is all, if that is what it says
        whole = _NO_SPAN.fullmatch(said)
        return held.bytes if whole and int(whole[1]) == held.bytes and held.total is None else None
    span = _SPAN.fullmatch(said)
    if span is None or incoming.headers.get("etag") != held.etag:
        return None
    first, last, total = map(int, span.groups())
    goes_on = first == held.bytes and last == total - 1 and held.total in (None, total)
    return total if goes_on else None


def from_where(request: Request, held: Held | None) -> Request:
    """*request*, for the rest only where some of it is here (RFC 9110 §13.1.5: If-Range with a strong validator)."""
    if held is None:
        return request
    headers = {**request.headers, "range": f"bytes={held.bytes}-", "if-range": held.etag}
    return Request(method=request.method, path=request.path, query=request.query, headers=headers)
