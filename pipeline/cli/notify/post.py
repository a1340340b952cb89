"""A notice to an address: one POST, and again where nobody took it. Being told twice harms nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Final

import anyio

from pipeline.errors import NotSent, OutcomeUnknown, PipelineError, Untrusted
from pipeline.pacing import backoff_s, retry_after_s
from pipeline.policy.verdict import Backoff
from pipeline.providers.access import Access
from pipeline.providers.base import Reply, Request
from pipeline.transport import Transport, connect

TRIES: Final = 3
TRY_S: Final = 10.0
RETRY_AFTER_S_MAX: Final = 10.0
"""Who asks for a longer rest is not asked again."""
PATIENCE: Final = Backoff(base_s=1.0, cap_s=4.0)


class Undelivered(PipelineError):
    """A notice did not arrive."""


async def post(url: str, body: bytes, *, chance: Random, patience: Backoff = PATIENCE) -> None:
    """POST the JSON *body* to *url*, as the transport sends everything: by the environment's proxies, with
    certificates checked, and following nothing.

    Raises `Undelivered`.
    """
    try:
        async with connect(Access(base_url=url), submits=1, downloads=0) as transport:
            for tries in range(1, TRIES + 1):
                reason, again_s = await _tried(transport, body)
                if not reason:
                    return
                if again_s is None or tries == TRIES:
                    raise Undelivered(reason)
                waits_s = backoff_s(tries, base_s=patience.base_s, cap_s=patience.cap_s, spread=chance.random())
                await anyio.sleep(max(waits_s, again_s))
    except PipelineError as error:  # a proxy that cannot be used, too
        raise Undelivered(str(error)) from error


async def _tried(transport: Transport, body: bytes) -> tuple[str, float | None]:
    """Why it was not taken, empty where it was; and in how many seconds at least it may be tried again, if at all."""
    request = Request(method="POST", path="", headers={"content-type": "application/json"}, body=body)
    try:
        return _judged(await transport.submit(request, deadline_s=TRY_S))
    except (NotSent, OutcomeUnknown) as error:
        return str(error), 0.0
    except Untrusted as error:
        return str(error), None


def _judged(reply: Reply) -> tuple[str, float | None]:
    if 200 <= reply.status < 300:
        return "", None
    if 300 <= reply.status < 400:
        return f"it answers {reply.status}: it leads elsewhere, and nothing is followed", None
    words = f"it answers {reply.status}"
    if reply.status < 500 and reply.status not in (408, 429):
        return words, None
    asked_s = retry_after_s(reply.headers.get("retry-after", ""), now=datetime.now(UTC)) or 0.0
    return words, asked_s if asked_s <= RETRY_AFTER_S_MAX else None
