"""What recorded replies must be read as: a provider's own by their names, anybody's one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from pipeline.providers.base import Problem, Status

Expected: TypeAlias = "tuple[Problem, str, str]"

REQUIRED = {
    *("created", "queued", "in-progress", "completed", "failed"),
    *("refused", "bad-key", "throttled", "no-money", "no-such-model", "unknown-id", "not-ready", "gone"),
}
"""What must have been recorded of a provider before we say that we speak to it, or be said to be missing."""

MEANINGS: Mapping[str, tuple[str, object]] = {
    "created": ("submit", "accepted"),
    "remixed": ("remix", "accepted"),
    "extended": ("extend", "accepted"),
    "edited": ("edit", "accepted"),
    "queued": ("look", Status.WAITING),
    "in-progress": ("look", Status.RUNNING),
    "completed": ("look", Status.DONE),
    "failed": ("look", Status.FAILED),
    "refused": ("submit", Problem.REJECTED),
    "bad-key": ("submit", Problem.BAD_KEY),
    "no-money": ("submit", Problem.NO_MONEY),
    "no-such-model": ("submit", Problem.NO_SUCH_MODEL),
    "throttled": ("submit", Problem.THROTTLED),
    "unknown-id": ("look", Problem.UNKNOWN_ID),
    "unknown-id-content": ("content", Problem.UNKNOWN_ID),
    "not-ready": ("content", Problem.NOT_READY),
    "gone": ("content", Problem.GONE),
    "page": ("list", "a page"),
    "last-page": ("list", "a page"),
    "content-link": ("document", "found"),
    "deleted": ("delete", "deleted"),
}
"""By the first words of a recorded reply's name: what it answers, and what it must be read as."""

ANY_SUBMIT: dict[str, Expected] = {
    "refused-object": (Problem.REJECTED, "invalid_type", "expected a file"),
    "refused-object-without-code": (Problem.REJECTED, "invalid_request_error", "Inpaint image"),
    "refused-flat": (Problem.REJECTED, "invalid_request", "seconds is not supported"),
    "refused-detail-list": (Problem.REJECTED, "", "Field required; Input should be a valid integer"),
    "refused-detail-text": (Problem.REJECTED, "", "prompt is required"),
    "refused-text": (Problem.REJECTED, "", "Unsupported resolution"),
    "refused-number": (Problem.REJECTED, "1400", "no such size"),
    "refused-plain": (Problem.REJECTED, "", "Bad Request"),
    "refused-too-large": (Problem.REJECTED, "", "413 Request Entity Too Large"),
    "gone-410": (Problem.REJECTED, "", "HTTP 410"),
    "bad-gateway": (Problem.TROUBLE, "", "502 Bad Gateway"),
    "timed-out": (Problem.TROUBLE, "", "524: A timeout occurred"),
    "trouble-empty": (Problem.TROUBLE, "", "HTTP 500"),
    "trouble-with-a-word": (Problem.TROUBLE, "", "upstream request failed"),
    "trouble-unavailable": (Problem.TROUBLE, "upstream_saturated", "当前分组上游负载已饱和"),
    "conflict": (Problem.TROUBLE, "idempotency_error", "under way"),
    "throttled-seconds": (Problem.THROTTLED, "rate_limit_exceeded", "Rate limit"),
    "throttled-date": (Problem.THROTTLED, "429", "Too many running tasks"),
    "throttled-unavailable": (Problem.THROTTLED, "", "busy"),
    "no-money-object": (Problem.NO_MONEY, "insufficient_quota", "exceeded your current quota"),
    "no-money-type": (Problem.NO_MONEY, "insufficient_quota", "exceeded your current quota"),
    "no-money-flat": (Problem.NO_MONEY, "quota_not_enough", "not enough"),
    "no-money-402": (Problem.NO_MONEY, "", "HTTP 402"),
    "forbidden": (Problem.BAD_KEY, "invalid_request_error", "must be verified"),
    "moved": (Problem.WRONG_ADDRESS, "", "Moved"),
    "redirected": (Problem.WRONG_ADDRESS, "", "HTTP 307"),
    "nothing-said": (Problem.TROUBLE, "", "HTTP 200"),
    "no-id": (Problem.TROUBLE, "", '"model": "sora-2"'),
    "null-id": (Problem.TROUBLE, "", '"id": null'),
    "wrapped": (Problem.TROUBLE, "success", "HTTP 200"),
    "a-list": (Problem.TROUBLE, "", "video_1"),
    "login-page": (Problem.TROUBLE, "", "Log in"),
    "cut-short": (Problem.TROUBLE, "", '{"id": "video_1"'),
}

ANY_LOOK: dict[str, Problem] = {
    "unknown-id-detail": Problem.UNKNOWN_ID,
    "unknown-id-400": Problem.UNKNOWN_ID,
    "gone-410": Problem.GONE,
    "refused-flat": Problem.TROUBLE,
    "bad-gateway": Problem.TROUBLE,
    "timed-out": Problem.TROUBLE,
    "trouble-empty": Problem.TROUBLE,
    "trouble-with-a-word": Problem.TROUBLE,
    "conflict": Problem.TROUBLE,
    "throttled-seconds": Problem.THROTTLED,
    "throttled-unavailable": Problem.THROTTLED,
    "forbidden": Problem.BAD_KEY,
    "moved": Problem.WRONG_ADDRESS,
    "login-page": Problem.TROUBLE,
    "nothing-said": Problem.TROUBLE,
    "a-list": Problem.TROUBLE,
}

ANY_FAILURE: dict[str, tuple[str, str]] = {
    "failed-null": ("", ""),
    "failed-text": ("", "the upstream gave up"),
    "failed-object": ("moderation_blocked", "Your request was blocked by our moderation system."),
    "failed-number": ("400", "guardrail"),
    "failed-reason": ("", "no capacity"),
    "failed-in-a-400": ("400", "guardrail"),
    "failed-in-a-500": ("500", "out of memory"),
}

ANY_CONTENT: dict[str, Problem] = {
    "not-ready-202": Problem.NOT_READY,
    "not-ready-400": Problem.NOT_READY,
    "not-ready-404": Problem.NOT_READY,
    "not-ready-409": Problem.NOT_READY,
    "not-ready-425": Problem.NOT_READY,
    "gone-410": Problem.GONE,
    "unknown-id-detail": Problem.UNKNOWN_ID,
    "throttled-seconds": Problem.THROTTLED,
    "bad-gateway": Problem.TROUBLE,
    "trouble-empty": Problem.TROUBLE,
    "forbidden": Problem.BAD_KEY,
    "moved": Problem.WRONG_ADDRESS,
    "content-json": Problem.TROUBLE,
}
