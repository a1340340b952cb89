"""Whether an address may be sent a key: `https`, or `http` to this machine. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pipeline.loopback import is_loopback

_BLANK_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f]")


class BadAddress(ValueError):
    """An address we will not use; the message says why."""

    def __init__(self, code: str, message: str, *, secret: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.secret = secret


def checked_address(url: str) -> str:
    """*url* without a trailing slash. Raises `BadAddress`."""
    if _BLANK_OR_CONTROL.search(url):
        raise BadAddress("bad-url", "an address holds no blanks")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise BadAddress("bad-url", "this is no address; write https://HOST/v1") from None
    if parts.scheme not in ("https", "http") or not host:
        raise BadAddress("bad-url", "this is no address; write https://HOST/v1")
    if "@" in parts.netloc:
        message = "a name or password does not belong in an address; keys come from the environment"
        raise BadAddress("bad-url", message, secret=True)
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise BadAddress("bad-url", "an address ends with its version segment; remove what follows '?' or '#'")
    if parts.scheme == "http" and not is_loopback(host):
        raise BadAddress("insecure-url", "over http the key would travel readable; write https")
    return url.rstrip("/")
