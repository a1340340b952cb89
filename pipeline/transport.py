"""Carrying requests: the only module that knows httpx. Foreign exceptions end here.

- Submits, looks and transfers have lines of their own: one connection each, the last used first. httpcore's pool
  walks over all its connections again and again (httpcore pull request 1035), and asks the system about each.
- A POST goes over a connection only while it is warm, far younger than any server's patience with an idle one: a
  server that closes it just then is the commonest false "maybe sent" (docs/decisions/0007).
- "Not sent" is believed only when the exception says so *and* the trace saw no header go out; anything else that
  ends without a whole answer is "unknown".
- The lines are httpx's transports, without its client: there is no cookie, no redirect and no login to take care of.
  No encoding but identity is accepted; an answer has a largest size and a total time.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import anyio
import httpx

from pipeline.errors import NotSent, OutcomeUnknown, ProviderError, Truncated, Untrusted
from pipeline.providers.access import Access, is_here, proxy_of
from pipeline.providers.base import Reply, Request
from pipeline.version import __version__

REPLY_BYTES_MAX = 1 << 20
CONNECT_S = 10.0
SUBMIT_S = 120.0
LOOK_S = 30.0
IDLE_S = 30.0
"""A download that brings no byte for so long is cut and taken up again."""
GOODBYE_S = 1.0
"""How long the end of a connection may take."""
WARM_S = 0.5
"""A POST takes no connection that was idle for longer; the least patient servers close theirs after 1 to 2 s."""
WARM_ENOUGH_S = 5.0
"""The same for a GET, which may be repeated."""
LOOKS_AT_ONCE = 8

_NOT_YET = (
    *(httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout),
    *(httpx.ProxyError, httpx.UnsupportedProtocol, httpx.InvalidURL),
)
_SENT = "send_request_headers.started"
_OURS = {"user-agent": f"vidbatch/{__version__}", "accept": "*/*", "accept-encoding": "identity"}


class Incoming:
    """A download under way: its headers are here, its bytes are still coming."""

    def __init__(self, response: httpx.Response, key: str) -> None:
        self._response = response
        self._key = key
        self.status = response.status_code
        self.headers = _headers(response)

    @property
    def length(self) -> int | None:
        """The announced length of this answer's body in bytes; `None` where it was not announced."""
        announced = self.headers.get("content-length", "")
        return int(announced) if announced.isdigit() else None

    async def blocks(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises `Truncated` when it ends before its announced length."""
        try:
            async with _body(self._response) as blocks:
                async for block in blocks:
                    yield block
        except httpx.RemoteProtocolError as error:
            raise Truncated(f"the connection ended early: {error}") from error
        except httpx.HTTPError as error:
            raise OutcomeUnknown(_words(error)) from error

    async def reply(self) -> Reply:
        """The whole answer, where it is no video after all. Raises `OutcomeUnknown` where it breaks off."""
        try:
            body = await _bounded(self._response)
        except httpx.HTTPError as error:
            raise OutcomeUnknown(_words(error)) from error
        return Reply(status=self.status, headers=self.headers, body=_without(self._key, body))


class Transport:
    """Carries requests to one provider. Made by `connect`."""

    def __init__(self, access: Access, *, submits: Lines, looks: Lines, transfers: Lines) -> None:
        self._access = access
        self._submits = submits
        self._looks = looks
        self._transfers = transfers

    async def submit(self, request: Request, *, deadline_s: float = SUBMIT_S) -> Reply:
        """POST once. Raises `NotSent`, `OutcomeUnknown` or `Untrusted`; never repeats anything."""
        return await self._exchange(self._submits, request, deadline_s)

    async def look(self, request: Request, *, deadline_s: float = LOOK_S) -> Reply:
        """GET a small document. Raises the same."""
        return await self._exchange(self._looks, request, deadline_s)

    @asynccontextmanager
    async def fetch(self, request: Request) -> AsyncIterator[Incoming]:
        """Start a download. Raises as `submit` does, and what `Incoming.blocks` raises."""
        trace = Trace()
        async with self._transfers.one() as line:
            try:
                response = await line.handle_async_request(self._outgoing(request, self._transfers, trace))
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise _translated(error, trace) from error
            try:
                yield Incoming(response, self._access.key)
            finally:
                with anyio.CancelScope(shield=True, deadline=anyio.current_time() + GOODBYE_S):
                    await response.aclose()

    async def _exchange(self, lines: Lines, request: Request, deadline_s: float) -> Reply:
        trace = Trace()
        async with lines.one() as line:
            try:
                with anyio.fail_after(deadline_s):
                    response = await line.handle_async_request(self._outgoing(request, lines, trace))
                    body = await _bounded(response)
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
                raise _translated(error, trace) from error
        return Reply(status=response.status_code, headers=_headers(response), body=_without(self._access.key, body))

    def _outgoing(self, request: Request, lines: Lines, trace: Trace) -> httpx.Request:
        return httpx.Request(
            request.method,
            self._access.base_url + request.path,
            params=dict(request.query) or None,
            headers={**_OURS, **self._access.headers, **request.headers},
            content=request.body or None,
            extensions={"timeout": lines.timeout, "trace": trace.note},
        )


class Lines:
    """Connections of one kind, each by itself; the one used last is used next, so that it is still warm."""

    def __init__(self, lines: Iterable[httpx.AsyncHTTPTransport], read_s: float) -> None:
        self._free = list(lines)
        self._gate = anyio.Semaphore(len(self._free))
        self.timeout = httpx.Timeout(read_s, connect=CONNECT_S, pool=None).as_dict()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[httpx.AsyncHTTPTransport]:
        """A line that nobody else uses; waits for one."""
        async with self._gate:
            line = self._free.pop()
            try:
                yield line
            finally:
                self._free.append(line)


class Trace:
    """Whether any byte of a request left this machine (httpx's `trace` extension, httpcore's documentation)."""

    def __init__(self) -> None:
        self.sent = False

    async def note(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by httpcore; what a proxy is asked (CONNECT) is not the request yet."""
        if event.endswith(_SENT) and info["request"].method != b"CONNECT":
            self.sent = True


@asynccontextmanager
async def connect(access: Access, *, submits: int, downloads: int) -> AsyncIterator[Transport]:
    """A transport to a provider, with room for so many *submits* and *downloads* at once. Raises `UsageError`."""
    trusts_nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loopback speaks plain HTTP; loading roots takes 50 ms
    context = trusts_nobody if is_here(access.base_url) else ssl.create_default_context()
    proxy = proxy_of(access.base_url) or None
    async with AsyncExitStack() as stack:

        async def lines(count: int, read_s: float, warm_s: float) -> Lines:
            limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=warm_s)
            made = [httpx.AsyncHTTPTransport(verify=context, limits=limits, proxy=proxy) for _ in range(count)]
            return Lines([await stack.enter_async_context(line) for line in made], read_s)

        yield Transport(
            access,
            submits=await lines(submits, SUBMIT_S, WARM_S),
            looks=await lines(LOOKS_AT_ONCE, LOOK_S, WARM_ENOUGH_S),
            transfers=await lines(downloads, IDLE_S, WARM_ENOUGH_S),
        )


