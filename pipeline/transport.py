"""Carrying requests: the only module that knows httpx. Foreign exceptions end here.

- A POST has a connection of its own, never one kept alive: a server that closes an idle connection at the wrong
  moment is the commonest false "maybe sent".
- Looks and transfers have lines of their own: clients of one connection each, the last used first. httpcore's pool
  walks over all its connections again and again (httpcore pull request 1035), and asks the system about each.
- "Not sent" is believed only when the exception says so *and* the trace saw no header go out; anything else that
  ends without a whole answer is "unknown".
- No redirect is followed; no encoding but identity is accepted; an answer has a largest size and a total time.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import anyio
import httpx

from pipeline.errors import NotSent, OutcomeUnknown, ProviderError, Truncated, Untrusted
from pipeline.providers.access import Access, is_loopback
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
LOOKS_AT_ONCE = 8

_NOT_YET = (
    *(httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout),
    *(httpx.ProxyError, httpx.UnsupportedProtocol, httpx.InvalidURL),
)
ONE_LINE = httpx.Limits(max_connections=1, max_keepalive_connections=1)
_SENT = "send_request_headers.started"


class Incoming:
    """A download under way: its headers are here, its bytes are still coming."""

    def __init__(self, response: httpx.Response, key: str) -> None:
        self._response = response
        self._key = key
        self.status = response.status_code
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}

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

    def __init__(
        self,
        access: Access,
        submits: httpx.AsyncClient,
        looks: Iterable[httpx.AsyncClient],
        transfers: Iterable[httpx.AsyncClient],
    ) -> None:
        self._access = access
        self._submits = submits
        self._looks = Lines(looks)
        self._transfers = Lines(transfers)

    async def submit(self, request: Request, *, deadline_s: float = SUBMIT_S) -> Reply:
        """POST once. Raises `NotSent`, `OutcomeUnknown` or `Untrusted`; never repeats anything."""
        return await self._exchange(self._submits, request, deadline_s)

    async def look(self, request: Request, *, deadline_s: float = LOOK_S) -> Reply:
        """GET a small document. Raises the same."""
        async with self._looks.one() as client:
            return await self._exchange(client, request, deadline_s)

    @asynccontextmanager
    async def fetch(self, request: Request) -> AsyncIterator[Incoming]:
        """Start a download. Raises as `submit` does, and what `Incoming.blocks` raises."""
        trace = Trace()
        async with self._transfers.one() as client:
            try:
                response = await client.send(self._outgoing(client, request, trace), stream=True)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise _translated(error, trace) from error
            try:
                yield Incoming(response, self._access.key)
            finally:
                with anyio.CancelScope(shield=True, deadline=anyio.current_time() + GOODBYE_S):
                    await response.aclose()

    async def _exchange(self, client: httpx.AsyncClient, request: Request, deadline_s: float) -> Reply:
        trace = Trace()
        try:
            with anyio.fail_after(deadline_s):
                response = await client.send(self._outgoing(client, request, trace), stream=True)
                try:
                    body = await _bounded(response)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise _translated(error, trace) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(status=response.status_code, headers=headers, body=_without(self._access.key, body))

    def _outgoing(self, client: httpx.AsyncClient, request: Request, trace: Trace) -> httpx.Request:
        return client.build_request(
            request.method,
            self._access.base_url + request.path,
            params=dict(request.query) or None,
            headers={**self._access.headers, **request.headers},
            content=request.body or None,
            extensions={"trace": trace.note},
        )


class Lines:
    """Clients of one connection each; the one used last is used next, so that its connection is still warm."""

    def __init__(self, clients: Iterable[httpx.AsyncClient]) -> None:
        self._free = list(clients)
        self._gate = anyio.Semaphore(len(self._free))

    @asynccontextmanager
    async def one(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client that nobody else uses; waits for one."""
        async with self._gate:
            client = self._free.pop()
            try:
                yield client
            finally:
                self._free.append(client)


class Trace:
    """Whether any byte of a request left this machine (httpx's `trace` extension, httpcore's documentation)."""

    def __init__(self) -> None:
        self.sent = False

    async def note(self, event: str, info: Mapping[str, Any]) -> None:  # noqa: ARG002 - httpx calls it with both
        self.sent = self.sent or event.endswith(_SENT)


@asynccontextmanager
async def connect(access: Access, *, downloads: int) -> AsyncIterator[Transport]:
    """A transport to a provider, with room for so many *downloads* at once."""
    ours = is_loopback(access.base_url)
    trusts_nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loopback speaks plain HTTP; loading roots takes 50 ms
    context = trusts_nobody if ours else ssl.create_default_context()
    async with AsyncExitStack() as stack:

        async def client(limits: httpx.Limits, read_s: float) -> httpx.AsyncClient:
            return await stack.enter_async_context(
                httpx.AsyncClient(
                    verify=context,
                    trust_env=not ours,  # a proxy of the environment is for the world, not for loopback
                    limits=limits,
                    timeout=httpx.Timeout(read_s, connect=CONNECT_S, pool=None),
                    follow_redirects=False,
                    headers={
                        "user-agent": f"vidbatch/{__version__}",
                        "accept": "*/*",
                        "accept-encoding": "identity",
                    },
                )
            )

        yield Transport(
            access,
            await client(httpx.Limits(max_connections=None, max_keepalive_connections=0), SUBMIT_S),
            [await client(ONE_LINE, LOOK_S) for _ in range(LOOKS_AT_ONCE)],
            [await client(ONE_LINE, IDLE_S) for _ in range(downloads)],
        )


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
    blocks = response.aiter_raw()
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
        "ReadTimeout": "no answer in time",
        "TimeoutError": "no whole answer in time",
        "ReadError": "the connection broke",
        "WriteError": "the connection broke",
        "RemoteProtocolError": "the answer broke off",
    }.get(type(error).__name__, type(error).__name__)
    return f"{name}: {error}" if str(error) else name
