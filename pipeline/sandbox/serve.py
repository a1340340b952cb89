"""The sandbox as a server of its own: a socket, a store and uvicorn around the app."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import MissingExtra, UsageError
from pipeline.sandbox.settings import Settings
from pipeline.sandbox.store import Store

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette

    from pipeline.sandbox.dress import Dress

GOODBYE_S = 2
"""How long open requests may take when the server ends."""


def require_extra() -> None:
    """Raises `MissingExtra` where what the server needs is not installed."""
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in ("av", "python_multipart", "starlette", "uvicorn")):
        raise MissingExtra("sandbox", "the sandbox")


def serve(
    folder: Path,
    settings: Settings,
    key: str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    on_listening: Callable[[str], None],
    until_closed: int | None = None,
    dress: Dress | None = None,
) -> None:
    """Serve until a signal comes, or the file descriptor *until_closed* ends. Blocks.

    *on_listening* is told the base URL once clients can connect; *dress*: see `app.create_app`.
    Raises `UsageError` where the folder or the port is taken, `MissingExtra`.
    """
    require_extra()
    from pipeline.sandbox.app import create_app

    with Store(folder) as store, listen(host, port) as listener, listen(host, 0) as second:
        server = server_of(create_app(store, settings, key, second_port=second.getsockname()[1], dress=dress))
        if until_closed is not None:
            threading.Thread(target=_end_with, args=(until_closed, server), daemon=True).start()
        path = dress.profile.base_path if dress else "/v1"
        on_listening(base_url(host, listener.getsockname()[1], path))
        server.run(sockets=[listener, second])


def server_of(app: Starlette) -> uvicorn.Server:
    """uvicorn, as the sandbox wants it."""
    import uvicorn

    from pipeline.sandbox.line import Line

    config = uvicorn.Config(
        app,
        access_log=False,
        date_header=False,  # the app has a clock of its own
        http=Line,
        lifespan="off",
        log_level="warning",
        timeout_graceful_shutdown=GOODBYE_S,
        ws="none",
    )
    return uvicorn.Server(config)


def base_url(host: str, port: int, path: str = "/v1") -> str:
    """Where clients find a server on *host* and *port*."""
    return f"http://[{host}]:{port}{path}" if ":" in host else f"http://{host}:{port}{path}"


def listen(host: str, port: int) -> socket.socket:
    """A socket that clients can reach. Raises `UsageError` where the port cannot be had."""
    # The protocol is named, because asyncio turns off Nagle's algorithm only where it is; without, each answer of two
    # segments waits 40 ms for a delayed acknowledgement.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        raise UsageError(f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}") from None
    return listener


def _end_with(descriptor: int, server: uvicorn.Server) -> None:
    """Whoever holds the other end of *descriptor* has ended, and so does the server."""
    while os.read(descriptor, 4096):
        pass
    server.should_exit = True
