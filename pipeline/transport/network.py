"""What the transport takes from outside: how patient it is, what a name stands for, and which addresses are public."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import anyio

from pipeline.providers.hops import is_public


async def addresses_of(host: str, port: int) -> Sequence[str]:
    """What *host* stands for, the best first. Raises `OSError`."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(address[0] for *_, address in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How requests travel. Tests have less patience, names of their own and a smaller world."""

    connect_s: float = 10.0
    head_s: float = 60.0
    """An answer to a download begins within so long, however its headers drip; one that is no video ends within it."""
    idle_s: float = 30.0
    """A download that brings no byte for so long is cut and taken up again."""
    crawl_s: float = 30.0
    crawl_bytes_per_s: int = 1024
    """So is one that brought less than this over any `crawl_s`."""
    warm_s: float = 0.5
    """A POST takes no connection that was idle for longer; the least patient servers close theirs after 1 to 2 s."""
    warm_enough_s: float = 5.0
    """The same for a GET, which may be repeated."""

    look_up: Callable[[str, int], Awaitable[Sequence[str]]] = addresses_of
    """Names to which a provider leads us; its own is looked up by whoever connects."""
    admits: Callable[[str], bool] = is_public
    """Whether an address to which a provider leads us may be reached."""


NETWORK = Network()
