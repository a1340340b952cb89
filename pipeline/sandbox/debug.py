"""What the sandbox tells of itself, and what can be set while it runs. No dress changes it."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response

from pipeline.errors import UsageError
from pipeline.sandbox.gate import Tally
from pipeline.sandbox.gateway import Gateway, as_json, body_of
from pipeline.sandbox.refusal import Refused


class Debug:
    """The routes."""

    def __init__(self, gateway: Gateway, tally: Tally) -> None:
        self._gateway, self._tally = gateway, tally

    async def book(self, _request: Request) -> Response:
        return as_json({"object": "book", "entries": [order.as_json() for order in self._gateway.store.orders]})

    async def requests(self, _request: Request) -> Response:
        return as_json({"object": "requests", "counts": self._tally.as_json()})

    async def read_settings(self, _request: Request) -> Response:
        return as_json(self._gateway.settings.as_json())

    async def change_settings(self, request: Request) -> Response:
        gateway = self._gateway
        try:
            wishes = json.loads(await body_of(request))
            gateway.settings = gateway.settings.changed(wishes if isinstance(wishes, dict) else {"": wishes})
            if isinstance(wishes, dict) and "faults" in wishes:
                gateway.mischief.begin(gateway.settings.faults)
        except (ValueError, UsageError) as error:
            raise Refused(400, str(error)) from None
        return as_json(gateway.settings.as_json())
