"""How videos are doing, one or many, and the end of them."""

from __future__ import annotations

import itertools

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pipeline.sandbox import status
from pipeline.sandbox.content import Content
from pipeline.sandbox.downloads import Downloads
from pipeline.sandbox.gateway import Gateway, as_json
from pipeline.sandbox.paging import page_of, paging
from pipeline.sandbox.refusal import invalid, unknown


class Looks:
    """The routes."""

    def __init__(self, gateway: Gateway, downloads: Downloads) -> None:
        self._gateway, self._downloads = gateway, downloads

    async def list_page(self, request: Request) -> Response:
        gateway = self._gateway
        wire = gateway.dress.profile.wire
        if not gateway.settings.lists:
            taken = wire.paths["list"] == wire.paths["submit"]  # and so the path is there, for a POST
            raise HTTPException(405, headers={"Allow": "POST"}) if taken else HTTPException(404)
        limit, newest_first = paging(request.query_params)
        after = request.query_params.get("after")
        orders = gateway.store.after(after, newest_first=newest_first)
        if orders is None:
            raise invalid("after", f"No video with id '{(after or '')[:200]}' found.")
        now = gateway.clock()
        listed = (order for order in orders if status.is_listed(order, gateway.settings, now))
        videos = [gateway.video(order) for order in itertools.islice(listed, None if wire.list_is_whole else limit)]
        page = page_of(videos, has_more=next(listed, None) is not None)
        return gateway.seen(gateway.mischief.of_page(), videos, lambda: gateway.dress.page(page, videos))

    async def retrieve(self, request: Request) -> Content | Response:
        gateway = self._gateway
        order = gateway.find(request.path_params["id"])
        if gateway.dress.profile.wire.looks == "content":  # it is asked for its content here
            return await self._downloads.of(order, request)
        fault = gateway.mischief.of_look(order)
        if fault and fault.word == "unknown":
            raise unknown(order.id)
        video, besides = gateway.video(order), await self._downloads.besides(order, request)
        http = gateway.dress.look_http(video)
        return gateway.seen(fault, [video], lambda: gateway.dress.video(video, "look", **besides), http)

    async def delete(self, request: Request) -> Response:
        gateway, profile = self._gateway, self._gateway.dress.profile
        order, now = gateway.find(request.path_params["id"]), gateway.clock()
        fate = gateway.fate(order)
        is_over = fate == status.CANCELLED or (fate != "stuck" and status.is_over(order, gateway.settings, now))
        if not is_over and profile.cancels:
            gateway.store.cancel(order, now=now)
            if not profile.rehearsal.cancelled_is_gone:
                return as_json(gateway.dress.video(gateway.video(order), "delete"))
        elif not is_over:
            raise invalid("video_id", "Only a completed or failed video can be deleted.")
        elif not profile.deletes:
            raise invalid("video_id", "Only a video that is being rendered can be cancelled.")
        gateway.store.delete(order, now=now)
        return as_json(gateway.dress.deletion(order.id))
