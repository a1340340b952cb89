"""What every route of the sandbox works with: the book, the films, the faults, the clock and the dress."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pipeline.model import JSON
from pipeline.sandbox import status
from pipeline.sandbox.dress import Dress
from pipeline.sandbox.mischief import Fault, Mischief
from pipeline.sandbox.misdeed import broken, misdeed
from pipeline.sandbox.order import Order
from pipeline.sandbox.refusal import Refused, unknown
from pipeline.sandbox.settings import Settings
from pipeline.sandbox.store import Store

BODY_BYTES_MAX: Final = 64 * 1024 * 1024


class Gateway:
    """Every answer is worked out from the orders, the settings, the faults and the time of asking."""

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], float], dress: Dress) -> None:
        self.store, self.settings, self.clock, self.dress = store, settings, clock, dress
        self.mischief = Mischief(store.orders)
        self.mischief.begin(settings.faults)

    def shown_time(self) -> float:
        """What the clock of the answers shows."""
        return self.clock() + self.settings.clock_skew_s

    def find(self, video_id: str) -> Order:
        """The order of a video. Raises `Refused` where there is none."""
        order = self.store.find(video_id)
        if order is None:
            raise unknown(video_id)
        return order

    def fate(self, order: Order) -> str:
        """What becomes, or has become, of its video."""
        return status.CANCELLED if order.id in self.store.cancelled else self.mischief.fate(order)

    def video(self, order: Order) -> dict[str, JSON]:
        """The video object, in our own words."""
        return status.video(order, self.settings, self.clock(), self.fate(order))

    def misdeed(self, fault: Fault) -> Response:
        """The answer that *fault* means. Raises `Refused` where that is a refusal."""
        return misdeed(fault.word, self.settings.faults, self.shown_time())

    def seen(
        self,
        fault: Fault | None,
        videos: Sequence[dict[str, JSON]],
        dressed: Callable[[], Mapping[str, JSON]],
        http: int = 200,
    ) -> Response:
        """The answer to a look at *videos*: the document that *dressed* makes of them, or what *fault* makes of it."""
        if fault is None:
            return as_json(dressed(), http)
        if fault.word == "broken":
            return broken(dressed())
        if fault.word != status.ODD:
            return self.misdeed(fault)
        for video in videos:
            video["status"] = status.ODD_STATUS
        return as_json(dressed())


async def body_of(request: Request) -> bytes:
    """The whole body. Raises `Refused` (413)."""
    blocks, length = [], 0
    async for block in request.stream():
        length += len(block)
        if length > BODY_BYTES_MAX:
            raise Refused(413, f"The body is larger than {BODY_BYTES_MAX} bytes.", problem="rejected")
        blocks.append(block)
    return b"".join(blocks)


def as_json(document: Mapping[str, JSON], http: int = 200) -> Response:
    """A document as it is answered."""
    return Response(json.dumps(document, separators=(",", ":")), http, media_type="application/json")
