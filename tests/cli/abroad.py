"""Those who are away: an address that takes notices and keeps them, with paths that answer otherwise."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "/hooks/T0-canary-B0/x7f3a9c81bd"
"""A path that nobody else may know."""


@dataclass
class Abroad:
    """What came, and from where to send."""

    base_url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    asked: Counter[str] = field(default_factory=Counter)
    troubles: int = 0
    """So many times `/weak` answers 503 before it takes something."""

    @property
    def hook(self) -> str:
        return self.base_url + SECRET

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    def answer(self, path: str) -> tuple[int, dict[str, str]]:
        self.asked[path] += 1
        if path == "/moved":
            return 302, {"Location": f"{self.base_url}/elsewhere"}
        if path == "/missing":
            return 404, {}
        if path == "/weak" and self.asked[path] <= self.troubles:
            return 503, {}
        return 200, {}


@contextlib.contextmanager
def serving() -> Iterator[Abroad]:
    """A real server on loopback."""
    abroad = Abroad()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status, headers = abroad.answer(self.path)
            if status == 200:
                abroad.bodies.append(body)
                abroad.kinds.add(self.headers["content-type"])
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - the base class's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        abroad.base_url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield abroad
        finally:
            server.shutdown()
            thread.join()
