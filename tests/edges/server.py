"""A server that does to a connection what the test says, byte by byte. It lives in the test's own event loop."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import anyio
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSListener


@dataclass(slots=True, kw_only=True)
class Asked:
    """One request, as it came."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """Which connection it came over, counted from 1."""


HUNG_S = 60.0
"""A test with a server that is not over by then never will be: it fails, and says where it waits."""

Behaviour: TypeAlias = Callable[[ByteStream, Asked], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Server:
    """What is listening where, and what it was asked."""

    port: int = 0
    connections: int = 0
    asked: list[Asked] = field(default_factory=list)

    def url(self, scheme: str = "http", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.port}/v1"


def answer(status: str = "200 OK", body: bytes = b"{}", **headers: str) -> bytes:
    """A whole HTTP answer."""
    named = {"content-length": str(len(body)), **{n.replace("_", "-"): v for n, v in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def saying(content: bytes) -> Behaviour:
    """Answer every request with *content*."""

    async def behave(stream: ByteStream, asked: Asked) -> None:
        await stream.send(content)

    return behave


def saying_and_closing(content: bytes) -> Behaviour:
    """Send *content*, then close."""

    async def behave(stream: ByteStream, asked: Asked) -> None:
        await stream.send(content)
        await stream.aclose()

    return behave


def saying_and_resetting(content: bytes) -> Behaviour:
    """Send *content*, then break the connection off (a TCP reset)."""

    async def behave(stream: ByteStream, asked: Asked) -> None:
        await stream.send(content)
        raw = stream.extra(SocketAttribute.raw_socket)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await stream.aclose()

    return behave


def saying_and_waiting(content: bytes) -> Behaviour:
    """Send *content*, then nothing more for as long as the client stays."""

    async def behave(stream: ByteStream, asked: Asked) -> None:
        await stream.send(content)
        await stream.receive()

    return behave


def dripping(content: bytes, every_s: float) -> Behaviour:
    """Send *content* a byte at a time."""

    async def behave(stream: ByteStream, asked: Asked) -> None:
        for at in range(len(content)):
            await stream.send(content[at : at + 1])
            await anyio.sleep(every_s)

    return behave


@asynccontextmanager
async def serving(behave: Behaviour, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server on a free port of this machine, until the body ends."""
    server = Server()

    async def converse(stream: ByteStream) -> None:
        server.connections += 1
        connection = server.connections
        try:
            async with stream:
                while (asked := await _request(stream, connection)) is not None:
                    server.asked.append(asked)
                    await behave(stream, asked)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
            pass  # the client has gone: that is its right

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as plain:
        server.port = plain.extra(SocketAttribute.local_port)
        listener = TLSListener(plain, tls, standard_compatible=False) if tls else plain
        with anyio.fail_after(HUNG_S):
            async with anyio.create_task_group() as conversations:
                conversations.start_soon(listener.serve, converse)
                yield server
                conversations.cancel_scope.cancel()


async def _request(stream: ByteStream, connection: int) -> Asked | None:
    """The next request; `None` where the client closes before one."""
    came = b""
    while b"\r\n\r\n" not in came:
        try:
            came += await stream.receive()
        except anyio.EndOfStream:
            return None
    head, _, body = came.partition(b"\r\n\r\n")
    line, *rows = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (row.split(": ", 1) for row in rows)}
    while len(body) < int(headers.get("content-length", "0")):
        body += await stream.receive()
    return Asked(line=line, headers=headers, body=body, connection=connection)
