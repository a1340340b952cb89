"""Carrying requests to one provider, and downloads to where it leads."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import anyio
import httpx

from pipeline.errors import Misled, ProviderError, Truncated
from pipeline.providers.access import Access, proxy_of
from pipeline.providers.base import Reply, Request
from pipeline.providers.hops import HOPS_MAX, Hop, home_of, led_to, next_hop
from pipeline.spellings import Unspoken
from pipeline.transport.away import Away
from pipeline.transport.failures import Trace, translating
from pipeline.transport.incoming import Incoming, bounded, goodbye, headers_of
from pipeline.transport.lines import Lines, Trust, line
from pipeline.transport.network import NETWORK, Network
from pipeline.version import __version__

SUBMIT_S = 120.0
LOOK_S = 30.0
LOOKS_AT_ONCE = 8
_OURS = {"user-agent": f"vidbatch/{__version__}", "accept": "*/*", "accept-encoding": "identity"}


class Transport:
    """Carries requests to one provider. Made by `connect`."""

    def __init__(
        self, access: Access, network: Network, *, submits: Lines, looks: Lines, transfers: Lines, away: Away
    ) -> None:
        self._access = access
        self._unspoken = Unspoken(access.key)
        self._network = network
        self._submits = submits
        self._looks = looks
        self._transfers = transfers
        self._away = away

    async def submit(self, request: Request, *, deadline_s: float = SUBMIT_S) -> Reply:
        """POST once. Raises `NotSent`, `OutcomeUnknown` or `Untrusted`; never repeats anything, follows nothing."""
        return await self._exchange(self._submits, request, deadline_s)

    async def look(self, request: Request, *, deadline_s: float = LOOK_S) -> Reply:
        """Ask for a small document, or for the beginning of an answer. Raises the same; follows nothing."""
        return await self._exchange(self._looks, request, deadline_s)

    @asynccontextmanager
    async def fetch(self, request: Request, *, link: str = "") -> AsyncIterator[Incoming]:
        """Start a download, and follow where it leads, by the rules of `providers.hops`.

        With *link* it starts there: at the place that the answer to such a request named, as if it had led us there.
        Raises as `submit` does, `Misled`, and what `Incoming.blocks` raises.
        """
        with self._hushed():
            hop = self._led(request, None, _as_in_a_header(link)) if link else None
            for _ in range(HOPS_MAX + 1):
                async with self._asked(request, hop) as response:
                    location = led_to(response.status_code, headers_of(response))
                    if location is None:
                        away = hop is not None and not hop.at_home
                        yield Incoming(response, without_key=self.without_key, away=away, network=self._network)
                        return
                hop = self._led(request, hop, location)
            raise Misled(f"it is redirected more than {HOPS_MAX} times in a row")

    def _led(self, request: Request, came_from: Hop | None, location: str) -> Hop:
        """The place that *location* names, in the answer to *request* or to the hop after it. Raises `Misled`."""
        base_url = self._access.base_url
        return next_hop(came_from or home_of(base_url + request.path), location, home=home_of(base_url))

    def without_key(self, content: bytes) -> bytes:
        """*content* without our key: some servers repeat it when they refuse it, and what they say is kept."""
        return self._unspoken.without(content)

    @contextmanager
    def _hushed(self) -> Iterator[None]:
        """Failures without our key, too: what is no HTTP, or leads nowhere, is repeated in their words."""
        try:
            yield
        except (ProviderError, Truncated) as error:
            said = str(error)
            told = self.without_key(said.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
            if told == said:
                raise
            raise type(error)(told) from None

    @asynccontextmanager
    async def _asked(self, request: Request, hop: Hop | None) -> AsyncIterator[httpx.Response]:
        """The answer of the provider itself, or of the place that *hop* is."""
        if hop is None or hop.at_home:
            asking = self._asked_at_home(request, hop)
        else:
            asking = self._away.asked(hop, request.headers, home=home_of(self._access.base_url))
        async with asking as response:
            try:
                yield response
            finally:
                with goodbye():
                    await response.aclose()

    @asynccontextmanager
    async def _asked_at_home(self, request: Request, hop: Hop | None) -> AsyncIterator[httpx.Response]:
        trace = Trace()
        async with self._transfers.one() as way:
            with translating(trace), anyio.fail_after(self._network.head_s):
                response = await way.handle_async_request(self._outgoing(request, self._transfers, trace, hop))
            yield response

    async def _exchange(self, lines: Lines, request: Request, deadline_s: float) -> Reply:
        trace = Trace()
        async with lines.one() as way:
            with self._hushed(), translating(trace), anyio.fail_after(deadline_s):
                response = await way.handle_async_request(self._outgoing(request, lines, trace))
                body = await bounded(response, bytes_max=request.reply_bytes_max, enough_bytes=request.enough_bytes)
        headers = headers_of(response, self.without_key)
        return Reply(status=response.status_code, headers=headers, body=self.without_key(body))

    def _outgoing(self, request: Request, lines: Lines, trace: Trace, hop: Hop | None = None) -> httpx.Request:
        """*request* as it goes to the provider, who is told who we are; to another path of its, where it led us: what
        lies there is asked for and nothing more, whatever the request was.
        """
        return httpx.Request(
            "GET" if hop else request.method,
            hop.url if hop else self._access.base_url + request.path,
            params=None if hop else dict(request.query) or None,
            headers={**_OURS, **self._access.headers, **request.headers},
            content=None if hop else request.body or None,
            extensions={"timeout": lines.timeout, "trace": trace.note},
        )


@asynccontextmanager
async def connect(
    access: Access, *, submits: int, downloads: int, network: Network = NETWORK
) -> AsyncIterator[Transport]:
    """A transport to a provider, with room for so many *submits* and *downloads* at once. Raises `UsageError`."""
    _quiet()
    trust = Trust()
    trusted, proxy = trust.towards(access.base_url), proxy_of(access.base_url)
    async with AsyncExitStack() as stack:

        async def lines(count: int, read_s: float, warm_s: float) -> Lines:
            made = [await stack.enter_async_context(line(trusted, proxy, warm_s=warm_s)) for _ in range(count)]
            return Lines(made, connect_s=network.connect_s, read_s=read_s)

        yield Transport(
            access,
            network,
            submits=await lines(submits, SUBMIT_S, network.warm_s),
            looks=await lines(LOOKS_AT_ONCE, LOOK_S, network.warm_enough_s),
            transfers=await lines(downloads, network.idle_s, network.warm_enough_s),
            away=Away(network, trust, _OURS),
        )


def _as_in_a_header(link: str) -> str:
    """A URL from a document in the letters in which a header has it: one for each of its bytes."""
    return link.encode("utf-8", "surrogatepass").decode("latin-1")


def _quiet() -> None:
    """Whoever embeds us may log everything; httpcore's DEBUG would write signed links and headers into that log.

    Who sets a level for it by name knows what they ask for.
    """
    for name in ("httpx", "httpcore"):
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.WARNING)
