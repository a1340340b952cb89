"""Where a download may be led: a gateway may keep its videos elsewhere, and what it says is not to be trusted.

- https only. Plain http, and any other address of this machine, only where the configured provider is itself on this
  machine: the sandbox and its rehearsals live there.
- Never to an address that is not public: a private network's, this machine's, a cloud's own (169.254.169.254), nor one
  of these in the clothes of IPv6. The configured origin itself is always allowed.
- A URL that two readers could read differently is refused rather than read: RFC 3986 and the WHATWG's URL Standard
  disagree about `127.1`, `0x7f.1`, backslashes and userinfo, and so do programs.
- Nothing that proves who we are goes anywhere but to the configured origin, and not even there once we have left it.
- What is said of a URL is scheme, host and path: the query of a signed link is a key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import quote, urljoin, urlsplit

from pipeline.errors import Misled
from pipeline.loopback import is_loopback

HOPS_MAX = 3
URL_CHARACTERS_MAX = 8192
SHOWN_CHARACTERS_MAX = 200

_FOLLOWED = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_ABSOLUTE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_ANY_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_6TO4, _NAT64 = IPv6Network("2002::/16"), IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One place on the way to a video's bytes."""

    scheme: str
    host: str
    """In lower case, without brackets or a trailing dot; an address in its one normal form."""
    port: int
    target: str
    """Path and query, as they go over the wire."""
    at_home: bool = True
    """Whether we never left the configured origin: only then do we say who we are."""

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def netloc(self) -> str:
        """Host and port, as a Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.target}"

    @property
    def shown(self) -> str:
        """Fit for a message: without the query, bounded."""
        whole = f"{self.scheme}://{self.netloc}{self.target.partition('?')[0]}"
        return whole if len(whole) <= SHOWN_CHARACTERS_MAX else f"{whole[: SHOWN_CHARACTERS_MAX - 1]}…"


def led_to(status: int, headers: Mapping[str, str]) -> str | None:
    """Where an answer leads instead of being one; `None`: it is one. Header names are in lower case."""
    return headers.get("location") if status in _FOLLOWED else None


def home_of(base_url: str) -> Hop:
    """The configured origin. Raises `Misled` where the URL is none."""
    return _parsed(base_url)


def is_same_place(one: str, other: str) -> bool:
    """Whether two base URLs are one, however they are written: in capitals, with the port, with a last dot, by another
    name of this machine.
    """
    try:
        return _place(home_of(one)) == _place(home_of(other))
    except Misled:
        return False


def _place(hop: Hop) -> tuple[str, str, int, str]:
    return hop.scheme, "localhost" if is_loopback(hop.host) else hop.host, hop.port, hop.target


def next_hop(came_from: Hop, location: str, *, home: Hop) -> Hop:
    """The place that *location* names, seen from *came_from*. Raises `Misled` where we do not go."""
    there = _parsed(_joined(came_from.url, _plain(location)))
    if there.origin == home.origin:
        return replace(there, at_home=came_from.at_home)
    if there.scheme != "https" and not (is_loopback(home.host) and is_loopback(there.host)):
        raise refused(there, "that is not https")
    return replace(there, at_home=False)


def check_address(there: Hop, address: str, *, home: Hop, admits: Callable[[str], bool]) -> None:
    """Raise `Misled` where *there* may not be reached at *address*, one of those that its name stands for."""
    if there.origin == home.origin or admits(address) or (is_loopback(home.host) and is_loopback(address)):
        return
    named = "" if address == there.host else f" ({address})"
    raise refused(there, f"that is no public address{named}")


def is_public(address: str) -> bool:
    """Whether *address* is somebody's on the open internet; what an IPv6 address wraps is looked into."""
    try:
        there = ip_address(address)
    except ValueError:
        return False
    if isinstance(there, IPv6Address) and (wrapped := _wrapped(there)) is not None:
        there = wrapped
    return there.is_global and not (
        there.is_multicast
        or there.is_reserved
        or there.is_private
        or there.is_loopback
        or there.is_link_local
        or there.is_unspecified
        or (isinstance(there, IPv6Address) and (there.is_site_local or there.teredo is not None))
    )


def address_of_literal(there: Hop) -> str:
    """The address, where the host is written as one; else empty."""
    return there.host if ":" in there.host or there.host.replace(".", "").isdigit() else ""


def refused(there: Hop, why: str) -> Misled:
    """That we do not go *there*, in words."""
    return Misled(f"it is redirected to {there.shown}, and is not followed: {why}")


def _wrapped(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that 6to4 (RFC 3056) or NAT64 (RFC 6052) would carry a packet to."""
    if address in _6TO4:
        return address.sixtofour
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None


def _joined(base: str, location: str) -> str:
    """*location* seen from *base*. (`urljoin` alone would take `https:x` and `https://` for paths.)"""
    try:
        return location if _ABSOLUTE.match(location) else urljoin(base, location)
    except ValueError:
        raise Misled("it is redirected to what is no URL") from None


def _plain(location: str) -> str:
    """*location* in ASCII: bytes beyond it are percent-encoded, as browsers do; blanks and backslashes are refused."""
    if not location or len(location) > URL_CHARACTERS_MAX:
        raise Misled("it is redirected to nowhere, or to a URL of absurd length")
    if any(c <= " " or c in "\\\x7f" for c in location):
        raise Misled("it is redirected to what is no URL: it holds a blank, a control character or a backslash")
    return quote(location.encode("latin-1"), safe=_ANY_ASCII)


def _parsed(url: str) -> Hop:
    """*url* as a hop. Raises `Misled` where it is none, or could be read in two ways."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Misled("it is redirected to what is no URL") from None
    if parts.scheme not in _PORTS:
        raise Misled(f"it is redirected to a URL of the kind '{parts.scheme[:20]}', and is not followed")
    if "@" in parts.netloc:
        raise Misled("it is redirected to a URL that holds credentials, and is not followed")
    host = _host(parts.hostname or "")
    if not host or port == 0:
        raise Misled(f"it is redirected to {parts.netloc[:60]!r}, which is no host to go to")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Hop(scheme=parts.scheme, host=host, port=port or _PORTS[parts.scheme], target=target)


def _host(written: str) -> str:
    """*written* in its one normal form; empty where it has none."""
    host = written.lower().removesuffix(".")
    try:
        if ":" in host:
            return "" if "%" in host else str(IPv6Address(host))
        if _NUMBER.fullmatch(host.rpartition(".")[2]):
            return str(IPv4Address(host))
    except ValueError:
        return ""
    return host if _NAME.fullmatch(host) else ""
