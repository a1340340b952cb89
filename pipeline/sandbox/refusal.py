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
        problem: str = "",
    ) -> None:
        """*problem* is the word of `providers.base.Problem` for it; empty: no profile has words for this."""
        super().__init__(message)
        self.http, self.message, self.kind, self.param, self.code = http, message, kind, param, code
        self.problem = problem
        self.call = ""
        """What was asked for, where the route does not say it."""
        self.headers = dict(headers or {})

    @property
    def document(self) -> dict[str, JSON]:
        """As the API has it."""
        return self.object_of(self.code, self.message)

    def object_of(self, code: str | None, message: str) -> dict[str, JSON]:
        """The same with another code and other words."""
        return {"error": {"message": message, "type": self.kind, "param": self.param, "code": code}}


def invalid(param: str, message: str, code: str | None = None) -> Refused:
    """The request is wrong, at *param*."""
    return Refused(400, message, param=param, code=code, problem="rejected")


def unknown(video_id: str) -> Refused:
    """There is no such video."""
    return Refused(404, f"Video with id '{video_id[:200]}' not found.", param="video_id", problem="unknown_id")


def not_ready(http: int = 404, *, problem: str = "not_ready") -> Refused:
    """There is no film yet."""
    message = "Video is not ready yet, use GET /v1/videos/{video_id} to check status."
    return Refused(http, message, problem=problem)


def gone(retention_s: float) -> Refused:
    """There was a film."""
    message = f"The video is no longer available. Downloads expire after {retention_s / 3600:g} hours."
    return Refused(404, message, problem="gone")


def failed() -> Refused:
    """There never will be a film."""
    return Refused(400, "The video could not be generated.", problem="failed")


def too_many(message: str, *, wait_s: float) -> Refused:
    """Not now; nothing was made."""
    seconds = str(max(math.ceil(wait_s), 1))
    headers = {"Retry-After": seconds}
    return Refused(429, message, kind="requests", code="rate_limit_exceeded", headers=headers, problem="throttled")
