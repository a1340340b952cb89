"""The connection of a request, for those who mean to break it: ASGI knows only answers in good order."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from typing import Any, Final

from starlette.types import Receive, Scope
from uvicorn.protocols.http.auto import AutoHTTPProtocol

_STATE: Final = "line"
_AT_ONCE: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER of no seconds: closing throws away what was not sent, and tells the peer by a TCP reset."""


class Line(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # uvicorn chooses the class when it is loaded
    """uvicorn's protocol, which the app finds in its scope and can cut."""

    transport: Any
    held = False
    """The answer will not end by itself: a server that ends does not wait for it."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.app_state: dict[str, Any] = {**self.app_state, _STATE: self}

    def shutdown(self) -> None:
        if self.held:
            self.reset()
        else:
            super().shutdown()

    def reset(self) -> None:
        """Break the connection with a TCP reset."""
        raw = self.transport.get_extra_info("socket")
        if raw is not None:
            with contextlib.suppress(OSError):  # the client was quicker
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()

    def close(self) -> None:
        """Send what was written, then end the connection in good order."""
        self.transport.close()

    async def write(self, block: bytes) -> None:
        """Send bytes as they are, past every rule of HTTP. Waits while the client does not read."""
        if not self.transport.is_closing():
            self.transport.write(block)
            await self.flow.drain()


def line_of(scope: Scope) -> Line:
    """The connection that the request of *scope* came on."""
    line: Line = scope["state"][_STATE]
    return line


async def gone(receive: Receive) -> None:
    """Wait until the client has left, or the connection was broken."""
    while (await receive())["type"] != "http.disconnect":
        pass
