"""What the sandbox says when it does not do as asked: an error object in the API's shape, and its HTTP status."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pipeline.model import JSON


class Refused(Exception):
    """An answer other than the one asked for."""

    def __init__(
        self,
        http: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.http = http
        self.headers = dict(headers or {})
        self.document: dict[str, JSON] = {
            "error": {"message": message, "type": kind, "param": param, "code": code},
        }


def invalid(param: str, message: str, code: str | None = None) -> Refused:
    """The request is wrong, at *param*."""
    return Refused(400, message, param=param, code=code)


def unknown(video_id: str) -> Refused:
    """There is no such video."""
    return Refused(404, f"Video with id '{video_id[:200]}' not found.", param="video_id")


def not_ready(http: int = 404) -> Refused:
    """There is no film yet."""
    return Refused(http, "Video is not ready yet, use GET /v1/videos/{video_id} to check status.")


def too_many(message: str, *, wait_s: float) -> Refused:
    """Not now; nothing was made."""
    seconds = str(max(math.ceil(wait_s), 1))
    return Refused(429, message, kind="requests", code="rate_limit_exceeded", headers={"Retry-After": seconds})
