"""What comes back: answers whole and bounded, downloads in blocks and never slower than a crawl."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress

import anyio
import anyio.to_thread
import httpx

from pipeline.errors import NotAVideo, OutcomeUnknown, Truncated
from pipeline.providers.base import REPLY_BYTES_MAX, Reply
from pipeline.transport.failures import ON_THE_WIRE, words
from pipeline.transport.network import Network

GOODBYE_S = 1.0
"""How long the end of a connection may take."""


class Incoming:
    """A download under way: its headers are here, its bytes are still coming."""

    def __init__(
        self, response: httpx.Response, *, without_key: Callable[[bytes], bytes], away: bool, network: Network
    ) -> None:
        self._response = response
        self._without_key = without_key
        self._network = network
        self.status = response.status_code
        self.headers = headers_of(response, without_key)
        self.away = away
        """Whether this is not the provider's own word, but of somebody to whom it led us."""

    @property
    def length(self) -> int | None:
        """The announced length of this answer's body in bytes; `None` where it was not announced.

        What comes in chunks ends with the last of them, whatever else it says (RFC 9112 §6.3).
        """
        announced = self.headers.get("content-length", "")
        return int(announced) if announced.isdigit() and "transfer-encoding" not in self.headers else None

    async def blocks(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises `Truncated` when it ends before its announced length, `OutcomeUnknown`."""
        speed = Speed(self._network, anyio.current_time())
        try:
            async with body_of(self._response) as blocks:
                async for block in blocks:
                    yield block
                    if speed.crawls(len(block), anyio.current_time()):
                        raise OutcomeUnknown(f"less than {speed.least} bytes in {self._network.crawl_s:g} s: cut")
        except httpx.RemoteProtocolError as error:
            raise Truncated(f"the connection ended early: {error}") from error
        except ON_THE_WIRE as error:
            raise OutcomeUnknown(words(error)) from error

    async def reply(self) -> Reply:
        """The whole answer, where it is no video after all. Raises `OutcomeUnknown` where it breaks off."""
        try:
            with anyio.fail_after(self._network.head_s):
                body = await bounded(self._response)
        except ON_THE_WIRE as error:
            raise OutcomeUnknown(words(error)) from error
        return Reply(status=self.status, headers=self.headers, body=self._without_key(body))

    async def document(self, bytes_max: int) -> Reply:
        """The whole answer, where it is a document that may hold a video: with a download's patience.

        Raises as `blocks` does, and `NotAVideo` where it is longer than *bytes_max*.
        """
        body = bytearray()
        async with aclosing(self.blocks()) as blocks:
            async for block in blocks:
                body += block
                if len(body) > bytes_max:
                    raise NotAVideo(f"a document of more than {bytes_max} bytes came in its place")
        told = await anyio.to_thread.run_sync(self._without_key, bytes(body))  # a tenth of a second for 10 MB
        return Reply(status=self.status, headers=self.headers, body=told)


class Speed:
    """Whether a download still moves. A read's own time limit is none: one byte a second keeps to it for ever."""

    def __init__(self, network: Network, now_s: float) -> None:
        self._window_s = network.crawl_s
        self.least = int(network.crawl_s * network.crawl_bytes_per_s)
        """So many bytes at least in each window."""
        self._since_s = now_s
        self._came = 0

    def crawls(self, length: int, now_s: float) -> bool:
        """Take note of *length* bytes more; whether the window that they complete brought too few."""
        self._came += length
        if now_s - self._since_s < self._window_s:
            return False
        too_few = self._came < self.least
        self._since_s, self._came = now_s, 0
        return too_few


def headers_of(
    response: httpx.Response, without_key: Callable[[bytes], bytes] = lambda value: value
) -> Mapping[str, str]:
    """By their names in lower case. (httpx's own view of them guesses an encoding again for every header.)"""
    pairs = response.headers.raw
    return {name.decode("latin-1").lower(): without_key(value).decode("latin-1") for name, value in pairs}


async def bounded(response: httpx.Response, *, bytes_max: int = REPLY_BYTES_MAX, enough_bytes: int = 0) -> bytes:
    """A body that must be small; with *enough_bytes*, its beginning alone: the rest is never read."""
    body = bytearray()
    async with body_of(response) as blocks:
        async for block in blocks:
            body += block
            if 0 < enough_bytes <= len(body):
                return bytes(body[:enough_bytes])
            if len(body) > bytes_max:
                raise httpx.RemoteProtocolError(f"the answer is larger than {bytes_max} bytes")
    return bytes(body)


@asynccontextmanager
async def body_of(response: httpx.Response) -> AsyncIterator[AsyncIterator[bytes]]:
    """The body as it comes; at the end the connection is done with, wherever the reader left off.

    httpx's own generators are run out on the closed connection: trio wants each ended, not left to the collector.
    """
    assert isinstance(response.stream, httpx.AsyncByteStream)
    blocks = aiter(response.stream)
    try:
        yield blocks
    finally:
        with goodbye():
            await response.aclose()
            with suppress(*ON_THE_WIRE, httpx.StreamError):
                async for _ in blocks:
                    pass


def goodbye() -> anyio.CancelScope:
    """A little time to end a connection properly, even when we are being cancelled."""
    return anyio.CancelScope(shield=True, deadline=anyio.current_time() + GOODBYE_S)
