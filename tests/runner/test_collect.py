"""Bringing videos home over bad lines: what is stored is whole, and what could not be fetched can be fetched later."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline import policy
from pipeline.lifecycle import State
from tests.runner.gateway import ETAG, NOTHING, Answer, Seen, answer, refusal
from tests.runner.night import Night, job, jobs

pytestmark = pytest.mark.anyio

CUT_AT = 100_000


async def test_a_download_that_is_cut_goes_on_where_it_broke_off(night: Night, a_film: bytes) -> None:
    night.gateway.once("content", lambda seen: replace(night.gateway.content(seen), cut_at=CUT_AT))
    outcome = await night.run(jobs(1))
    first, second = night.gateway.of("content")
    assert outcome.counts == {State.STORED: 1}
    assert "range" not in first.headers
    start = int(second.headers["range"].removeprefix("bytes=").removesuffix("-"))
    assert CUT_AT - 1000 < start < CUT_AT
    assert second.headers["if-range"] == ETAG
    assert night.video(job(0)).read_bytes() == a_film
    assert not list(night.folder.rglob("*.part*"))


async def test_a_download_cut_many_times_is_byte_identical(night: Night, a_film: bytes) -> None:
    night.gateway.once("content", *[lambda seen: replace(night.gateway.content(seen), cut_at=60_000)] * 4)
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert night.video(job(0)).read_bytes() == a_film


async def test_a_whole_answer_to_a_range_starts_anew(night: Night, a_film: bytes) -> None:
    def whole(seen: Seen) -> Answer:
        return Answer(headers={"content-type": "video/mp4", "etag": ETAG}, body=a_film)

    night.gateway.once("content", lambda seen: replace(whole(seen), cut_at=CUT_AT), whole)
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert "range" in night.gateway.of("content")[1].headers
    assert night.video(job(0)).read_bytes() == a_film


@pytest.mark.parametrize(
    "wrong",
    [
        Answer(status=206, headers={"content-range": "bytes 5-9/300000", "etag": ETAG}, body=b"abcde"),
        Answer(status=206, headers={"etag": ETAG}, body=b"abcde"),
        Answer(status=206, headers={"content-range": "bytes x", "etag": ETAG}, body=b"abcde"),
        Answer(status=416, headers={"content-range": "bytes */7"}),
    ],
    ids=["another part", "no content-range", "nonsense", "416"],
)
async def test_a_part_that_was_not_asked_for_is_not_added(night: Night, a_film: bytes, wrong: Answer) -> None:
    night.gateway.once("content", lambda seen: replace(night.gateway.content(seen), cut_at=CUT_AT), wrong)
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert night.video(job(0)).read_bytes() == a_film


async def test_a_weak_validator_is_no_ground_to_resume(night: Night, a_film: bytes) -> None:
    weak = Answer(headers={"content-type": "video/mp4", "etag": 'W/"1"'}, body=a_film)
    night.gateway.once("content", replace(weak, cut_at=CUT_AT), weak)
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert "range" not in night.gateway.of("content")[1].headers


async def test_a_part_left_by_an_earlier_run_is_taken_up(night: Night, a_film: bytes) -> None:
    night.gateway.once("content", lambda seen: replace(night.gateway.content(seen), cut_at=CUT_AT))
    night.gateway.always("content", refusal(401))
    assert (await night.run(jobs(1))).counts == {State.FINISHED: 1}
    night.gateway.behave()
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert "range" in night.gateway.of("content")[-1].headers
    assert night.video(job(0)).read_bytes() == a_film


@pytest.mark.parametrize(
    "rubbish",
    [
        Answer(headers={"content-type": "text/html"}, body=b"<html><body>Sign in to the hotel's network</body></html>"),
        answer({"error": {"message": "try later"}}),
        Answer(headers={"content-type": "video/mp4"}, body=b""),
        Answer(headers={"content-type": "video/mp4", "content-encoding": "gzip"}, body=b"\x1f\x8b" + bytes(100)),
        NOTHING,
        refusal(500),
        refusal(400, "not_ready"),
    ],
    ids=["html", "json", "empty", "gzip", "nothing", "500", "400"],
)
async def test_what_is_no_video_is_never_stored_and_the_next_run_fetches(night: Night, rubbish: Answer) -> None:
    night.gateway.always("content", rubbish)
    first = await night.run(jobs(1))
    assert first.counts == {State.FINISHED: 1}
    assert night.facts(job(0))[-1] == "download_failed"
    assert len(night.gateway.of("content")) == policy.FETCH_TRIES
    assert not list(night.folder.rglob("*.mp4"))
    assert any("download failed" in words for words in night.urgent)

    night.gateway.behave()
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert len(night.gateway.book) == 1


async def test_a_film_cut_without_a_stated_length_is_not_stored(night: Night, a_film: bytes) -> None:
    short = Answer(headers={"content-type": "video/mp4"}, body=a_film[:CUT_AT])
    night.gateway.once("content", short)
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert night.video(job(0)).read_bytes() == a_film
    assert len(night.gateway.of("content")) == 2


@pytest.mark.parametrize(
    "gone",
    [refusal(410), refusal(404, message="The video is no longer available."), refusal(404, message="what video?")],
    ids=["410", "404 that says so", "404 again and again"],
)
async def test_content_that_is_gone_is_expired_and_not_bought_again(night: Night, gone: Answer) -> None:
    night.gateway.always("content", gone)
    for _ in range(2):
        assert (await night.run(jobs(1))).counts == {State.EXPIRED: 1}
    assert len(night.gateway.book) == 1
    assert any("expired" in words for words in night.urgent)


async def test_one_bad_download_does_not_hold_up_the_others(night: Night) -> None:
    night.limits = replace(night.limits, downloads=1)
    night.gateway.always("content", lambda seen: refusal(500) if seen.video_id == "video_1" else None)
    outcome = await night.run(jobs(5))
    assert outcome.counts == {State.FINISHED: 1, State.STORED: 4}
