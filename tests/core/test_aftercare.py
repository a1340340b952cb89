"""What a stored video owes, and what the answers mean: tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.errors import OutcomeUnknown
from pipeline.lifecycle import State
from pipeline.model import Aftercare
from pipeline.naming import NAME_BYTES_MAX, variant
from pipeline.policy.aftercare import (
    TRIES,
    After,
    NoAnswer,
    NoPicture,
    after_deletion,
    after_picture,
    needs_source,
    owed,
    suffix_of,
)
from pipeline.providers.base import Problem, Refusal

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass(kw_only=True)
class Job:
    id: str = "fox"
    state: State = State.STORED
    video_id: str = "video_1"
    origin: str = "https://here.example/v1"
    finished_at: datetime | None = NOW - HOUR
    expires_at: datetime | None = NOW + HOUR
    reason: str = ""
    is_deleted: bool = False


def refused(problem: Problem, http: int = 500) -> Refusal:
    return Refusal(problem=problem, http=http)


@pytest.mark.parametrize(
    ("job", "variants", "deletion"),
    [
        (Job(), ("sheet",), True),
        (Job(expires_at=NOW), (), False),
        (Job(expires_at=None), ("sheet",), True),
        (Job(expires_at=None, finished_at=NOW - 3 * HOUR), (), False),
        (Job(state=State.FINISHED), (), False),
        (Job(origin="https://there.example/v1"), (), False),
        (Job(is_deleted=True), (), False),
    ],
    ids=["stored", "expired", "kept by the profile", "kept no longer", "not stored", "elsewhere", "deleted"],
)
def test_only_what_is_stored_here_and_kept_there_owes_anything(
    job: Job, variants: tuple[str, ...], deletion: bool
) -> None:
    wish = Aftercare(variants=("thumbnail", "sheet"), delete_remote=True)

    due = owed(job, wish, origin="https://here.example/v1", now=NOW, retention_s=7200.0, has="thumbnail".__eq__)

    assert (due.variants, due.deletion, bool(due)) == (variants, deletion, deletion)


@pytest.mark.parametrize(
    ("outcome", "picture", "deletion"),
    [
        (refused(Problem.UNKNOWN_ID, 404), After.NEVER, After.NEVER),
        (refused(Problem.GONE, 410), After.NEVER, After.DONE),
        (refused(Problem.NOT_READY, 400), After.NEVER, After.NEVER),
        (refused(Problem.TROUBLE, 405), After.NEVER, After.NEVER),
        (refused(Problem.BAD_KEY, 403), After.LATER, After.NEVER),
        (refused(Problem.TROUBLE, 408), After.AGAIN, After.AGAIN),
        (refused(Problem.TROUBLE), After.AGAIN, After.AGAIN),
        (refused(Problem.THROTTLED, 429), After.AGAIN, After.AGAIN),
        (OutcomeUnknown("cut"), After.AGAIN, After.AGAIN),
        (NoPicture("a page"), After.LATER, After.LATER),
    ],
)
def test_what_an_answer_means(outcome: NoAnswer, picture: After, deletion: After) -> None:
    assert (after_picture(outcome, 1), after_deletion(outcome, 1)) == (picture, deletion)
    last = {After.AGAIN: After.LATER}
    assert after_picture(outcome, TRIES) is last.get(picture, picture)
    assert after_deletion(outcome, TRIES) is last.get(deletion, deletion)


def test_what_nobody_will_make_any_more_needs_no_source() -> None:
    waiting = {State.PENDING, State.BLOCKED}
    under_way = {State.SUBMITTING, State.UNCERTAIN, State.IN_FLIGHT, State.STALLED, State.FINISHED}

    assert {state for state in State if needs_source(state, wanted=True)} == waiting | under_way
    assert {state for state in State if needs_source(state, wanted=False)} == under_way


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (b"\x89PNG\r\n\x1a\n", ".png"),
        (b"\xff\xd8\xff\xe0", ".jpg"),
        (b"RIFF\0\0\0\0WEBP", ".webp"),
        (b"GIF89a", ".gif"),
    ],
)
def test_a_picture_is_told_by_its_first_bytes(content: bytes, suffix: str) -> None:
    assert suffix_of(content) == suffix


@pytest.mark.parametrize("content", [b"", b"RIFF\0\0\0\0WAVE", b"<html>"])
def test_what_begins_otherwise_is_no_picture(content: bytes) -> None:
    with pytest.raises(NoPicture):
        suffix_of(content)


def test_a_picture_is_called_by_its_video_and_two_long_names_stay_apart() -> None:
    one, other = (variant(f"coast/{'x' * 95}{n}.mp4", "spritesheet", ".webp") for n in (1, 2))

    assert variant("coast/fox.mp4", "thumbnail", ".webp") == "coast/fox-thumbnail.webp"
    assert one != other
    assert max(len(path.removeprefix("coast/")) for path in (one, other)) <= NAME_BYTES_MAX
