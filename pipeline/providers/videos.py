"""The `/v1/videos` dialect: create, look, list, content. OpenAI made the shape known; many servers speak it.

Rules with a source (those of the POSTs are in `videos_submit`):
- An id is opaque, may hold `=` and `/`, and is one path segment, percent-encoded.
- An id is never replaced by one from a later answer: some servers answer a look with another id.
- A refusal whose body is a video object is a real status, 400 or 500 (vLLM-Omni answers for failed videos so).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from math import inf, isnan

from pipeline.model import JSON, VIDEO_ID_CHARS_MAX, Job, Link
from pipeline.profile import Profile
from pipeline.providers.answers import first, first_text, video_in
from pipeline.providers.base import (
    NO_INPUTS,
    Found,
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
from pipeline.providers.documents import DOCUMENT_BYTES_MAX, has_video, read_document
from pipeline.providers.documents import LOOK_BYTES as DOCUMENT_LOOK_BYTES
from pipeline.providers.hops import led_to
from pipeline.providers.meanings import is_success, refusal_of, refused
from pipeline.providers.replies import clean, mapping, moment, read_error, text
from pipeline.providers.videos_submit import CALLS, path_of, submit_request
from pipeline.providers.words import read_word
from pipeline.signature import looks_like_mp4
from pipeline.wire import Wire

LIST_LIMIT = 100
"""The most that one page of the list may hold (OpenAI's API reference, "List videos")."""

LOOK_BYTES = 16 * 1024
"""So much of a content is enough to tell that there is one, or what is said in its place. (No Range is sent for it:
a server may remember the first of a file as its whole, or refuse what it says about itself while there is none.)
"""
_HERE = Observation(video_id="", status=Status.DONE, word="content")


class Videos:
    """The dialect. It has no state; the profile says what differs from server to server."""

    def submit(self, job: Job, profile: Profile, *, key: str, inputs: Inputs = NO_INPUTS) -> Request:
        return submit_request(job, profile, key=key, inputs=inputs)

    def read_submit(self, reply: Reply, profile: Profile, link: Link | None = None) -> Submission | Refusal:
        raw = mapping(reply.body)
        video = {} if raw is None else video_in(raw, profile.wire)
        video_id = first_text(video, profile.wire.answers["id"])
        if not is_success(reply, CALLS[link], profile) and not (video_id and _is_video(video, profile)):
            return refusal_of(reply, CALLS[link], profile)
        if raw is None or not 0 < len(video_id) <= VIDEO_ID_CHARS_MAX:
            refusal = refused(reply, Problem.TROUBLE)
            return replace(refusal, message=f"an answer without an id: {refusal.message}")
        return Submission(video_id=video_id, observation=read_video(video, profile, video_id), raw=raw)

    def look(self, video_id: str, profile: Profile) -> Request:
        wire = profile.wire
        if wire.looks == "content":
            enough_bytes = LOOK_BYTES if wire.content == "bytes" else DOCUMENT_LOOK_BYTES
            return replace(self.content(video_id, profile), enough_bytes=enough_bytes)
        asked = get("look", profile, video_id)
        return replace(asked, enough_bytes=DOCUMENT_LOOK_BYTES) if _looks_at_document(wire) else asked

    def read_look(self, reply: Reply, profile: Profile) -> Observation | Refusal:
        if profile.wire.looks == "content":
            return self._read_look_at_content(reply, profile)
        if _looks_at_document(profile.wire) and has_video(reply, profile):
            return _HERE
        raw = mapping(reply.body)
        if raw is not None and (is_success(reply, "look", profile) or _is_video(raw, profile)):
            video = video_in(raw, profile.wire)
            return read_video(video, profile, first_text(video, profile.wire.answers["id"]))
        return refusal_of(reply, "look", profile)

    def _read_look_at_content(self, reply: Reply, profile: Profile) -> Observation | Refusal:
        """Where only the content tells how a video is doing: it is there, or led to, or it is said why not."""
        if led_to(reply.status, reply.headers) is not None or self._is_content(reply, profile):
            return _HERE
        call = profile.wire.content_in
        if (raw := mapping(reply.body)) is not None and is_success(reply, call, profile):
            seen = read_video(video_in(raw, profile.wire), profile, "")
            if seen.word:
                return seen
        refusal = refusal_of(reply, call, profile)
        match refusal.problem:
            case Problem.NOT_READY:
                return Observation(video_id="", status=Status.RUNNING, word="not ready", message=refusal.message)
            case Problem.FAILED:
                failed = Observation(video_id="", status=Status.FAILED, word="failed")
                return replace(failed, code=refusal.code, message=refusal.message)
            case _:
                return refusal

    def _is_content(self, reply: Reply, profile: Profile) -> bool:
        if profile.wire.content == "bytes":
            return reply.status in (200, 206) and looks_like_mp4(reply.body[:8])
        return has_video(reply, profile)

    def look_at_page(self, after: str | None, profile: Profile) -> Request:
        query = {"limit": str(LIST_LIMIT), "order": "desc"} | ({"after": after} if after else {})
        return get("list", profile, query=query)

    def read_page(self, reply: Reply, profile: Profile) -> Page | Refusal:
        raw, answers = mapping(reply.body), profile.wire.answers
        rows = None if raw is None else first(raw, answers["rows"])
        if not is_success(reply, "list", profile) or raw is None or not isinstance(rows, list):
            return refusal_of(reply, "list", profile)
        seen = [read_video(row, profile, first_text(row, answers["id"])) for row in rows if isinstance(row, dict)]
        last = text(raw.get("last_id")) or (seen[-1].video_id if seen else "")
        more = raw.get("has_more")
        is_last = (more is False or profile.wire.list_is_whole) and len(seen) == len(rows)
        return Page(observations=tuple(seen), after=last if more is True and last else None, is_last=is_last)

    def content(self, video_id: str, profile: Profile, variant: str = "") -> Request:
        query = {"variant": variant} if variant else {}
        if profile.wire.content == "bytes" or variant:
            return get("content", profile, video_id, query)
        return replace(get(profile.wire.content_in, profile, video_id), reply_bytes_max=DOCUMENT_BYTES_MAX)

    def read_content(self, reply: Reply, profile: Profile) -> Found | Refusal:
        return read_document(reply, profile)

    def read_no_content(self, reply: Reply, profile: Profile) -> Refusal:
        return refusal_of(reply, "content", profile)

    def delete(self, video_id: str, profile: Profile) -> Request:
        return replace(get("delete", profile, video_id), method="DELETE")

    def read_delete(self, reply: Reply, profile: Profile) -> Refusal | None:
        return None if is_success(reply, "delete", profile) else refusal_of(reply, "delete", profile)


def _looks_at_document(wire: Wire) -> bool:
    """Whether what tells how a video is doing has the video, too, once it is done."""
    return wire.content != "bytes" and wire.content_in == "look"


def get(call: str, profile: Profile, video_id: str = "", query: Mapping[str, str] | None = None) -> Request:
    """A GET as the profile has it."""
    return Request(
        method="GET",
        path=path_of(call, profile, video_id),
        query={**profile.wire.queries.get(call, {}), **(query or {})},
        headers=profile.wire.headers.get(call, {}),
    )


def read_video(raw: Mapping[str, JSON], profile: Profile, video_id: str) -> Observation:
    """A video object, tolerantly: unknown fields pass, wrong types are as good as absent."""
    says = profile.wire.answers
    word = first_text(raw, says["status"])
    status, known = read_word(word, profile.status_words)
    code, message = _failure(raw, profile) if status in (Status.FAILED, Status.CANCELLED) else ("", "")
    prompt, model = first(raw, says["prompt"]), first(raw, says["model"])
    return Observation(
        video_id=video_id,
        status=status,
        word=clean(word, 60),
        known_word=known,
        progress=_progress(first(raw, says["progress"])),
        created_at=moment(first(raw, says["created_at"])),
        expires_at=moment(first(raw, says["expires_at"])),
        code=code,
        message=message,
        prompt=prompt if isinstance(prompt, str) and prompt else None,
        model=model if isinstance(model, str) and model else None,
        seconds=_seconds(first(raw, says["seconds"])),
        size=_size(first(raw, says["size"])),
        made_from=_made_from(raw, says["made_from"]),
    )


def _failure(raw: Mapping[str, JSON], profile: Profile) -> tuple[str, str]:
    """Why it failed: where the profile says, else wherever servers say it."""
    told = first(raw, profile.wire.answers["error"])
    return read_error({"error": told}) if told is not None else read_error(raw)


def _made_from(raw: Mapping[str, JSON], paths: tuple[str, ...]) -> str | None:
    """Empty: it says that it is made from no other; `None`: it does not say."""
    return first_text(raw, paths) if any(path in raw for path in paths) or first(raw, paths) is not None else None


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


def _is_video(raw: Mapping[str, JSON], profile: Profile) -> bool:
    """Whether a refusal tells of a video after all: that word goes before the HTTP status."""
    word = first_text(raw, profile.wire.answers["status"])
    return raw.get("object") == "video" and bool(word) and read_word(word, profile.status_words)[1]
