"""A run as OpenAI Batch lines: one request to make a video each, which `vidbatch` reads as a manifest again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from pipeline.ledger.state import JobState
from pipeline.manifest.fields import BATCH_METHOD, BATCH_URL
from pipeline.model import JSON

_ID_CHARS_MAX = 80
_KEY_DIGITS = 8


_GAP = "it is a later take of a video whose earlier ones are not there"


def sayable(jobs: Sequence[JobState]) -> tuple[Sequence[JobState], Mapping[str, Sequence[str]]]:
    """Those of *jobs* that lines can say, and by reason the ids of the others.

    Lines that ask for the same are its takes, from the first on: so they stand in this order, each in the place of one
    of them, and what comes after a gap is none.
    """
    left_out: dict[str, list[str]] = {}
    places: list[int] = []
    alike: dict[int, list[JobState]] = {}
    for job in jobs:
        reason = _obstacle(job)
        if reason:
            left_out.setdefault(reason, []).append(job.id)
        else:
            places.append(_wish(job))
            alike.setdefault(places[-1], []).append(job)
    takes = {wish: iter(sorted(same, key=_take)) for wish, same in alike.items()}
    said: list[JobState] = []
    count: Counter[int] = Counter()
    for wish in places:
        job = next(takes[wish])
        if job.wish.take == count[wish] + 1:
            count[wish] += 1
            said.append(job)
        else:
            left_out.setdefault(_GAP, []).append(job.id)
    return said, left_out


def _obstacle(job: JobState) -> str:
    """Why no batch line can say what *job* asks for; empty where one can."""
    if job.wish.link:
        return "it is made from another video"
    return "an image goes with it" if job.wish.reference else ""


def _wish(job: JobState) -> int:
    """The same for all takes of one wish."""
    return hash(json.dumps(_body(job), sort_keys=True))


def _take(job: JobState) -> int:
    return job.wish.take


def batch_lines(jobs: Sequence[JobState]) -> Iterator[bytes]:
    """A line for each of *jobs*, in their order. The same jobs make the same bytes."""
    left = Counter(job.id for job in jobs)
    for job in jobs:
        left[job.id] -= 1
        line = {
            "custom_id": _custom_id(job, last=not left[job.id]),
            "method": BATCH_METHOD,
            "url": BATCH_URL,
            "body": _body(job),
        }
        yield f"{json.dumps(line, ensure_ascii=False)}\n".encode()


def _custom_id(job: JobState, *, last: bool) -> str:
    """The job's id. An edited manifest gives it to another job; then the *last* one keeps it."""
    return job.id if last else f"{job.id[: _ID_CHARS_MAX - _KEY_DIGITS - 1]}-{job.key[:_KEY_DIGITS]}"


def _body(job: JobState) -> dict[str, JSON]:
    wish = job.wish
    asked: dict[str, JSON] = {
        "model": wish.model,
        "prompt": wish.prompt,
        "seconds": str(wish.seconds),  # the API's lengths are texts
        "size": wish.size,
    }
    return {**asked, **wish.params}
