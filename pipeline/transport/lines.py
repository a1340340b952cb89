"""Connections: some to the provider that are kept, and one at a time to wherever a download is led.

Submits, looks and transfers have lines of their own: one connection each, the last used first. httpcore's pool walks
over all its connections again and again (httpcore pull request 1035), and asks the system about each. The lines are
httpx's transports, without its client: there is no cookie, no redirect and no login to take care of.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import anyio
import httpx


class Lines:
    """Connections of one kind, each by itself; the one used last is used next, so that it is still warm."""

    def __init__(self, lines: Iterable[httpx.AsyncHTTPTransport], *, connect_s: float, read_s: float) -> None:
        self._free = list(lines)
        self._gate = anyio.Semaphore(len(self._free))
        self.timeout = timeout(connect_s=connect_s, read_s=read_s)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[httpx.AsyncHTTPTransport]:
        """A line that nobody else uses; waits for one."""
        async with self._gate:
            line = self._free.pop()
            try:
                yield line
            finally:
                self._free.append(line)


class Trust:
    """Whom we believe to be who they say they are."""

    def __init__(self) -> None:
        self._nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._roots: ssl.SSLContext | None = None

    def towards(self, url: str) -> ssl.SSLContext:
        """This machine's roots, and TLS 1.2 at least. They take 50 ms to load, which plain http is spared."""
        if urlsplit(url).scheme != "https":
            return self._nobody
        if self._roots is None:
            self._roots = ssl.create_default_context()
            self._roots.minimum_version = ssl.TLSVersion.TLSv1_2
        return self._roots


def line(trusted: ssl.SSLContext, proxy: str, *, warm_s: float = 0.0) -> httpx.AsyncHTTPTransport:
    """One connection, kept for *warm_s* after its last use."""
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=warm_s)
    return httpx.AsyncHTTPTransport(verify=trusted, limits=limits, proxy=proxy or None)


def timeout(*, connect_s: float, read_s: float) -> dict[str, float | None]:
    """httpx's `timeout` extension."""
    return httpx.Timeout(read_s, connect=connect_s, pool=None).as_dict()
