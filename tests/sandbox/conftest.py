"""A sandbox to talk to over real HTTP, with a clock that the test holds."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.model import JSON
from pipeline.sandbox.app import create_app
from pipeline.sandbox.dress import Dress, own_dress
from pipeline.sandbox.serve import listen, server_of
from pipeline.sandbox.store import Store

TLS = ssl.create_default_context()
"""Made once: a client would make its own, which takes as long as a hundred requests."""
KEY = "a-key-for-tests"
WISH = {"prompt": "a heron at dawn", "model": "sora-2", "seconds": "4", "size": "64x64"}


class Clock:
    """Unix seconds, as the test sets them."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.25

    def __call__(self) -> float:
        return self.now


@dataclass
class Gateway:
    """A running sandbox, and a client that shows its key."""

    client: httpx.Client
    clock: Clock
    folder: Path

    def create(self, headers: dict[str, str] | None = None, /, **fields: str) -> dict[str, Any]:
        """Ask for a video as multipart; the video object."""
        reply = self.client.post("/videos", files=multipart(WISH | fields), headers=headers or {})
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def get(self, path: str, **query: str) -> dict[str, Any]:
        return dict(self.client.get(path, params=query).raise_for_status().json())

    def debug(self, name: str) -> dict[str, Any]:
        url = self.client.base_url.copy_with(path=f"/debug/{name}")
        return dict(self.client.get(url).raise_for_status().json())

    def change(self, wishes: JSON) -> httpx.Response:
        return self.client.patch(self.client.base_url.copy_with(path="/debug/settings"), json=wishes)


def multipart(fields: dict[str, str]) -> dict[str, tuple[None, str]]:
    """Fields as plain parts, as the SDK sends them."""
    return {name: (None, value) for name, value in fields.items()}


@contextlib.contextmanager
def running(folder: Path, clock: Clock, *, dress: Dress | None = None, **wishes: JSON) -> Iterator[Gateway]:
    """A sandbox in a thread of this process, so that it reads the test's clock; the client shows the key as *dress* has
    it, and is there where its calls are.
    """
    worn = dress or own_dress()
    auth = worn.profile.wire.auth
    with (
        Store(folder) as store,
        listen("127.0.0.1", 0) as listener,
        listen("127.0.0.1", 0) as second,
    ):
        second_port = second.getsockname()[1]
        settings = worn.settings().changed(wishes)
        server = server_of(create_app(store, settings, KEY, clock, second_port=second_port, dress=dress))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener, second]})
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}{worn.profile.base_path}"
        try:
            shown = {auth.header: f"{auth.prefix}{KEY}"} if auth.header else {}
            with httpx.Client(base_url=url, headers=shown, timeout=60, verify=TLS) as client:
                yield Gateway(client, clock, folder)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Gateway]]:
    """Start a sandbox with the given settings; it ends with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda **wishes: stack.enter_context(running(tmp_path / "sandbox", clock, **wishes))


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One for all tests of a module that leave nothing behind."""
    with running(tmp_path_factory.mktemp("standing"), Clock(), render_s=0, film={"constant_bytes": 5000}) as gateway:
        yield gateway


@pytest.fixture
def gateway(start: Callable[..., Gateway]) -> Gateway:
    """One with the settings it has by itself."""
    return start()
