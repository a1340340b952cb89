"""The POSTs that ask for a video: from words, from an image, or from a video made before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from pipeline.model import JSON, Link
from pipeline.sandbox import sequel, status, wish
from pipeline.sandbox.faults import MADE
from pipeline.sandbox.form import read_fields
from pipeline.sandbox.gateway import Gateway, as_json, body_of
from pipeline.sandbox.order import Order, Source
from pipeline.sandbox.refusal import gone, unknown

Asked: TypeAlias = tuple[Mapping[str, JSON], Source | None]
"""What is asked for, and what it builds on."""
Reader: TypeAlias = Callable[[Mapping[str, JSON], bool], Asked]
"""From the fields, and whether they came as multipart. Raises `Refused`."""


class Submits:
    """The routes."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def create(self, request: Request) -> Response:
        return await self.submit(request, await body_of(request))

    async def submit(self, request: Request, body: bytes) -> Response:
        """A video from words, or from an image."""

        def asked(fields: Mapping[str, JSON], multipart: bool) -> Asked:
            return wish.read(fields, multipart=multipart), None

        return await self._order(request, body, "submit", asked)

    async def remix(self, request: Request) -> Response:
        def asked(fields: Mapping[str, JSON], multipart: bool) -> Asked:  # noqa: ARG001 - both say the same
            return sequel.read(fields, self._source(request.path_params["id"], Link.REMIX), Link.REMIX)

        return await self._order(request, await body_of(request), "remix", asked)

    async def extend(self, request: Request) -> Response:
        return await self._go_on(request, "extend", Link.EXTEND)

    async def edit(self, request: Request) -> Response:
        return await self._go_on(request, "edit", Link.EDIT)

    async def _go_on(self, request: Request, call: str, link: Link) -> Response:
        """A video from the one that is named in the body."""

        def asked(fields: Mapping[str, JSON], multipart: bool) -> Asked:  # noqa: ARG001
            return sequel.read(fields, self._source(sequel.source_id(fields), link), link)

        return await self._order(request, await body_of(request), call, asked)

    async def _order(self, request: Request, body: bytes, call: str, asked: Reader) -> Response:
        """Answer a POST that asks for a video: *asked* says for what."""
        gateway, dress = self._gateway, self._gateway.dress
        key, content_type = request.headers.get("idempotency-key"), request.headers.get("content-type", "")
        dress.check_encoding(call, content_type)
        fields = dress.asked(await read_fields(content_type, body, dress.image), call)
        first = self._honoured(key)
        if first is not None:  # whatever has become of its source since
            taken, source = first.fields, first.source
        else:
            taken, source = asked(fields, content_type.lower().startswith("multipart/"))
        fault = gateway.mischief.of_submit(taken, source)
        if fault and fault.word not in MADE:
            return gateway.misdeed(fault)
        order = first or self._accepted(taken, source, hashlib.sha256(body).hexdigest(), key)
        if fault and fault.word != "no_id":
            return gateway.misdeed(fault)
        video = gateway.video(order) | ({"id": ""} if fault else {})
        return as_json(dress.video(video, call), dress.profile.rehearsal.accepted_http)

    def _accepted(self, fields: Mapping[str, JSON], source: Source | None, digest: str, key: str | None) -> Order:
        """A new order in the book. Raises `Refused` (429)."""
        gateway, store = self._gateway, self._gateway.store
        now = gateway.clock()
        status.check_limits(store.orders, gateway.settings, now, store.cancelled)
        video_id = gateway.dress.new_id(str(fields["model"]))
        return store.accept(fields, body_sha256=digest, idempotency_key=key, now=now, source=source, video_id=video_id)

    def _honoured(self, key: str | None) -> Order | None:
        """The first order that came with this Idempotency-Key, where such keys are honoured."""
        gateway = self._gateway
        return gateway.store.find_by_key(key) if gateway.settings.honours_keys and key is not None else None

    def _source(self, video_id: str, link: Link) -> Order:
        """The video that another is to be made from. Raises `Refused` (404, 400) where there is none to be had."""
        gateway, settings = self._gateway, self._gateway.settings
        order, now = gateway.store.find(video_id), gateway.clock()
        if order is None:
            raise unknown(video_id)
        fate = gateway.fate(order)
        if not status.is_completed(order, settings, now, fate):
            raise gone(settings.retention_s) if fate == "expired" else sequel.unfinished(video_id, link)
        if status.is_gone(order, settings, now):
            raise gone(settings.retention_s)
        return order
