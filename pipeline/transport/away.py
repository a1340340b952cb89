"""Fetching from where a provider leads us: by hand, to an address that was checked, and without a word of who we are.

A name is looked up once, each of its addresses is checked, and the connection goes to one of those addresses: a name
that stands for another address a moment later ("DNS rebinding") gains nothing. The certificate is still checked
against the name. Where this machine has a proxy for such a place, that one looks the name up and answers for it; what
is written as an address is checked here all the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import anyio
import httpx

from pipeline.errors import NotSent, Untrusted, UsageError
from pipeline.providers.access import proxy_of
from pipeline.providers.hops import Hop, address_of_literal, check_address, refused
from pipeline.transport.failures import Trace, translating
from pipeline.transport.lines import Trust, line, timeout
from pipeline.transport.network import Network

ADDRESSES_MAX = 4
"""So many of a name's addresses are tried, one after the other."""
_TAKEN_ALONG = frozenset({"range", "if-range"})
"""Which of a request's own headers leave home."""


class Away:
    """Asks places that are not the provider's."""

    def __init__(self, network: Network, trust: Trust, headers: Mapping[str, str]) -> None:
        self._network = network
        self._trust = trust
        self._headers = headers
        """What every request of ours says, whoever is asked."""

    @asynccontextmanager
    async def asked(self, there: Hop, wanted: Mapping[str, str], *, home: Hop) -> AsyncIterator[httpx.Response]:
        """GET *there*, with what of the headers *wanted* may leave home.

        Raises `Misled` where we do not go there, `NotSent`, `OutcomeUnknown`.
        """
        proxy = _proxy(there)
        addresses = await self._addresses(there, home=home, by_proxy=bool(proxy))
        for n, address in enumerate(addresses, 1):
            async with line(self._trust.towards(there.url), proxy) as way:
                try:
                    response = await self._answer(way, self._request(there, address, wanted))
                except NotSent:
                    if n == len(addresses):
                        raise
                    continue
                except Untrusted as error:  # theirs, not the provider's: only this download ends by it
                    raise refused(there, str(error)) from error
                yield response
                return

    async def _addresses(self, there: Hop, *, home: Hop, by_proxy: bool) -> Sequence[str]:
        """Where to connect to, each checked; the name itself where a proxy does that."""
        written = address_of_literal(there)
        if by_proxy and not written:
            return [there.host]
        found = [written] if written else await self._looked_up(there)
        for address in found:
            check_address(there, address, home=home, admits=self._network.admits)
        return found[:ADDRESSES_MAX]

    async def _looked_up(self, there: Hop) -> Sequence[str]:
        try:
            with anyio.fail_after(self._network.connect_s):
                found = await self._network.look_up(there.host, there.port)
        except (OSError, UnicodeError) as error:  # a TimeoutError is an OSError
            raise NotSent(f"cannot look up {there.host}: {error}") from error
        if not found:
            raise NotSent(f"{there.host} stands for no address")
        return found

    def _request(self, there: Hop, address: str, wanted: Mapping[str, str]) -> tuple[httpx.Request, Trace]:
        trace = Trace()
        taken = {name: value for name, value in wanted.items() if name.lower() in _TAKEN_ALONG}
        request = httpx.Request(
            "GET",
            httpx.URL(scheme=there.scheme, host=address, port=there.port, raw_path=there.target.encode("ascii")),
            headers={**self._headers, **taken, "host": there.netloc},
            extensions={
                "timeout": timeout(connect_s=self._network.connect_s, read_s=self._network.idle_s),
                "trace": trace.note,
                "sni_hostname": there.host,
            },
        )
        return request, trace

    async def _answer(self, way: httpx.AsyncHTTPTransport, asked: tuple[httpx.Request, Trace]) -> httpx.Response:
        request, trace = asked
        with translating(trace), anyio.fail_after(self._network.head_s):
            return await way.handle_async_request(request)


def _proxy(there: Hop) -> str:
    """The proxy on the way *there*; empty: none. Raises `NotSent` where it cannot be used."""
    try:
        return proxy_of(there.url)
    except UsageError as error:
        raise NotSent(str(error)) from error
