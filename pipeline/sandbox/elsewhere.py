"""Films on another origin, as a storage service keeps them: reached by a signed link, and without a key."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final
from urllib.parse import quote

from starlette.requests import Request

from pipeline.sandbox.refusal import Refused


class Elsewhere:
    """The links. The other origin is a second port of the same server."""

    ROUTE: Final = "/elsewhere/{id}"
    PREFIX: Final = "/elsewhere/"

    def __init__(self, key: str, port: int | None, header: str) -> None:
        """*header* is the one that shows the key where it belongs; empty: none does."""
        self._key = key.encode()
        self._port = port
        self._header = header

    def link(self, request: Request, video_id: str) -> str:
        """Where whoever sent *request* finds the film."""
        url = request.url.replace(port=self._port or request.url.port, path=self.PREFIX + quote(video_id, safe=""))
        return str(url.replace(query=f"signature={self._signature(video_id)}"))

    def check(self, request: Request) -> None:
        """Raises `Refused` for a wrong link, and for a key: it was shown to a host that it is not for."""
        if self._header and self._header in request.headers:
            raise Refused(400, "Only one way to show who you are is allowed: the link is signed, send no key.")
        given = request.query_params.get("signature", "")
        if not hmac.compare_digest(given.encode(), self._signature(request.path_params["id"]).encode()):
            raise Refused(403, "The signature of this link is wrong.", code="access_denied")

    def _signature(self, video_id: str) -> str:
        return hmac.new(self._key, video_id.encode(), hashlib.sha256).hexdigest()
