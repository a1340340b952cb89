"""The `/v1/videos` dialect: create, look, list, content. OpenAI made the shape known; many servers speak it.

Rules with a source (those of the POSTs are in `videos_submit`):
- An id is opaque, may hold `=` and `/`, and is one path segment, percent-encoded.
- An id is never replaced by one from a later answer: some servers answer a look with another id.
- A refusal whose body is a video object is a real status, 400 or 500 (vLLM-Omni answers for failed videos so).
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.model import VIDEO_ID_CHARS_MAX, Job, Link
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
    Submission,
)
from pipeline.providers.calls import get
from pipeline.providers.content_looks import HERE, read_look_at_content
from pipeline.providers.documents import DOCUMENT_BYTES_MAX, has_video, read_document, read_instead
from pipeline.providers.documents import LOOK_BYTES as DOCUMENT_LOOK_BYTES
from pipeline.providers.meanings import is_success, refusal_of, refused
from pipeline.providers.replies import clean, mapping, text
from pipeline.providers.video_object import is_carried, read_video
from pipeline.providers.videos_submit import CALLS, submit_request
from pipeline.wire import Wire

LIST_LIMIT = 100
"""The most that one page of the list may hold (OpenAI's API reference, "List videos")."""

LOOK_BYTES = 16 * 1024
"""So much of a content is enough to tell that there is one, or what is said in its place. (No Range is sent for it:
a server may remember the first of a file as its whole, or refuse what it says about itself while there is none.)
"""


class Videos:
    """The dialect. It has no state; the profile says what differs from server to server."""

    def submit(self, job: Job, profile: Profile, *, key: str, inputs: Inputs = NO_INPUTS) -> Request:
        return submit_request(job, profile, key=key, inputs=inputs)

    def read_submit(self, reply: Reply, profile: Profile, link: Link | None = None) -> Submission | Refusal:
        raw = mapping(reply.body)
        video = {} if raw is None else video_in(raw, profile.wire)
        video_id = first_text(video, profile.wire.answers["id"])
        call = CALLS[link]
        if not is_success(reply, call, profile) and not (video_id and is_carried(video, reply, call, profile)):
            refusal = refusal_of(reply, call, profile)
            # a success with an id may have made a video, whatever it says besides: it is never sent again
            return replace(refusal, problem=Problem.TROUBLE) if video_id and reply.status < 300 else refusal
        if raw is None or not 0 < len(video_id) <= VIDEO_ID_CHARS_MAX:
            refusal = refused(reply, Problem.TROUBLE, profile)
            return replace(refusal, message=clean(f"an answer without an id: {refusal.message}"))
        return Submission(video_id=video_id, observation=read_video(video, profile, video_id), raw=raw)

    def look(self, video_id: str, profile: Profile) -> Request:
        wire = profile.wire
        if wire.looks == "content":
            enough_bytes = LOOK_BYTES if wire.content == "bytes" else DOCUMENT_LOOK_BYTES
            return replace(self.content(video_id, profile), enough_bytes=enough_bytes)
        asked = get("look", profile, video_id)
        return replace(asked, enough_bytes=DOCUMENT_LOOK_BYTES) if _looks_at_document(wire) else asked

    def status(self, video_id: str, profile: Profile) -> Request | None:
        return get("look", profile, video_id)

    def read_look(self, reply: Reply, profile: Profile, video_id: str = "") -> Observation | Refusal:
        if profile.wire.looks == "content":
            return read_look_at_content(reply, profile)
        if _looks_at_document(profile.wire) and has_video(reply, profile):
            return HERE
        raw = mapping(reply.body)
        video = {} if raw is None else video_in(raw, profile.wire)
        if raw is not None and (
            is_success(reply, "look", profile) or is_carried(video, reply, "look", profile, video_id)
        ):
            return read_video(video, profile, first_text(video, profile.wire.answers["id"]))
        return refusal_of(reply, "look", profile)

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
        return read_instead(reply, profile)

    def delete(self, video_id: str, profile: Profile) -> Request:
        return replace(get("delete", profile, video_id), method="DELETE")

    def read_delete(self, reply: Reply, profile: Profile) -> Refusal | None:
        return None if is_success(reply, "delete", profile) else refusal_of(reply, "delete", profile)


def _looks_at_document(wire: Wire) -> bool:
    """Whether what tells how a video is doing has the video, too, once it is done."""
    return wire.content != "bytes" and wire.content_in == "look"