def _headers(response: httpx.Response) -> Mapping[str, str]:
    """By their names in lower case. (httpx's own view of them guesses an encoding again for every header.)"""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers.raw}


async def _bounded(response: httpx.Response) -> bytes:
    """A body that must be small."""
    body = bytearray()
    async with _body(response) as blocks:
        async for block in blocks:
            body += block
            if len(body) > REPLY_BYTES_MAX:
                raise httpx.RemoteProtocolError(f"the answer is larger than {REPLY_BYTES_MAX} bytes")
    return bytes(body)


@asynccontextmanager
async def _body(response: httpx.Response) -> AsyncIterator[AsyncIterator[bytes]]:
    """The body as it comes; at the end the connection is done with, wherever the reader left off.

    httpx's own generators are run out on the closed connection: trio wants each ended, not left to the collector.
    """
    assert isinstance(response.stream, httpx.AsyncByteStream)
    blocks = aiter(response.stream)
    try:
        yield blocks
    finally:
        with anyio.CancelScope(shield=True, deadline=anyio.current_time() + GOODBYE_S):
            await response.aclose()
            with suppress(httpx.HTTPError, httpx.StreamError):
                async for _ in blocks:
                    pass


def _without(key: str, body: bytes) -> bytes:
    """*body* without our key: some servers repeat it when they refuse it, and what they say is kept."""
    return body.replace(key.encode(), b"[key]") if len(key) >= 8 else body


def _translated(error: Exception, trace: Trace) -> ProviderError:
    if _is_untrusted(error):
        return Untrusted(f"the certificate cannot be verified: {_words(error)}")
    if isinstance(error, _NOT_YET) and not trace.sent:
        return NotSent(_words(error))
    return OutcomeUnknown(_words(error))


def _is_untrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _words(error: Exception) -> str:
    """An exception in words: its class, in plain text, and what it says."""
    name = {
        "ConnectError": "cannot connect",
        "ConnectTimeout": "no connection in time",
        "ProxyError": "the proxy refused",
        "ReadTimeout": "no answer in time",
        "TimeoutError": "no whole answer in time",
        "ReadError": "the connection broke",
        "WriteError": "the connection broke",
        "RemoteProtocolError": "the answer broke off",
    }.get(type(error).__name__, type(error).__name__)
    return f"{name}: {error}" if str(error) else name
