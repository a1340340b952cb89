"""What is asked of a provider: requests that cost nothing, each with its reason. Pure.

They are what a run would send, but for an id that no video has, and one path that no server has: what is said of that
one tells a call that is missing from an id that is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pipeline.profile import Profile
from pipeline.providers.base import Dialect, Request
from pipeline.providers.documents import LOOK_BYTES
from pipeline.providers.replies import mapping, text
from pipeline.providers.results import folded


class Asked(StrEnum):
    """What a probe is about."""

    STRAY = "stray"
    LIST = "list"
    STATUS = "status"
    CONTENT = "content"


NO_SUCH_PATH = "/vidbatch-doctor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One free request."""

    asked: Asked
    request: Request
    why: str


def free_probes(profile: Profile, dialect: Dialect, video_id: str) -> Sequence[Probe]:
    """What to ask, in order, and nothing that could be billed; *video_id* is one that no video has."""
    return [probe for probe in _probes(profile, dialect, video_id) if is_free(probe.request, profile)]


def _probes(profile: Profile, dialect: Dialect, video_id: str) -> Iterator[Probe]:
    # Never a POST, which a gateway may pass on to who knows whom; answers are compared without their methods.
    stray = Request(method="GET", path=NO_SUCH_PATH)
    yield Probe(asked=Asked.STRAY, request=stray, why="what it says of a path that is not there")
    page = dialect.look_at_page(None, profile)
    yield Probe(asked=Asked.LIST, request=page, why="does it list its videos?")
    status = dialect.status(video_id, profile)
    if status is not None:
        yield Probe(asked=Asked.STATUS, request=status, why="does it know a status? (of an id that no video has)")
    content = replace(dialect.content(video_id, profile), enough_bytes=LOOK_BYTES)
    if status is None or content.path != status.path:  # else one answer tells of both
        why = f"what it says of content that is not there{_by_model(content, profile)}"
        yield Probe(asked=Asked.CONTENT, request=content, why=why)


def is_free(request: Request, profile: Profile) -> bool:
    """Whether *request* makes nothing: it is a GET, or a POST to a model that hands out and never makes one."""
    if request.method == "GET":
        return True
    model, hands_out = _model_of(request, profile), profile.wire.result_models
    makes = {folded(name) for name in (*profile.models, *hands_out, profile.default_model)}
    return request.method == "POST" and model != "" and model in hands_out.values() and folded(model) not in makes


def _by_model(request: Request, profile: Profile) -> str:
    """Which model a POST asks, which then hands out and makes nothing; empty where it is none."""
    if request.method == "GET":
        return ""
    return f" (by {_model_of(request, profile)}, which makes none)"


def _model_of(request: Request, profile: Profile) -> str:
    return text((mapping(request.body) or {}).get(profile.wire.fields["model"].name))
