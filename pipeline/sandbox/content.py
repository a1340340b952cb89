"""Sending a film: our own ASGI messages of 256 KiB, several times faster than a file response in small steps."""

from __future__ import annotations

from typing import Final

from starlette.types import Receive, Scope, Send

from pipeline.sandbox.ranges import Unsatisfiable, part
from pipeline.sandbox.shelf import Reel

MESSAGE_BYTES: Final = 256 * 1024


class Content:
    """An ASGI response: the film, or the part of it that a Range header asks for. Closes the reel."""

    def __init__(self, reel: Reel) -> None:
        self._reel = reel

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI's signature
        with self._reel.file:
            headers = dict(scope["headers"])
            try:
                wanted = part(
                    _text(headers.get(b"range")),
                    _text(headers.get(b"if-range")),
                    etag=self._reel.etag,
                    length=self._reel.length,
                )
            except Unsatisfiable:
                await self._start(send, 416, 0, f"bytes */{self._reel.length}")
                await send({"type": "http.response.body"})
                return
            start, stop = wanted or (0, self._reel.length)
            content_range = f"bytes {start}-{stop - 1}/{self._reel.length}" if wanted else ""
            await self._start(send, 206 if wanted else 200, stop - start, content_range)
            await self._body(send, start, stop, silent=scope["method"] == "HEAD")

    async def _start(self, send: Send, status: int, length: int, content_range: str) -> None:
        headers = [
            (b"content-type", b"video/mp4"),
            (b"content-length", str(length).encode()),
            (b"accept-ranges", b"bytes"),
            (b"etag", self._reel.etag.encode()),
        ]
        if content_range:
            headers.append((b"content-range", content_range.encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})

    async def _body(self, send: Send, start: int, stop: int, *, silent: bool) -> None:
        if silent:
            return await send({"type": "http.response.body"})
        self._reel.file.seek(start)
        while start < stop:
            block = self._reel.file.read(min(MESSAGE_BYTES, stop - start))
            if not block:
                raise OSError("the film became shorter while it was sent")
            start += len(block)
            await send({"type": "http.response.body", "body": block, "more_body": start < stop})
        return None


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")
