"""A video object in an answer: what it says of the video, and whether a refusal carries one after all.

Tolerant: unknown fields pass, wrong types are as good as absent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import inf, isnan

from pipeline.model import JSON
from pipeline.profile import Profile
from pipeline.providers.answers import first, first_text
from pipeline.providers.base import Observation, Problem, Reply, Status
from pipeline.providers.complaints import failure_of
from pipeline.providers.meanings import meaning_of
from pipeline.providers.replies import clean, moment, text
from pipeline.providers.words import read_word

_SAYS_NOTHING = frozenset({Problem.REJECTED, Problem.TROUBLE})
"""What a refusal means of which no rule, and no status, says more."""
_MAY_CARRY = (400, 422, 500)
"""With these some servers answer of a video. What else refuses speaks for itself, as a proxy's 502 or a wrong path's
404, and its `id` may be the request's.
"""
_OF_A_VIDEO = ("prompt", "model", "seconds", "size", "progress", "created_at")
"""Fields of `Wire.answers` that no error has."""
_ENDED = (Status.FAILED, Status.CANCELLED, Status.EXPIRED)


def read_video(raw: Mapping[str, JSON], profile: Profile, video_id: str) -> Observation:
    """What a video object says; *video_id* is what it is known by."""
    says = profile.wire.answers
    word = first_text(raw, says["status"])
    status, known = read_word(word, profile.status_words)
    code, message = failure_of(raw, profile) if status in (Status.FAILED, Status.CANCELLED) else ("", "")
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


def is_carried(video: Mapping[str, JSON], reply: Reply, call: str, profile: Profile, asked: str = "") -> bool:
    """Whether *reply*, a refusal, tells of *video* after all: then its word goes before the HTTP status.

    An error may have an id, its request's, and a word such as `failed` of its own. So a video calls itself one, or it
    has the id that was *asked* for, or it has any id and another field of a video, and (but for a 2xx) is not over; and
    nothing says what the refusal means otherwise. A submit that was refused with a word such as `failed` made no video
    that anybody could look at.
    """
    says = profile.wire.answers
    word = first_text(video, says["status"])
    status, known = read_word(word, profile.status_words)
    if not word or not known:
        return False
    if video.get("object") == "video":
        return True
    if reply.status not in _MAY_CARRY and not 200 <= reply.status < 300:
        return False
    if not (video_id := first_text(video, says["id"])) or meaning_of(reply, call, profile) not in _SAYS_NOTHING:
        return False
    if video_id == asked:
        return True
    may_end = 200 <= reply.status < 300
    return (may_end or status not in _ENDED) and any(first(video, says[field]) is not None for field in _OF_A_VIDEO)


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
