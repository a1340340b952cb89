"""What went wrong with a request, in our words: foreign exceptions end here.

"Not sent" is believed only when the exception says so *and* the trace saw no header go out; anything else that ends
without a whole answer is "unknown".
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from pipeline.errors import NotSent, OutcomeUnknown, ProviderError, Untrusted

_NOT_YET = (
    *(httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout),
    *(httpx.ProxyError, httpx.UnsupportedProtocol, httpx.InvalidURL),
)
ON_THE_WIRE = (httpx.HTTPError, OSError)
"""What a connection may fail with: httpx lets through an `ssl.SSLError` after the handshake (a garbled record)."""
_SENT = "send_request_headers.started"


class Trace:
    """Whether any byte of a request left this machine (httpx's `trace` extension, httpcore's documentation)."""

    def __init__(self) -> None:
        self.sent = False

    async def note(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by httpcore; what a proxy is asked (CONNECT) is not the request yet."""
        if event.endswith(_SENT) and info["request"].method != b"CONNECT":
            self.sent = True


@contextmanager
def translating(trace: Trace) -> Iterator[None]:
    """Raise `NotSent`, `OutcomeUnknown` or `Untrusted` for whatever the body fails with on the wire."""
    try:
        yield
    except (*ON_THE_WIRE, httpx.InvalidURL) as error:
        raise translated(error, trace) from error


def translated(error: Exception, trace: Trace) -> ProviderError:
    """*error* by what to do next."""
    if _is_untrusted(error):
        return Untrusted(f"the certificate cannot be verified: {words(error)}")
    if isinstance(error, _NOT_YET) and not trace.sent:
        return NotSent(words(error))
    return OutcomeUnknown(words(error))


def words(error: Exception) -> str:
    """An exception in words: its class, in plain text, and what it says."""
    name = {
        "ConnectError": "cannot connect",
        "ConnectTimeout": "no connection in time",
        "ProxyError": "the proxy refused",
        "ReadTimeout": "no answer in time",
        "TimeoutError": "no whole answer in time",
        "ReadError": "the connection broke",
        "WriteError": "the connection broke",
        "RemoteProtocolError": "the answer broke off",
        "SSLError": "the connection was garbled",
    }.get(type(error).__name__, type(error).__name__)
    return f"{name}: {error}" if str(error) else name


def _is_untrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
