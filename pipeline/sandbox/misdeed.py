"""Answers that are wrong as a whole: an error, no answer, or one that says nothing. By the fault's word."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Final

from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from pipeline.model import JSON
from pipeline.sandbox.faults import ERRORS, Faults
from pipeline.sandbox.line import gone, line_of
from pipeline.sandbox.refusal import Refused

_REASONS: Final = {
    "500": "Internal Server Error",
    "502": "Bad Gateway",
    "503": "Service Temporarily Unavailable",
    "504": "Gateway Time-out",
    "520": "Web server is returning an unknown error",
    "524": "A timeout occurred",
}
_PAGE: Final = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>\n"


class Reset(Response):
    """No answer: the connection is reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI's signature
        line_of(scope).reset()
        await gone(receive)


class Silence(Response):
    """No answer: the connection stays open until the client gives up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI's signature
        line_of(scope).held = True
        await gone(receive)


def misdeed(word: str, faults: Faults, now: float) -> Response:
    """The answer that *word* means, whether it comes before the entry in the book or after it.

    Raises `Refused` where that is a refusal in the API's shape.
    """
    return _ANSWERS[word.removesuffix("_after").removesuffix("_before")](faults, now)


def broken(document: Mapping[str, JSON]) -> Response:
    """JSON that ends in the middle."""
    text = json.dumps(document)
    return Response(text[: len(text) // 2], media_type="application/json")


def _page(title: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(title), status)


def _error(code: str) -> Callable[[Faults, float], Response]:
    return lambda _faults, _now: _page(f"{code} {_REASONS[code]}", int(code))


def _wait(status: int, header: Callable[[Faults, float], str] | None = None) -> Callable[[Faults, float], Response]:
    """Not now; nothing was made. *header* gives the Retry-After."""
    code, said = ("rate_limit_exceeded", "Rate limit reached.") if status == 429 else ("overloaded", "No capacity.")
    problem = "throttled" if status == 429 else ""

    def answer(faults: Faults, now: float) -> Response:
        headers = {"Retry-After": header(faults, now)} if header else None
        raise Refused(status, said, kind="requests", code=code, headers=headers, problem=problem)

    return answer


def _seconds(faults: Faults, _now: float) -> str:
    return str(math.ceil(faults.retry_after_s))


def _date(faults: Faults, now: float) -> str:
    return formatdate(math.ceil(now + faults.retry_after_s), usegmt=True)


def _refused(_faults: Faults, _now: float) -> Response:
    message = "Your request was refused: the prompt may violate our content policy."
    raise Refused(400, message, code="content_policy_violation", problem="rejected")


def _no_such_model(_faults: Faults, _now: float) -> Response:
    message = "The model does not exist or you do not have access to it."
    raise Refused(404, message, code="model_not_found", problem="no_such_model")


def _no_money(_faults: Faults, _now: float) -> Response:
    message = "You exceeded your current quota, please check your plan and billing details."
    raise Refused(429, message, kind="insufficient_quota", code="insufficient_quota", problem="no_money")


_ANSWERS: Final[Mapping[str, Callable[[Faults, float], Response]]] = {
    **{code: _error(code) for code in ERRORS},
    "429": _wait(429),
    "429_seconds": _wait(429, _seconds),
    "429_date": _wait(429, _date),
    "503_seconds": _wait(503, _seconds),
    "refused": _refused,
    "no_such_model": _no_such_model,
    "no_money": _no_money,
    "reset": lambda _faults, _now: Reset(),
    "no_answer": lambda _faults, _now: Silence(),
    "html": lambda _faults, _now: _page("Please wait"),
}
