"""What carries the runner's requests in the simulation: the transport's interface, without a network."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

from pipeline.errors import NotSent, OutcomeUnknown, Truncated
from pipeline.providers.base import Reply, Request
from pipeline.transport import Incoming, Transport
from pipeline.transport.carry import LOOK_S, SUBMIT_S
from tests.simulation.disk import MortalDisk, PowerOff
from tests.simulation.provider import Provider
from tests.simulation.weather import Mishap, Weather

REQUESTS_MAX = 20_000
"""A run that sends more has lost its head."""

PIECE = 1000
"""Bytes of a film that come at once."""

_MAKES_NOTHING = frozenset({Mishap.REFUSED, Mishap.SUNK, Mishap.THROTTLED, Mishap.TURNED_BACK})
_NOTHING = Reply(status=0)
_PAGE = Reply(status=200, headers={"content-type": "text/html"}, body=b"<html><h1>Welcome to nginx!</h1></html>")


class Wire(Transport):
    """Carries requests to *provider* through the weather of the moment, as long as our process lives."""

    def __init__(
        self, provider: Provider, disk: MortalDisk, chance: random.Random, weather: Callable[[], Weather]
    ) -> None:
        self._provider = provider
        self._disk = disk
        self._chance = chance
        self._weather = weather
        self.log: list[tuple[float, str, str, str]] = []
        """Every request: when, its line, what became of it, what came back."""
        self.mishaps: Counter[Mishap] = Counter()

    async def submit(self, request: Request, *, deadline_s: float = SUBMIT_S) -> Reply:
        return await self._carry(request, deadline_s)

    async def look(self, request: Request, *, deadline_s: float = LOOK_S) -> Reply:
        return await self._carry(request, deadline_s)

    @asynccontextmanager
    async def fetch(self, request: Request, *, link: str = "") -> AsyncIterator[Incoming]:
        assert not link, "nobody names one here"
        mishap = self._next_mishap()
        reply = await self._carry(request, LOOK_S, Mishap.NONE if mishap is Mishap.CUT else mishap)
        cut_at = self._chance.randrange(len(reply.body) + 1) if mishap is Mishap.CUT else None
        yield Arriving(reply, self._disk, self._way_s, cut_at)

    def without_key(self, content: bytes) -> bytes:
        return content  # nobody repeats it here

    async def _carry(self, request: Request, deadline_s: float, mishap: Mishap | None = None) -> Reply:
        self._disk.alive()
        assert len(self.log) < REQUESTS_MAX, "requests without end"
        mishap = mishap or self._next_mishap()
        began_s, came = self._provider.clock(), "nothing"
        try:
            reply = await self._there_and_back(request, mishap, deadline_s)
            came = str(reply.status)
        finally:
            self.log.append((round(began_s, 6), f"{request.method} {request.path}", mishap.value, came))
        return reply

    async def _there_and_back(self, request: Request, mishap: Mishap, deadline_s: float) -> Reply:
        slept = await self._on_the_way()
        if mishap is Mishap.REFUSED:
            raise NotSent("cannot connect: connection refused")
        if slept:
            raise OutcomeUnknown("the connection broke while the machine slept")
        if self._disk.dead:  # what we had sent is on its way all the same
            if mishap not in _MAKES_NOTHING and self._chance.random() < 0.5:
                self._provider.answer(request)
            raise PowerOff
        reply = self._come_of(request, mishap)
        slept = await self._on_the_way()
        if mishap in (Mishap.SUNK, Mishap.UNANSWERED):
            await anyio.sleep(self._chance.choice((0.0, deadline_s)))
        self._disk.alive()
        if slept or mishap in (Mishap.SUNK, Mishap.UNANSWERED, Mishap.CUT):
            raise OutcomeUnknown("no whole answer")
        return reply

    def _come_of(self, request: Request, mishap: Mishap) -> Reply:
        """What the provider, or a gateway in front of it, makes of a request that has arrived."""
        made = _NOTHING if mishap in _MAKES_NOTHING else self._provider.answer(request)
        if mishap is Mishap.THROTTLED:
            return _refusal(429, retry_after=self._chance.choice(("", "1", "20", "300")))
        if mishap is Mishap.TURNED_BACK:
            return _refusal(self._chance.choice((500, 502, 503, 504)))
        if mishap is Mishap.FELL:
            return _refusal(self._chance.choice((500, 502, 504, 520, 524)))
        return _PAGE if mishap is Mishap.GARBLED else made

    def _next_mishap(self) -> Mishap:
        mishap = self._weather().draw(self._chance)
        self.mishaps[mishap] += 1
        return mishap

    async def _on_the_way(self) -> bool:
        """One way; whether the machine slept meanwhile, so that nothing came through."""
        true_s, our_s = self._provider.clock(), anyio.current_time()
        await anyio.sleep(self._way_s())
        return self._provider.clock() - true_s > anyio.current_time() - our_s + 1.0

    def _way_s(self) -> float:
        return self._chance.random() ** 2 * self._weather().slow_s


class Arriving(Incoming):
    """An answer to a download, its body in pieces that take their time."""

    def __init__(self, reply: Reply, disk: MortalDisk, way_s: Callable[[], float], cut_at: int | None) -> None:
        self.status = reply.status
        self.headers = reply.headers
        self.away = False
        self._body = reply.body
        self._disk = disk
        self._way_s = way_s
        self._cut_at = cut_at

    async def blocks(self) -> AsyncGenerator[bytes, None]:
        for at in range(0, len(self._body), PIECE):
            await anyio.sleep(self._way_s())
            self._disk.alive()
            if self._cut_at is not None and at + PIECE > self._cut_at:
                yield self._body[at : self._cut_at]
                raise Truncated("the connection ended early")
            yield self._body[at : at + PIECE]

    async def reply(self) -> Reply:
        await anyio.sleep(self._way_s())
        self._disk.alive()
        if self._cut_at is not None:
            raise OutcomeUnknown("no whole answer")
        return Reply(status=self.status, headers=self.headers, body=self._body)


def _refusal(status: int, retry_after: str = "") -> Reply:
    headers = {"content-type": "text/html"} | ({"retry-after": retry_after} if retry_after else {})
    return Reply(status=status, headers=headers, body=f"<html><h1>{status}</h1></html>".encode())
