"""Films that come broken: cut, late, without end, or as something else. By the fault's word."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

import anyio
from starlette.types import Receive, Scope, Send

from pipeline.sandbox.content import Content, Outline, start
from pipeline.sandbox.gate import ANSWERED
from pipeline.sandbox.line import Line, gone, line_of
from pipeline.sandbox.mischief import Fault
from pipeline.sandbox.shelf import Reel

DRIP_S: Final = 1.0
"""Between two bytes of a film that drips."""
_HTML: Final = b"<html><head><title>Please wait</title></head><body>Please wait</body></html>\n"
_OTHER_ETAG: Final = '"another-film"'
_OTHER_FILM: Final = bytes(range(255, -1, -1))
"""Turns every byte into another: what is glued to the first film shows."""


class Spoilt(Content):
    """An ASGI response, as `Content` is, with a fault in it."""

    def __init__(self, reel: Reel, fault: Fault) -> None:
        super().__init__(reel)
        self._fault = fault

    async def _deliver(self, outline: Outline, scope: Scope, receive: Receive, send: Send) -> None:
        word = self._fault.word
        if word in _BROKEN:
            await self._break(_BROKEN[word], outline, scope, receive, send)
        elif word == "html":
            await start(replace(outline, start=0, stop=len(_HTML)), send)
            await send({"type": "http.response.body", "body": _HTML})
        elif word == "wrong_etag" and outline.status == 206:
            await self._send_other(replace(outline, etag=_OTHER_ETAG), send)
        else:
            await super()._deliver(self._altered(outline), scope, receive, send)

    def _altered(self, outline: Outline) -> Outline:
        """What is said and sent, where only that is wrong. A fault of ranges leaves a whole film alone."""
        word, length, ranged = self._fault.word, self.length, outline.status == 206
        if word == "416":
            return replace(outline, status=416, start=0, stop=0, content_range=f"bytes */{length}")
        if word == "empty":
            return Outline(status=200, start=0, stop=0, etag=outline.etag, kind=outline.kind)
        if word == "range_ignored" and ranged:
            return Outline(status=200, start=0, stop=length, etag=outline.etag, kind=outline.kind)
        if word == "wrong_range" and ranged:
            return replace(outline, start=0, stop=length, content_range=f"bytes 0-{length - 1}/{length}")
        return outline

    @property
    def length(self) -> int:
        """Of the whole film."""
        return self._reel.length

    async def _send_other(self, outline: Outline, send: Send) -> None:
        await start(outline, send)
        for block in self.blocks(outline.start, outline.stop):
            await send({"type": "http.response.body", "body": block.translate(_OTHER_FILM), "more_body": True})
        await send({"type": "http.response.body"})

    async def _break(self, act: Act, outline: Outline, scope: Scope, receive: Receive, send: Send) -> None:
        """Do it until it is done or the client has left."""
        line = line_of(scope)
        async with anyio.create_task_group() as group:

            async def until_gone() -> None:
                await gone(receive)
                group.cancel_scope.cancel()

            group.start_soon(until_gone)
            line.held = True
            await act(self, outline, line, send)
            line.held = False
            group.cancel_scope.cancel()

    async def some(self, outline: Outline, send: Send) -> None:
        """The head, and the share of the film that comes through: never all of it."""
        await start(outline, send)
        for block in self.blocks(outline.start, self.end(outline)):
            await send({"type": "http.response.body", "body": block, "more_body": True})

    def end(self, outline: Outline) -> int:
        return outline.start + int(self._fault.share * (outline.stop - outline.start))


async def _cut(film: Spoilt, outline: Outline, line: Line, send: Send) -> None:
    await film.some(outline, send)
    line.close()
    await anyio.sleep_forever()  # until the connection is gone


async def _cut_reset(film: Spoilt, outline: Outline, line: Line, send: Send) -> None:
    await film.some(outline, send)
    line.reset()
    await anyio.sleep_forever()


async def _cut_no_length(film: Spoilt, outline: Outline, line: Line, send: Send) -> None:
    """A body that the end of the connection ends, as HTTP/1.0 had it: uvicorn would send it in chunks."""
    await send({"type": ANSWERED, "status": outline.status})
    headers = [*outline.headers(), (b"connection", b"close")]
    lines = [f"HTTP/1.1 {outline.status} OK".encode(), *(name + b": " + value for name, value in headers)]
    await line.write(b"\r\n".join(lines) + b"\r\n\r\n")
    for block in film.blocks(outline.start, film.end(outline)):
        await line.write(block)
    line.close()
    await anyio.sleep_forever()


async def _stall(film: Spoilt, outline: Outline, _line: Line, send: Send) -> None:
    await film.some(outline, send)
    await anyio.sleep_forever()


async def _drip(film: Spoilt, outline: Outline, _line: Line, send: Send) -> None:
    await start(outline, send)
    for block in film.blocks(outline.start, outline.stop):
        for byte in block:
            await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
            await anyio.sleep(DRIP_S)
    await send({"type": "http.response.body"})


async def _run_on(film: Spoilt, outline: Outline, _line: Line, send: Send) -> None:
    await send({"type": "http.response.start", "status": outline.status, "headers": outline.headers()})
    while True:
        for block in film.blocks(0, film.length):
            await send({"type": "http.response.body", "body": block, "more_body": True})
            await anyio.sleep(0)  # others have their turn, and the client's end is seen


Act: TypeAlias = Callable[[Spoilt, Outline, Line, Send], Awaitable[None]]

_BROKEN: Final[Mapping[str, Act]] = {
    "cut": _cut,
    "cut_reset": _cut_reset,
    "cut_no_length": _cut_no_length,
    "stalled": _stall,
    "drip": _drip,
    "endless": _run_on,
}
