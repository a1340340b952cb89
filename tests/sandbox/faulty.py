"""Asking a sandbox that misbehaves, and telling what came of it."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from pipeline.model import JSON
from tests.sandbox.conftest import WISH, Gateway

ANSWER_S = 30.0
SILENCE_S = 0.5
"""How long to wait for an answer that comes, and for one that does not."""


def wait_s(expected: str) -> float:
    """How long to wait where *expected* is what will be seen."""
    return SILENCE_S if expected == "silence" else ANSWER_S


def demand(gateway: Gateway, **faults: JSON) -> None:
    """From now on the sandbox has these *faults*, and no others."""
    gateway.change({"faults": faults}).raise_for_status()


def seen(ask: Callable[[], httpx.Response]) -> str:
    """What the client saw: `200 json`, `503 html`, `reset`, `silence`, `cut`."""
    try:
        reply = ask()
    except httpx.ReadTimeout:
        return "silence"
    except httpx.ReadError:
        return "reset"
    except httpx.RemoteProtocolError:
        return "cut"
    kind = reply.headers.get("content-type", "").partition(";")[0].partition("/")[2]
    return f"{reply.status_code} {kind}".strip()


def create(gateway: Gateway, wait_s: float = ANSWER_S, **fields: str) -> httpx.Response:
    """Ask for a video, whatever comes of it."""
    return gateway.client.post("/videos", json=WISH | fields, timeout=wait_s)


def look(gateway: Gateway, path: str, wait_s: float = ANSWER_S) -> httpx.Response:
    """Ask for *path*, whatever comes of it."""
    return gateway.client.get(path, timeout=wait_s)


def booked(gateway: Gateway) -> int:
    """How many videos would have been billed."""
    return len(gateway.debug("book")["entries"])
