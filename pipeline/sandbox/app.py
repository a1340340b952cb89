"""The gateway: `/v1/videos` as OpenAI's API had it, over the store, the shelf of films and the clock."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from time import time
from typing import Final, TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from pipeline.errors import UsageError
from pipeline.model import JSON, Link
from pipeline.sandbox import sequel, status, wish
from pipeline.sandbox.content import Content
from pipeline.sandbox.elsewhere import Elsewhere
from pipeline.sandbox.faults import MADE, SPOILT
from pipeline.sandbox.form import read_fields
from pipeline.sandbox.gate import Gate, Tally
from pipeline.sandbox.mischief import Fault, Mischief
from pipeline.sandbox.misdeed import broken, misdeed, without_id
from pipeline.sandbox.order import Order, Source
from pipeline.sandbox.paging import page_of, paging
from pipeline.sandbox.refusal import Refused, invalid, not_ready, unknown
from pipeline.sandbox.settings import Settings
from pipeline.sandbox.shelf import Shelf
from pipeline.sandbox.spoilt import Spoilt
from pipeline.sandbox.store import Store

BODY_BYTES_MAX: Final = 64 * 1024 * 1024

Asked: TypeAlias = tuple[Mapping[str, JSON], Source | None]
"""What is asked for, and what it builds on."""


def create_app(
    store: Store, settings: Settings, key: str, clock: Callable[[], float] = time, *, second_port: int | None = None
) -> Starlette:
    """The sandbox as an ASGI app, to be served with `line.Line` as the protocol.

    *key* is what clients must show; *clock* gives Unix seconds. Redirects lead to *second_port*, where the same app is.
    """
    tally = Tally()
    gateway = _Gateway(store, settings, clock, tally, Elsewhere(key, second_port))
    app = Starlette(
        routes=[
            Route("/v1/videos", gateway.create, methods=["POST"]),
            Route("/v1/videos/extensions", gateway.extend, methods=["POST"]),
            Route("/v1/videos/{id}/remix", gateway.remix, methods=["POST"]),
            Route("/v1/videos", gateway.list_page, methods=["GET"]),
            Route("/v1/videos/{id}", gateway.retrieve, methods=["GET"]),
            Route("/v1/videos/{id}", gateway.delete, methods=["DELETE"]),
            Route("/v1/videos/{id}/content", gateway.content, methods=["GET"]),
            Route(Elsewhere.ROUTE, gateway.elsewhere, methods=["GET"]),
            Route("/debug/book", gateway.book, methods=["GET"]),
            Route("/debug/requests", gateway.requests, methods=["GET"]),
            Route("/debug/settings", gateway.read_settings, methods=["GET"]),
            Route("/debug/settings", gateway.change_settings, methods=["PATCH"]),
        ],
        middleware=[Middleware(Gate, key=key, tally=tally, clock=gateway.shown_time)],
        exception_handlers={Refused: _refused, HTTPException: _not_found},
    )
    app.router.redirect_slashes = False
    return app


class _Gateway:
    """The routes. Every answer is worked out from the orders, the settings, the faults and the time of asking."""

    def __init__(
        self, store: Store, settings: Settings, clock: Callable[[], float], tally: Tally, elsewhere: Elsewhere
    ) -> None:
        self.store, self.settings, self.clock, self.tally = store, settings, clock, tally
        self.shelf = Shelf(store.folder)
        self.place = elsewhere
        self.mischief = Mischief(store.orders)
        self.mischief.begin(settings.faults)

    def shown_time(self) -> float:
        """What the clock of the answers shows."""
        return self.clock() + self.settings.clock_skew_s

    async def create(self, request: Request) -> Response:
        def asked(fields: Mapping[str, JSON], *, multipart: bool) -> Asked:
            return wish.read(fields, multipart=multipart), None

        return await self._order(request, asked)

    async def remix(self, request: Request) -> Response:
        def asked(fields: Mapping[str, JSON], *, multipart: bool) -> Asked:  # noqa: ARG001 - both say the same
            return sequel.read(fields, self._source(request.path_params["id"], Link.REMIX), Link.REMIX)

        return await self._order(request, asked)

    async def extend(self, request: Request) -> Response:
        def asked(fields: Mapping[str, JSON], *, multipart: bool) -> Asked:  # noqa: ARG001
            return sequel.read(fields, self._source(sequel.source_id(fields), Link.EXTEND), Link.EXTEND)

        return await self._order(request, asked)

    async def _order(self, request: Request, asked: Callable[..., Asked]) -> Response:
        """Answer a POST that asks for a video: *asked* says for what, or raises `Refused`."""
        body, key = await _body(request), request.headers.get("idempotency-key")
        content_type = request.headers.get("content-type", "")
        fields = await read_fields(content_type, body)
        first = self._honoured(key)
        if first is not None:  # whatever has become of its source since
            taken, source = first.fields, first.source
        else:
            taken, source = asked(fields, multipart=content_type.lower().startswith("multipart/"))
        fault = self.mischief.of_submit(taken, source)
        if fault and fault.word not in MADE:
            return self._misdeed(fault)
        order = first or self._accepted(taken, source, hashlib.sha256(body).hexdigest(), key)
        if fault and fault.word == "no_id":
            return without_id(self._video(order))
        return self._misdeed(fault) if fault else self._answer(order)

    def _accepted(self, fields: Mapping[str, JSON], source: Source | None, digest: str, key: str | None) -> Order:
        """A new order in the book. Raises `Refused` (429)."""
        now = self.clock()
        status.check_limits(self.store.orders, self.settings, now)
        return self.store.accept(fields, body_sha256=digest, idempotency_key=key, now=now, source=source)

    def _honoured(self, key: str | None) -> Order | None:
        """The first order that came with this Idempotency-Key, where such keys are honoured."""
        return self.store.find_by_key(key) if self.settings.honours_keys and key is not None else None

    def _source(self, video_id: str, link: Link) -> Order:
        """The video that another is to be made from. Raises `Refused` (404, 400) where there is none to be had."""
        order, now = self.store.find(video_id), self.clock()
        if order is None:
            raise unknown(video_id)
        fate = self.mischief.fate(order)
        if not status.is_completed(order, self.settings, now, fate):
            raise self._gone() if fate == "expired" else sequel.unfinished(video_id, link)
        if status.is_gone(order, self.settings, now):
            raise self._gone()
        return order

    async def list_page(self, request: Request) -> Response:
        if not self.settings.lists:
            raise HTTPException(405, headers={"Allow": "POST"})
        limit, newest_first = paging(request.query_params)
        after = request.query_params.get("after")
        orders = self.store.after(after, newest_first=newest_first)
        if orders is None:
            raise invalid("after", f"No video with id '{(after or '')[:200]}' found.")
        now = self.clock()
        listed = (order for order in orders if status.is_listed(order, self.settings, now))
        page = [self._video(order) for order in itertools.islice(listed, limit)]
        return self._seen(self.mischief.of_page(), page, page_of(page, has_more=next(listed, None) is not None))

    async def retrieve(self, request: Request) -> Response:
        order = self._find(request)
        fault = self.mischief.of_look(order)
        if fault and fault.word == "unknown":
            raise unknown(order.id)
        video = self._video(order)
        return self._seen(fault, [video], video)

    def _seen(self, fault: Fault | None, videos: Sequence[dict[str, JSON]], document: Mapping[str, JSON]) -> Response:
        """The answer to a look: *document*, which shows *videos*, or what *fault* makes of it."""
        if fault is None:
            return _json(document)
        if fault.word == "broken":
            return broken(document)
        if fault.word == status.ODD:
            for video in videos:
                video["status"] = status.ODD_STATUS
            return _json(document)
        return self._misdeed(fault)

    async def content(self, request: Request) -> Content | Response:
        order, now = self._find(request), self.clock()
        variant = request.query_params.get("variant", "video")
        if variant != "video":
            raise invalid("variant", f"Invalid value: '{variant[:40]}'. This server has only 'video'.", "invalid_value")
        fault = self.mischief.of_content(order)
        if fault and fault.word not in SPOILT:
            return self._kept_back(fault, order, request)
        self._check_kept(order, now)
        reel = await self.shelf.take(order, self.settings)
        return Spoilt(reel, fault) if fault else Content(reel)

    async def elsewhere(self, request: Request) -> Content:
        """The film behind the link that a redirect gave."""
        order = self._find(request)
        self.place.check(request)
        self._check_kept(order, self.clock())
        return Content(await self.shelf.take(order, self.settings))

    def _check_kept(self, order: Order, now: float) -> None:
        """Raises `Refused` where there is no film yet, or no more."""
        fate = self.mischief.fate(order)
        is_over = status.is_over(order, self.settings, now)
        if is_over and (fate == "expired" or status.is_gone(order, self.settings, now)):
            raise self._gone()
        if not status.is_completed(order, self.settings, now, fate):
            raise not_ready()

    def _kept_back(self, fault: Fault, order: Order, request: Request) -> Response:
        """An answer to a download that holds no film."""
        if fault.word == "redirect":
            return RedirectResponse(self.settings.faults.redirect_to or self.place.link(request, order.id), 302)
        if fault.word == "gone":
            raise self._gone()
        if fault.word == "not_ready_200":
            return _json({**self._video(order), "status": "in_progress", "progress": 99})
        if fault.word.startswith("not_ready"):
            raise not_ready(int(fault.word[-3:]))
        return self._misdeed(fault)

    def _gone(self) -> Refused:
        hours = f"{self.settings.retention_s / 3600:g}"
        return Refused(404, f"The video is no longer available. Downloads expire after {hours} hours.")

    async def delete(self, request: Request) -> Response:
        order, now = self._find(request), self.clock()
        fate = self.mischief.fate(order)
        if fate == "stuck" or not status.is_over(order, self.settings, now):
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
            if isinstance(wishes, dict) and "faults" in wishes:
                self.mischief.begin(self.settings.faults)
        except (ValueError, UsageError) as error:
            raise Refused(400, str(error)) from None
        return _json(self.settings.as_json())

    def _find(self, request: Request) -> Order:
        video_id: str = request.path_params["id"]
        order = self.store.find(video_id)
        if order is None:
            raise unknown(video_id)
        return order

    def _video(self, order: Order) -> dict[str, JSON]:
        return status.video(order, self.settings, self.clock(), self.mischief.fate(order))

    def _answer(self, order: Order) -> Response:
        return _json(self._video(order))

    def _misdeed(self, fault: Fault) -> Response:
        return misdeed(fault.word, self.settings.faults, self.shown_time())


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
