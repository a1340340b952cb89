"""This very machine, by its names."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from pipeline.model import EMBEDDED


def is_loopback(host: str) -> bool:
    """Whether *host*, a name or an address without brackets, is this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def place_words(origin: str) -> str:
    """Where *origin* is, for people; empty where it is not known."""
    if origin == EMBEDDED:
        return "the embedded sandbox, on this machine"
    return f"{origin}, on this machine" if is_here(origin) else origin


def is_here(origin: str) -> bool:
    """Whether *origin*, a base URL or `EMBEDDED`, is an address of this machine."""
    return origin == EMBEDDED or is_loopback(urlsplit(origin).hostname or "")
