"""A document that comes in the place of a video's bytes, and says with 200 why there is none."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipeline.lifecycle import State
from pipeline.policy.collect import WRONG_CONTENT_TRIES
from tests.runner.gateway import Answer
from tests.runner.night import Night, jobs
from tests.runner.test_forms import profile_with

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The other loop than that of the videos that come in other forms."""
    return "trio"


def told(document: object, *, chunked: bool = False) -> Answer:
    """A document with 200, called a video; *chunked*: of no announced length."""
    body = json.dumps(document).encode()
    said = Answer(headers={"content-type": "video/mp4"}, body=body)
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    return replace(said, headers={**said.headers, "transfer-encoding": "chunked"}, body=chunks) if chunked else said


NOT_YET = {"error": {"message": "Video is not ready yet"}}
OFTEN = WRONG_CONTENT_TRIES + 1
"""More often than a whole download may turn out to be no video."""


@pytest.mark.parametrize(
    ("said", "tries", "ends"),
    [
        (told(NOT_YET), OFTEN, State.STORED),
        (told(NOT_YET, chunked=True), OFTEN, State.STORED),
        (told({"object": "video", "id": "video_1", "status": "in_progress"}), OFTEN, State.STORED),
        (told({"object": "video", "id": "video_1", "status": "failed"}), 1, State.FINISHED),
        (told({"object": "video", "id": "video_1", "status": "expired"}), 1, State.EXPIRED),
        (told({"error": {"message": "The video is no longer available."}}), 1, State.EXPIRED),
        (told({"error": {"message": "try later"}}), WRONG_CONTENT_TRIES, State.FINISHED),
        (told({"object": "video", "id": "video_1", "status": "completed"}), WRONG_CONTENT_TRIES, State.FINISHED),
        (told([NOT_YET]), WRONG_CONTENT_TRIES, State.FINISHED),
        (told({**NOT_YET, "more": "x" * (1 << 16)}), WRONG_CONTENT_TRIES, State.FINISHED),
    ],
    ids=["rule", "chunked", "word", "failed", "expired", "gone", "no rule", "done", "list", "long"],
)
async def test_a_document_with_200_in_a_videos_place_is_read_by_the_profiles_rules(
    night: Night, said: Answer, tries: int, ends: State
) -> None:
    night.profile = profile_with(
        problems=[
            {"to": "content", "http": [200, 404], "text": "not ready", "means": "not_ready"},
            {"to": "content", "http": 200, "text": "no longer available", "means": "gone"},
        ]
    )
    night.gateway.once("content", *[said] * tries)

    assert (await night.run(jobs(1))).counts == {ends: 1}

    assert len(night.gateway.of("content")) == tries + (ends is State.STORED)
    assert list(night.folder.glob("wrong/**/*.sample")) == [] or tries == WRONG_CONTENT_TRIES
