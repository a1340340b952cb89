"""Results that are asked for as videos are: by the same POST, with a model that makes none (dialect `responses`)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pipeline.sandbox import status
from pipeline.sandbox.content import Content
from pipeline.sandbox.downloads import Downloads
from pipeline.sandbox.form import json_object
from pipeline.sandbox.gateway import Gateway, body_of
from pipeline.sandbox.order import Order
from pipeline.sandbox.refusal import Refused, invalid, unknown
from pipeline.sandbox.submits import Submits


class Results:
    """The one route."""

    def __init__(self, gateway: Gateway, submits: Submits, downloads: Downloads) -> None:
        self._gateway, self._submits, self._downloads = gateway, submits, downloads
        wire = gateway.dress.profile.wire
        self._models = frozenset(wire.result_models.values())
        self._model, self._prompt = wire.fields["model"].name, wire.fields["prompt"].name

    async def respond(self, request: Request) -> Content | Response:
        """A submit, or the state of a video, or the video."""
        body = await body_of(request)
        self._gateway.dress.check_encoding("submit", request.headers.get("content-type", ""))
        fields = json_object(body)
        if fields.get(self._model) not in self._models:
            return await self._submits.submit(request, body)
        video_id = fields.get(self._prompt)
        if not isinstance(video_id, str):
            raise invalid(self._prompt, f"Missing required parameter: '{self._prompt}', the id of a video.")
        try:
            return await self._result(self._gateway.find(video_id), request)
        except Refused as refused:
            refused.call = self._gateway.dress.content_call
            raise

    async def _result(self, order: Order, request: Request) -> Content | Response:
        """What there is of it: of a video that is done its content, else how it is doing, as far as that is told."""
        gateway = self._gateway
        tells = gateway.dress.profile.wire.looks == "status"
        if not tells or status.is_completed(order, gateway.settings, gateway.clock(), gateway.fate(order)):
            return await self._downloads.of(order, request)
        fault = gateway.mischief.of_look(order)
        if fault and fault.word == "unknown":
            raise unknown(order.id)
        video = gateway.video(order)
        return gateway.seen(fault, [video], lambda: gateway.dress.video(video, "look"))
