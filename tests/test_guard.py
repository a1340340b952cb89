"""The guard over all tests does guard: whatever library asks, nothing leaves this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import anyio
import httpx
import pytest

from tests import guard
from tests.guard import BeyondLoopback

AWAY = "192.0.2.1"  # TEST-NET-1, RFC 5737: nobody's address
NAMED = "vidbatch.invalid"  # RFC 2606: nobody's name

both_loops = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])


@pytest.mark.parametrize(
    "reach",
    [
        lambda: socket.create_connection((AWAY, 80), timeout=1),
        lambda: socket.create_connection((NAMED, 80), timeout=1),
        lambda: socket.socket().connect_ex((AWAY, 80)),
        lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::1", 80)),
        lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", (AWAY, 53)),
        lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", 0, (AWAY, 53)),
        lambda: socket.getaddrinfo(NAMED, 80),
        lambda: socket.getaddrinfo(NAMED.encode(), 80),
        lambda: socket.gethostbyname(NAMED),
        lambda: socket.gethostbyname_ex(NAMED),
        lambda: httpx.get(f"http://{AWAY}/", trust_env=False),
    ],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_plain_socket_reaches_nothing_beyond_loopback(reach: Callable[[], object]) -> None:
    with pytest.raises(BeyondLoopback):
        reach()


@both_loops
@pytest.mark.anyio
@pytest.mark.parametrize("host", [AWAY, NAMED])
async def test_an_async_socket_reaches_nothing_beyond_loopback(host: str) -> None:
    with pytest.raises((BeyondLoopback, ExceptionGroup)) as caught:
        await anyio.connect_tcp(host, 80)

    assert isinstance(_innermost(caught.value), BeyondLoopback)


@both_loops
@pytest.mark.anyio
@pytest.mark.parametrize("host", [AWAY, NAMED])
async def test_an_async_http_client_reaches_nothing_beyond_loopback(host: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises((BeyondLoopback, ExceptionGroup)) as caught:
            await client.get(f"http://{host}/")

    assert isinstance(_innermost(caught.value), BeyondLoopback)


@both_loops
@pytest.mark.anyio
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_loopback_can_be_reached(host: str) -> None:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with await anyio.connect_tcp(host, port) as stream:
            assert stream.extra(anyio.abc.SocketAttribute.remote_port) == port


def test_an_unnamed_socket_of_this_machine_is_let_through() -> None:
    left, right = socket.socketpair()
    with left, right:
        assert left.send(b"x") == 1


def test_none_of_the_users_settings_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = ["OPENAI_API_KEY", "API_TOKEN", "API_URL", "DMXAPI_API_KEY", "VIDBATCH_HOME", "https_proxy", "ALL_PROXY"]
    for name in theirs:
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("VID_OTHER", "stays")

    guard.forget_settings(monkeypatch, tuple(os.environ))

    assert not set(theirs) & os.environ.keys()
    assert os.environ["VID_OTHER"] == "stays"


def test_what_a_test_leaves_in_outputs_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "outputs"
    with guard.nothing_new_in(folder):
        pass
    folder.mkdir()
    (folder / "README.md").touch()

    with pytest.raises(AssertionError, match="harbour"), guard.nothing_new_in(folder):
        (folder / "harbour").mkdir()


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
