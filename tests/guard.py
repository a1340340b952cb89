"""What no test may do: reach beyond this machine, or leave something in the project's own `outputs/`.

The sockets are guarded at `socket.socket` and `socket.getaddrinfo`, which asyncio, trio and plain code all go
through. A child process is not guarded; those that the tests start are ours and talk to loopback.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SETTINGS = re.compile(
    r".*_API_KEY|(.*_)?API_TOKEN|API_URL|OPENAI_.*|VIDBATCH_(?!CI$).*|.*_PROXY|FORCE_COLOR", re.IGNORECASE
)
"""Variables of the user's that would change what a test sees; VIDBATCH_CI is the tests' own."""


class BeyondLoopback(AssertionError):
    """A test tried to reach another machine. No `OSError`: the code under test must not take it for weather."""


def check_host(host: object) -> None:
    """Raise `BeyondLoopback` unless *host* is this machine."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name is None or name in ("", "localhost"):
        return
    try:
        loopback = ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise BeyondLoopback(f"a test must not reach {name!r}")


def keep_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sockets connect, send and look up names on this machine only."""

    def guarded(real: Callable[..., Any], address_at: int) -> Callable[..., Any]:
        def call(sock: socket.socket, *arguments: Any) -> Any:
            if sock.family in (socket.AF_INET, socket.AF_INET6):
                check_host(arguments[address_at][0])
            return real(sock, *arguments)

        return call

    for name, address_at in (("connect", 0), ("connect_ex", 0), ("sendto", -1)):
        monkeypatch.setattr(socket.socket, name, guarded(getattr(socket.socket, name), address_at))

    def look_up(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(host: object, *arguments: Any, **named: Any) -> Any:
            check_host(host)
            return real(host, *arguments, **named)

        return call

    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        monkeypatch.setattr(socket, name, look_up(getattr(socket, name)))


def forget_settings(monkeypatch: pytest.MonkeyPatch, names: Iterable[str]) -> None:
    """Take the user's own settings out of the environment."""
    for name in names:
        if SETTINGS.fullmatch(name):
            monkeypatch.delenv(name)


@contextmanager
def nothing_new_in(folder: Path) -> Iterator[None]:
    """Raise `AssertionError` where the body leaves something new in *folder*."""
    before = _names(folder)
    yield
    left = _names(folder) - before
    assert not left, f"a test left {sorted(left)} in {folder}"


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()
