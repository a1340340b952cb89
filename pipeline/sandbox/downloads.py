"""What comes of a finished video: its bytes, or a document that has or names them, and its pictures."""

from __future__ import annotations

import json
from base64 import b64encode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipeline.model import JSON
from pipeline.sandbox import status
from pipeline.sandbox.content import Content
from pipeline.sandbox.elsewhere import Elsewhere
from pipeline.sandbox.faults import FAILURES, SPOILT
from pipeline.sandbox.gateway import Gateway, as_json
from pipeline.sandbox.mischief import Fault
from pipeline.sandbox.order import Order
from pipeline.sandbox.refusal import failed, gone, invalid, not_ready
from pipeline.sandbox.shelf import VIDEO, Shelf, reel_of
from pipeline.sandbox.spoilt import Spoilt


class Downloads:
    """The routes."""

    def __init__(self, gateway: Gateway, elsewhere: Elsewhere) -> None:
        self._gateway, self._place = gateway, elsewhere
        self._wire = gateway.dress.profile.wire
        self._shelf = Shelf(gateway.store.folder)
        self._behind_links: dict[str, Fault] = {}
        """By id: what the link that was given last leads to, where that is no good film."""

    async def content(self, request: Request) -> Content | Response:
        order = self._gateway.find(request.path_params["id"])
        variant = request.query_params.get("variant", "video")
        if variant != "video":
            return await self._still(order, variant)
        if self.is_in_look:
            raise HTTPException(404)
        return await self.of(order, request)

    async def of(self, order: Order, request: Request) -> Content | Response:
        """The video in the style of the dress, or whatever fault is next. Raises `Refused` where there is none."""
        fault = self._gateway.mischief.of_content(order)
        if fault and fault.word not in SPOILT:
            return self._kept_back(fault, order, request)
        self._check_kept(order)
        if self._wire.content == "link":
            self._behind_links.pop(order.id, None)
            if fault:
                self._behind_links[order.id] = fault
            return as_json(self._gateway.dress.content("link", self._place.link(request, order.id)))
        if self._wire.content == "bytes":
            return await self._film(order, fault)
        text = await self._base64(order)
        document = self._gateway.dress.content("bytes", text, content_type=VIDEO, size_bytes=len(text) * 3 // 4)
        reel = reel_of(json.dumps(document).encode(), "application/json", etag=f'"{order.id}"')
        return Spoilt(reel, fault) if fault else Content(reel)

    async def besides(self, order: Order, request: Request) -> dict[str, JSON]:
        """What the answer to a look has of the content, where that is its place."""
        gateway, now = self._gateway, self._gateway.clock()
        is_there = status.is_completed(order, gateway.settings, now, gateway.fate(order))
        if not self.is_in_look or not is_there:
            return {}
        if self._wire.content == "link":  # it is told for ever, and leads to nothing one day
            return {"link": self._place.link(request, order.id)}
        self._check_kept(order)
        return {"bytes": await self._base64(order)}

    async def elsewhere(self, request: Request) -> Content | Response:
        """The film behind a link."""
        order = self._gateway.find(request.path_params["id"])
        self._place.check(request)
        fault = self._behind_links.get(order.id)
        if self.is_in_look and self._wire.looks == "status":  # there is no other request for content
            fault = self._gateway.mischief.of_content(order)
        if fault and fault.word not in SPOILT:
            return self._kept_back(fault, order, request)
        self._check_kept(order)
        return await self._film(order, fault)

    @property
    def is_in_look(self) -> bool:
        """Whether the answer to a look has it, and there is no call for it alone."""
        return self._gateway.dress.content_call == "look" and self._gateway.dress.profile.dialect == "videos"

    async def _film(self, order: Order, fault: Fault | None) -> Content:
        reel = await self._shelf.take(order, self._gateway.settings)
        return Spoilt(reel, fault) if fault else Content(reel)

    async def _base64(self, order: Order) -> str:
        reel = await self._shelf.take(order, self._gateway.settings)
        with reel.file:
            return b64encode(reel.file.read()).decode()

    async def _still(self, order: Order, variant: str) -> Content:
        has = self._gateway.dress.profile.variants
        if variant not in has:
            known = " and ".join(f"'{name}'" for name in ("video", *has))
            message = f"Invalid value: '{variant[:40]}'. This server has only {known}."
            raise invalid("variant", message, "invalid_value")
        self._check_kept(order)
        return Content(await self._shelf.take_still(order, self._gateway.settings, variant))

    def _check_kept(self, order: Order) -> None:
        """Raises `Refused` where there is no film yet, no more, or never."""
        gateway, settings, now = self._gateway, self._gateway.settings, self._gateway.clock()
        fate, is_over = gateway.fate(order), status.is_over(order, settings, now)
        ended = fate == status.CANCELLED or (is_over and fate in FAILURES)
        if ended and gateway.dress.tells("failed", gateway.dress.content_call):
            raise failed()
        if is_over and not ended and (fate == "expired" or status.is_gone(order, settings, now)):
            raise gone(settings.retention_s)
        if not status.is_completed(order, settings, now, fate):
            raise not_ready()

    def _kept_back(self, fault: Fault, order: Order, request: Request) -> Response:
        """An answer to a download that holds no film."""
        gateway = self._gateway
        if fault.word == "redirect":
            return RedirectResponse(gateway.settings.faults.redirect_to or self._place.link(request, order.id), 302)
        if fault.word == "gone":
            raise gone(gateway.settings.retention_s)
        if fault.word == "not_ready_200":
            video = {**gateway.video(order), "status": "in_progress", "progress": 99}
            return as_json(gateway.dress.video(video, "content"))
        if fault.word.startswith("not_ready"):
            raise not_ready(int(fault.word[-3:]), problem="")  # with this very status, whatever it says else
        return gateway.misdeed(fault)
