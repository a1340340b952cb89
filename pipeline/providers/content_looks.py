"""Learning how a video is doing by asking for it: it is there, or led to, or it is said why not."""

from __future__ import annotations

from dataclasses import replace

from pipeline.profile import Profile
from pipeline.providers.answers import video_in
from pipeline.providers.base import Observation, Problem, Refusal, Reply, Status
from pipeline.providers.documents import has_video
from pipeline.providers.hops import led_to
from pipeline.providers.meanings import is_success, refusal_of
from pipeline.providers.replies import mapping
from pipeline.providers.video_object import read_video
from pipeline.signature import looks_like_mp4

HERE = Observation(video_id="", status=Status.DONE, word="content")


def read_look_at_content(reply: Reply, profile: Profile) -> Observation | Refusal:
    """What an answer to a look for the content says, of which its start is enough."""
    if led_to(reply.status, reply.headers) is not None or _is_content(reply, profile):
        return HERE
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


def _is_content(reply: Reply, profile: Profile) -> bool:
    if profile.wire.content == "bytes":
        return reply.status in (200, 206) and looks_like_mp4(reply.body[:8])
    return has_video(reply, profile)
