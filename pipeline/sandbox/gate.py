"""What every request passes: the key is checked, the request counted, the answer given a number."""

from __future__ import annotations

import hmac
import itertools
import logging
import re
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from email.utils import formatdate
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.model import JSON
from pipeline.sandbox.doors import Door
from pipeline.sandbox.dress import Dress
from pipeline.sandbox.elsewhere import Elsewhere
from pipeline.sandbox.refusal import Refused

_STORAGE: Final = (Elsewhere.ROUTE, re.compile(r"/elsewhere/[^/]+"))
_ELSEWHERE: Final = "elsewhere"
_DEBUG: Final = "/debug/"
ANSWERED: Final = "sandbox.answered"
"""A message of ours, to be counted and not sent: the answer went out past the server."""
NO_ANSWER: Final = 0
"""In the place of an HTTP status."""
_BROKEN: Final = Refused(
    500, "The server had an error while processing your request.", kind="server_error", problem="trouble"
)


class Tally:
    """How many requests there were, by method, route and HTTP status, since the start. Debug routes do not count."""

    def __init__(self, doors: Sequence[Door]) -> None:
        self._routes = (*((door.path, door.pattern) for door in doors), _STORAGE)
        self._counts: Counter[tuple[str, str, int]] = Counter()

    def add(self, method: str, path: str, status: int) -> None:
        if not path.startswith(_DEBUG):
            route = next((name for name, pattern in self._routes if pattern.fullmatch(path)), _ELSEWHERE)
            self._counts[method, route, status] += 1

    def as_json(self) -> list[JSON]:
        return [
            {"method": method, "route": route, "status": status, "count": count}
            for (method, route, status), count in sorted(self._counts.items())
        ]


class Gate:
    """ASGI middleware in front of the whole app."""

    def __init__(self, app: ASGIApp, *, key: str, dress: Dress, tally: Tally, clock: Callable[[], float]) -> None:
        self._app = app
        self._clock = clock
        self._dress, self._auth = dress, dress.profile.wire.auth
        self._header, self._expected = self._auth.header.encode(), f"{self._auth.prefix}{key}".encode()
        self._tally = tally
        self._start = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        scope = {**scope, "path": scope["raw_path"].decode("ascii", "replace")}  # an encoded `/` parts no segments
        request_id = f"req_{self._start}{next(self._numbers):08x}".encode()

        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] in {"http.response.start", ANSWERED}:
                started = True
                self._tally.add(scope["method"], scope["path"], message["status"])
            if message["type"] == ANSWERED:
                return
            if message["type"] == "http.response.start":
                date = formatdate(self._clock(), usegmt=True).encode()
                message["headers"] = [*message["headers"], (b"date", date), (b"x-request-id", request_id)]
            await send(message)

        refusal = self._check(scope)
        if refusal is not None:
            return await self._told(refusal)(scope, receive, answer)
        try:
            await self._app(scope, receive, answer)
        except ClientDisconnect:  # it left before its body was here: nothing was ordered, and nobody hears an answer
            pass
        except Exception:
            if started:
                raise  # the server logs it, and breaks the connection: what was promised cannot be sent
            # Not raised: the connection would break unannounced, and whoever uses it next could not know what it did.
            logging.getLogger(__name__).exception("%s %s failed", scope["method"], scope["path"])
            await self._told(_BROKEN)(scope, receive, answer)
        if not started:
            self._tally.add(scope["method"], scope["path"], NO_ANSWER)
        return None

    def _check(self, scope: Scope) -> Refused | None:
        if not self._header or scope["path"].startswith(Elsewhere.PREFIX):
            return None
        given: bytes = next((value for name, value in scope["headers"] if name == self._header), b"")
        if hmac.compare_digest(given, self._expected):
            return None
        if not given:
            shown = f"{self._auth.header.title()}: {self._auth.prefix}KEY"
            return Refused(401, f"You didn't provide an API key, as '{shown}'.", problem="bad_key")
        return Refused(401, "Incorrect API key provided.", code="invalid_api_key", problem="bad_key")

    def _told(self, refused: Refused) -> JSONResponse:
        http, document = self._dress.refusal(refused)
        return JSONResponse(document, http)
