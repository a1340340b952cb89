"""Whether there is a way to a server at all: its name, a connection and its certificate. Nothing is asked of it."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import anyio
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSAttribute, TLSStream

from pipeline.errors import NotSent, Untrusted
from pipeline.transport.lines import Trust
from pipeline.transport.network import NETWORK, Network

_PROTOCOLS = ("h2", "http/1.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A connection that was made, and ended again."""

    address: str
    """Of those that the name stands for, the one that answered."""
    took_s: float
    """For the name, the connection and the greetings together."""
    tls: str = ""
    """Its version, as `TLSv1.3`; empty: there is none."""
    certified_until: datetime | None = None
    newest_http: str = "HTTP/1.1"
    """What the server would rather speak."""


async def reach(url: str, network: Network = NETWORK) -> Reached:
    """Connect to the server at *url*. Raises `NotSent` and `Untrusted`, in plain words."""
    parts = urlsplit(url)
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    began_s = anyio.current_time()
    try:
        with anyio.fail_after(network.connect_s):
            await _looked_up(host, port, network)
            stream: ByteStream = await anyio.connect_tcp(host, port)
            try:
                stream = await _greeted(stream, host, url) if is_secure else stream
                return _reached(stream, anyio.current_time() - began_s)
            finally:
                await anyio.aclose_forcefully(stream)
    except ssl.SSLCertVerificationError as error:
        raise Untrusted(f"the certificate of {host} cannot be verified: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise NotSent(f"{host}:{port} does not speak TLS as it should: {error.reason or error}") from error
    except (anyio.EndOfStream, anyio.BrokenResourceError) as error:
        raise NotSent(f"{host}:{port} ended the connection before it was one") from error
    except TimeoutError as error:
        raise NotSent(f"{host}:{port} does not answer within {network.connect_s:g} s") from error
    except OSError as error:
        raise NotSent(f"no connection to {host}:{port}: {_words(error)}") from error


async def _looked_up(host: str, port: int, network: Network) -> None:
    try:
        found = await network.look_up(host, port)
    except TimeoutError:
        raise
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error  # without the resolver's own number
        raise NotSent(f"the name {host} stands for no address: {why}") from error
    if not found:
        raise NotSent(f"the name {host} stands for no address")


async def _greeted(stream: ByteStream, host: str, url: str) -> ByteStream:
    trusted = Trust().towards(url)
    trusted.set_alpn_protocols(_PROTOCOLS)
    return await TLSStream.wrap(stream, hostname=host, ssl_context=trusted, standard_compatible=False)


def _reached(stream: ByteStream, took_s: float) -> Reached:
    told: Mapping[Any, Callable[[], Any]] = stream.extra_attributes
    address = str(told[SocketAttribute.remote_address]()[0])
    if TLSAttribute.tls_version not in told:
        return Reached(address=address, took_s=took_s)
    until = (told[TLSAttribute.peer_certificate]() or {}).get("notAfter", "")
    return Reached(
        address=address,
        took_s=took_s,
        tls=told[TLSAttribute.tls_version](),
        certified_until=datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC) if until else None,
        newest_http="HTTP/2" if told[TLSAttribute.alpn_protocol]() == "h2" else "HTTP/1.1",
    )


def _words(error: BaseException) -> str:
    """What the system says; anyio tells of several addresses in one."""
    cause = error.__cause__
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    said = cause if isinstance(cause, OSError) else error
    return os.strerror(said.errno) if isinstance(said, OSError) and said.errno else str(said)
