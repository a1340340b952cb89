"""The gateway: `/v1/videos` as OpenAI's API had it, over the store, the shelf of films and the clock."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping
from time import time
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.errors import UsageError
from pipeline.model import JSON
from pipeline.sandbox import status, wish
from pipeline.sandbox.content import Content
from pipeline.sandbox.form import fields_of
from pipeline.sandbox.gate import Gate, Tally
from pipeline.sandbox.order import Order
from pipeline.sandbox.refusal import Refused, invalid, unknown
from pipeline.sandbox.settings import Settings
from pipeline.sandbox.shelf import Shelf
from pipeline.sandbox.store import Store

BODY_BYTES_MAX: Final = 64 * 1024 * 1024
PAGE_DEFAULT, PAGE_MAX = 20, 100


def create_app(store: Store, settings: Settings, key: str, clock: Callable[[], float] = time) -> Starlette:
    """The sandbox as an ASGI app. *key* is what clients must show; *clock* gives Unix seconds."""
    tally = Tally()
    gateway = _Gateway(store, settings, clock, tally)
    app = Starlette(
        routes=[
            Route("/v1/videos", gateway.create, methods=["POST"]),
            Route("/v1/videos", gateway.list_page, methods=["GET"]),
            Route("/v1/videos/{id}", gateway.retrieve, methods=["GET"]),
            Route("/v1/videos/{id}", gateway.delete, methods=["DELETE"]),
            Route("/v1/videos/{id}/content", gateway.content, methods=["GET"]),
            Route("/debug/book", gateway.book, methods=["GET"]),
            Route("/debug/requests", gateway.requests, methods=["GET"]),
            Route("/debug/settings", gateway.read_settings, methods=["GET"]),
            Route("/debug/settings", gateway.change_settings, methods=["PATCH"]),
        ],
        middleware=[Middleware(Gate, key=key, tally=tally)],
        exception_handlers={Refused: _refused, HTTPException: _not_found},
    )
    app.router.redirect_slashes = False
    return app


class _Gateway:
    """The routes. Every answer is worked out from the orders, the settings and the time of asking."""

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], float], tally: Tally) -> None:
        self.store, self.settings, self.clock, self.tally = store, settings, clock, tally
        self.shelf = Shelf(store.folder)

    async def create(self, request: Request) -> Response:
        body = await _body(request)
        content_type = request.headers.get("content-type", "")
        multipart = content_type.lower().startswith("multipart/")
        fields = wish.read(fields_of(content_type, body), multipart=multipart)
        idempotency_key = request.headers.get("idempotency-key")
        now = self.clock()
        if self.settings.honours_keys and idempotency_key is not None:
            first = self.store.find_by_key(idempotency_key)
            if first is not None:
                return self._answer(first, now)
        status.check_limits(self.store.orders, self.settings, now)
        digest = hashlib.sha256(body).hexdigest()
        order = self.store.accept(fields, body_sha256=digest, idempotency_key=idempotency_key, now=now)
        return self._answer(order, now)

    async def list_page(self, request: Request) -> Response:
        if not self.settings.lists:
            raise HTTPException(405, headers={"Allow": "POST"})
        limit, newest_first = _paging(request.query_params)
        after = request.query_params.get("after")
        orders = self.store.after(after, newest_first=newest_first)
        if orders is None:
            raise invalid("after", f"No video with id '{(after or '')[:200]}' found.")
        now = self.clock()
        page = [status.video(order, self.settings, now) for order in itertools.islice(orders, limit)]
        return _json(
            {
                "object": "list",
                "data": page,  # type: ignore[dict-item]  # a list of objects is JSON; list is invariant
                "first_id": page[0]["id"] if page else None,
                "last_id": page[-1]["id"] if page else None,
                "has_more": next(orders, None) is not None,
            }
        )

    async def retrieve(self, request: Request) -> Response:
        return self._answer(self._find(request), self.clock())

    async def content(self, request: Request) -> Content:
        order, now = self._find(request), self.clock()
        variant = request.query_params.get("variant", "video")
        if variant != "video":
            raise invalid("variant", f"Invalid value: '{variant[:40]}'. This server has only 'video'.", "invalid_value")
        if not status.is_completed(order, self.settings, now):
            raise Refused(404, "Video is not ready yet, use GET /v1/videos/{video_id} to check status.")
        if status.is_gone(order, self.settings, now):
            hours = f"{self.settings.retention_s / 3600:g}"
            raise Refused(404, f"The video is no longer available. Downloads expire after {hours} hours.")
        return Content(await self.shelf.take(order, self.settings))

    async def delete(self, request: Request) -> Response:
        order, now = self._find(request), self.clock()
        if not status.is_completed(order, self.settings, now):
            raise invalid("video_id", "Only a completed or failed video can be deleted.")
        self.store.delete(order, now=now)
        return _json({"id": order.id, "object": "video.deleted", "deleted": True})

    async def book(self, _request: Request) -> Response:
        return _json({"object": "book", "entries": [order.as_json() for order in self.store.orders]})

    async def requests(self, _request: Request) -> Response:
        return _json({"object": "requests", "counts": self.tally.as_json()})

    async def read_settings(self, _request: Request) -> Response:
        return _json(self.settings.as_json())

    async def change_settings(self, request: Request) -> Response:
        try:
            wishes = json.loads(await _body(request))
            self.settings = self.settings.changed(wishes if isinstance(wishes, dict) else {"": wishes})
        except (ValueError, UsageError) as error:
            raise Refused(400, str(error)) from None
        return _json(self.settings.as_json())

    def _find(self, request: Request) -> Order:
        video_id: str = request.path_params["id"]
        order = self.store.find(video_id)
        if order is None:
            raise unknown(video_id)
        return order

    def _answer(self, order: Order, now: float) -> Response:
        return _json(status.video(order, self.settings, now))


def _paging(query: Mapping[str, str]) -> tuple[int, bool]:
    """How many, and whether newest first."""
    limit, order = query.get("limit", str(PAGE_DEFAULT)), query.get("order", "desc")
    if not (limit.isascii() and limit.isdigit() and int(limit) <= PAGE_MAX):
        raise invalid("limit", f"Invalid 'limit': expected a whole number from 0 to {PAGE_MAX}.", "invalid_value")
    if order not in {"asc", "desc"}:
        raise invalid("order", "Invalid 'order': supported values are: 'asc' and 'desc'.", "invalid_value")
    return int(limit), order == "desc"


async def _body(request: Request) -> bytes:
    blocks, length = [], 0
    async for block in request.stream():
        length += len(block)
        if length > BODY_BYTES_MAX:
            raise Refused(413, f"The body is larger than {BODY_BYTES_MAX} bytes.")
        blocks.append(block)
    return b"".join(blocks)


def _json(document: Mapping[str, JSON]) -> Response:
    return Response(json.dumps(document, separators=(",", ":")), media_type="application/json")


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return JSONResponse(error.document, error.http, headers=error.headers)


async def _not_found(request: Request, error: Exception) -> Response:
    """No such route, or not with this method."""
    assert isinstance(error, HTTPException)
    words = {404: "Invalid URL", 405: "Method not allowed"}.get(error.status_code, "Bad request")
    refusal = Refused(error.status_code, f"{words} ({request.method} {request.url.path})")
    return JSONResponse(refusal.document, refusal.http, headers=error.headers)
