"""The `/v1/videos` dialect: create, look, list, content. OpenAI made the shape known; many servers speak it.

Rules with a source (those of the POSTs are in `videos_submit`):
- An id is opaque, may hold `=` and `/`, and is one path segment, percent-encoded.
- An id is never replaced by one from a later answer: some servers answer a look with another id.
- A 400 whose body is a video object is a real status (vLLM-Omni answers a refused video so).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from math import inf, isnan

from pipeline.model import JSON, VIDEO_ID_CHARS_MAX, Job, Profile
from pipeline.providers.base import (
    NO_INPUTS,
    Inputs,
    Observation,
    Page,
    Problem,
    Refusal,
    Reply,
    Request,
    Status,
    Submission,
)
from pipeline.providers.replies import clean, complaint, excerpt, mapping, moment, read_error, text
from pipeline.providers.videos_submit import submit_request, video_path
from pipeline.providers.words import read_word

LIST_LIMIT = 100
"""The most that one page of the list may hold (OpenAI's API reference, "List videos")."""

_MONEY_CODES = frozenset(
    {
        *("insufficient_quota", "billing_hard_limit_reached", "quota_exceeded"),  # OpenAI
        # the new-api family, mostly with 403: relay/relay_task.go and types/error.go there
        *("insufficient_user_quota", "pre_consume_token_quota_failed", "quota_not_enough"),
    }
)
_NO_CHANNEL_CODES = frozenset({"model_not_found"})
"""What the new-api family says, with 503, before it has asked anybody: middleware/distributor.go there."""
_NOT_READY = ("not ready", "not completed", "in progress", "in-progress")
_GONE = ("no longer available", "expire")
"""What a 404 of `content` says when it does not mean that the video is unknown: OpenAI, new-api, SGLang."""

_ABSENT_UPSTREAM = re.compile(r"\bstatus(?: code)?:? 404\b")
"""How new-api's content proxy words an upstream 404, which it wraps as a 502 (controller/video_proxy.go there)."""

_ON_SUBMIT: dict[int, Problem] = {
    401: Problem.BAD_KEY,
    402: Problem.NO_MONEY,
    403: Problem.BAD_KEY,
    408: Problem.TROUBLE,
    409: Problem.TROUBLE,
    425: Problem.THROTTLED,
    429: Problem.THROTTLED,
}
_ON_LOOK: dict[int, Problem] = {
    400: Problem.TROUBLE,
    401: Problem.BAD_KEY,
    403: Problem.BAD_KEY,
    404: Problem.UNKNOWN_ID,
    410: Problem.GONE,
    425: Problem.THROTTLED,
    429: Problem.THROTTLED,
}
_ON_CONTENT: dict[int, Problem] = {
    **_ON_LOOK,
    202: Problem.NOT_READY,
    400: Problem.NOT_READY,
    409: Problem.NOT_READY,
    425: Problem.NOT_READY,
}


class Videos:
    """The dialect. It has no state; the profile says what differs from server to server."""

    def submit(self, job: Job, profile: Profile, *, key: str, inputs: Inputs = NO_INPUTS) -> Request:
        return submit_request(job, profile, key=key, inputs=inputs)

    def read_submit(self, reply: Reply, profile: Profile) -> Submission | Refusal:
        if not 200 <= reply.status < 300:
            return _refusal(reply, _problem(reply, _ON_SUBMIT, other=Problem.REJECTED))
        raw = mapping(reply.body)
        video_id = "" if raw is None else text(raw.get("id")) or text(raw.get("task_id"))
        if raw is None or not 0 < len(video_id) <= VIDEO_ID_CHARS_MAX:
            refusal = _refusal(reply, Problem.TROUBLE)
            return replace(refusal, message=f"an answer without an id: {refusal.message}")
        return Submission(video_id=video_id, observation=read_video(raw, profile, video_id), raw=raw)

    def look(self, video_id: str, profile: Profile) -> Request:  # noqa: ARG002 - other servers' paths differ
        return Request(method="GET", path=video_path(video_id))

    def read_look(self, reply: Reply, profile: Profile) -> Observation | Refusal:
        raw = mapping(reply.body)
        if raw is not None and (200 <= reply.status < 300 or _is_video(raw, reply)):
            return read_video(raw, profile, text(raw.get("id")))
        if reply.status == 400 and complaint(reply.body)[0] == "task_not_exist":  # new-api: not 404
            return _refusal(reply, Problem.UNKNOWN_ID)
        return _refusal(reply, _problem(reply, _ON_LOOK, other=Problem.TROUBLE))

    def look_at_page(self, after: str | None, profile: Profile) -> Request:  # noqa: ARG002
        query = {"limit": str(LIST_LIMIT), "order": "desc"} | ({"after": after} if after else {})
        return Request(method="GET", path="/videos", query=query)

    def read_page(self, reply: Reply, profile: Profile) -> Page | Refusal:
        raw = mapping(reply.body)
        rows = None if raw is None else raw.get("data")
        if reply.status != 200 or raw is None or not isinstance(rows, list):
            return _refusal(reply, _problem(reply, _ON_LOOK, other=Problem.TROUBLE))
        seen = [read_video(row, profile, text(row.get("id"))) for row in rows if isinstance(row, dict)]
        last = text(raw.get("last_id")) or (seen[-1].video_id if seen else "")
        more = raw.get("has_more")
        is_last = more is False and len(seen) == len(rows)
        return Page(observations=tuple(seen), after=last if more is True and last else None, is_last=is_last)

    def content(self, video_id: str, profile: Profile) -> Request:  # noqa: ARG002
        return Request(method="GET", path=f"{video_path(video_id)}/content")

    def read_no_content(self, reply: Reply, profile: Profile) -> Refusal:  # noqa: ARG002
        refusal = _refusal(reply, _problem(reply, _ON_CONTENT, other=Problem.TROUBLE))
        said = refusal.message.lower()
        if reply.status == 404 and any(words in said for words in _NOT_READY):
            return replace(refusal, problem=Problem.NOT_READY)
        if reply.status == 502 and _ABSENT_UPSTREAM.search(said):
            return replace(refusal, problem=Problem.UNKNOWN_ID)
        if reply.status == 404 and any(words in said for words in _GONE):
            return replace(refusal, problem=Problem.GONE)
        return refusal


def read_video(raw: Mapping[str, JSON], profile: Profile, video_id: str) -> Observation:
    """A video object, tolerantly: unknown fields pass, wrong types are as good as absent."""
    word = text(raw.get("status"))
    status, known = read_word(word, profile.status_words)
    code, message = read_error(raw) if status in (Status.FAILED, Status.CANCELLED) else ("", "")
    prompt, model = raw.get("prompt"), raw.get("model")
    return Observation(
        video_id=video_id,
        status=status,
        word=clean(word, 60),
        known_word=known,
        progress=_progress(raw.get("progress")),
        created_at=moment(raw.get("created_at")),
        expires_at=moment(raw.get("expires_at")),
        code=code,
        message=message,
        prompt=prompt if isinstance(prompt, str) and prompt else None,
        model=model if isinstance(model, str) and model else None,
        seconds=_seconds(raw.get("seconds")),
        size=_size(raw.get("size")),
        made_from=text(raw["remixed_from_video_id"]) if "remixed_from_video_id" in raw else None,
    )


def _progress(value: JSON) -> float | None:
    """A share of 100, from a number or from text such as `30%`."""
    try:
        share = float(text(value).rstrip("% "))
    except ValueError:
        return None
    return None if isnan(share) else min(max(share, 0.0), 100.0)


def _seconds(value: JSON) -> float | None:
    """A length, from a number or from text such as `8` or `8s`."""
    try:
        seconds = float(text(value).rstrip("s "))
    except ValueError:
        return None
    return seconds if 0.0 < seconds < inf else None


def _size(value: JSON) -> str | None:
    """A size in pixels, however it is written: `1280x720`, `1280*720`, `1280X720`."""
    size = text(value).strip().lower().replace("*", "x").replace("×", "x")
    return size if re.fullmatch(r"[0-9]+x[0-9]+", size) else None


def _is_video(raw: Mapping[str, JSON], reply: Reply) -> bool:
    return reply.status == 400 and raw.get("object") == "video" and bool(text(raw.get("status")))


def _problem(reply: Reply, table: Mapping[int, Problem], *, other: Problem) -> Problem:
    """What a refusal means: by its code where that speaks of money, else by its HTTP status."""
    code, _ = complaint(reply.body) if reply.status >= 400 else ("", "")
    if code in _MONEY_CODES:
        return Problem.NO_MONEY
    if reply.status in table:
        return table[reply.status]
    if reply.status == 503 and ("retry-after" in reply.headers or code in _NO_CHANNEL_CODES):
        return Problem.THROTTLED
    if reply.status >= 500:
        return Problem.TROUBLE
    return Problem.WRONG_ADDRESS if 300 <= reply.status < 400 else other


def _refusal(reply: Reply, problem: Problem) -> Refusal:
    code, message = complaint(reply.body)
    return Refusal(
        problem=problem,
        http=reply.status,
        code=code,
        message=message or f"HTTP {reply.status}",
        retry_after=reply.headers.get("retry-after", ""),
        excerpt=excerpt(reply),
    )
