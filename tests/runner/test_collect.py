"""Bringing videos home over bad lines: what is stored is whole, and what could not be fetched can be fetched later."""

from __future__ import annotations

import errno
import json
import re
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from pipeline.disk import Disk
from pipeline.lifecycle import State
from pipeline.policy import collect as policy
from pipeline.policy.verdict import Backoff
from pipeline.progress import Event, Kind, Notice
from pipeline.runner.board import Board
from pipeline.text import money
from tests.runner.gateway import ETAG, NOTHING, Answer, Gateway, Seen, answer, refusal, serving
from tests.runner.night import HASTY, Night, job, jobs

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
        Answer(status=206, headers={"content-range": f"bytes {'9' * 5000}-1/2", "etag": ETAG}, body=b"abcde"),
        Answer(status=416, headers={"content-range": "bytes */7"}),
    ],
    ids=["another part", "no content-range", "nonsense", "5000 digits", "416"],
)
async def test_a_part_that_was_not_asked_for_is_not_added(night: Night, a_film: bytes, wrong: Answer) -> None:
    night.gateway.once("content", lambda seen: replace(night.gateway.content(seen), cut_at=CUT_AT), wrong)
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert night.video(job(0)).read_bytes() == a_film


@pytest.mark.parametrize(
    ("headers", "more"),
    [({"etag": '"film-2"'}, 0), ({"etag": 'W/"film-1"'}, 0), ({}, 0), ({"etag": ETAG}, 9), ({"etag": ETAG}, -9)],
    ids=["another film", "a weak tag", "no tag", "a longer film", "a shorter film"],
)
async def test_the_rest_of_another_film_is_not_added(
    night: Night, a_film: bytes, headers: dict[str, str], more: int
) -> None:
    def rest(seen: Seen) -> Answer:
        start, whole = int(seen.headers["range"].removeprefix("bytes=").removesuffix("-")), len(a_film) + more
        span = {"content-range": f"bytes {start}-{whole - 1}/{whole}"}
        return Answer(status=206, headers={**headers, **span}, body=bytes(whole - start))

    night.gateway.once("content", lambda seen: replace(night.gateway.content(seen), cut_at=CUT_AT), rest)
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert night.video(job(0)).read_bytes() == a_film
    assert "range" not in night.gateway.of("content")[2].headers


async def test_a_part_that_is_whole_is_kept_when_there_is_no_more(night: Night, a_film: bytes) -> None:
    def all_but_the_end(seen: Seen) -> Answer:
        chunks = f"{len(a_film):x}\r\n".encode() + a_film + b"\r\n"
        headers = {"transfer-encoding": "chunked", "etag": ETAG}
        return Answer(headers=headers, body=chunks, cut_at=-1)

    no_more = Answer(status=416, headers={"content-range": f"bytes */{len(a_film)}"})
    night.gateway.once("content", all_but_the_end)
    night.gateway.always("content", no_more)
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert night.video(job(0)).read_bytes() == a_film


async def test_a_film_that_was_announced_as_longer_is_not_whole_because_there_is_no_more(
    night: Night, a_film: bytes
) -> None:
    longer = a_film + struct.pack(">I4s", 20_000, b"free") + bytes(19_992)  # its beginning is a whole film, too
    whole = Answer(headers={"content-type": "video/mp4", "etag": ETAG}, body=longer)
    no_more = Answer(status=416, headers={"content-range": f"bytes */{len(a_film)}"})
    night.gateway.once("content", replace(whole, cut_at=-20_000), no_more)
    night.gateway.always("content", whole)
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert night.video(job(0)).read_bytes() == longer


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
    ],
    ids=["html", "json", "empty", "gzip"],
)
async def test_what_is_no_video_is_never_stored_and_the_next_run_fetches(night: Night, rubbish: Answer) -> None:
    night.gateway.always("content", rubbish)
    first = await night.run(jobs(1))
    assert first.counts == {State.FINISHED: 1}
    assert night.facts(job(0))[-1] == "download_failed"
    assert len(night.gateway.of("content")) == policy.WRONG_CONTENT_TRIES
    assert not list(night.folder.rglob("*.mp4"))
    assert any("download failed" in words for words in night.urgent)
    kept = [path.read_bytes() for path in night.folder.glob("wrong/coast/job-0.mp4.sample")]
    assert kept == ([rubbish.body] if rubbish.body and "content-encoding" not in rubbish.headers else [])
    assert ("its start is kept in wrong/coast/job-0.mp4.sample" in night.of(job(0)).reason) == bool(kept)

    night.gateway.behave()
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert len(night.gateway.book) == 1
    assert not list(night.folder.rglob("*.sample"))


PASSING = [NOTHING, refusal(500), refusal(400, "not_ready"), refusal(429)]


@pytest.mark.parametrize("trouble", PASSING, ids=["nothing", "500", "400", "429"])
async def test_an_outage_of_any_length_within_the_videos_time_loses_nothing(night: Night, trouble: Answer) -> None:
    night.patience = replace(HASTY, rest=Backoff(base_s=0.001, cap_s=0.004))
    night.gateway.once("content", *[trouble] * 40)
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert len(night.gateway.of("content")) == 41


@pytest.mark.parametrize("trouble", PASSING, ids=["nothing", "500", "400", "429"])
async def test_a_video_whose_time_is_up_stays_finished(
    night: Night, trouble: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "FETCH_S_MAX", 0.1)
    night.gateway.always("content", trouble)
    assert (await night.run(jobs(1))).counts == {State.FINISHED: 1}
    assert night.facts(job(0))[-1] == "download_failed"
    night.gateway.behave()
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert len(night.gateway.book) == 1


async def test_a_video_that_is_long_expired_by_the_clock_is_tried_for_all_the_same(night: Night) -> None:
    night.profile = replace(night.profile, retention_s=-1e6)
    night.gateway.once("content", *[refusal(500)] * 5)
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}


async def test_a_retry_after_holds_up_the_whole_lane(night: Night) -> None:
    night.limits = replace(night.limits, downloads=1)
    night.gateway.once("content", refusal(429, retry_after="1"))
    assert (await night.run(jobs(3))).counts == {State.STORED: 3}
    first, second, *_ = night.gateway.of("content")
    assert second.at_s - first.at_s >= 0.99


class Full(Disk):
    """A disk that is full, in one place, for a while."""

    def __init__(self, how: str, times: int) -> None:
        self.how, self.left = how, times

    def _fail(self, how: str) -> None:
        if how == self.how and self.left:
            self.left -= 1
            raise OSError(errno.ENOSPC, "No space left on device")

    def write(self, descriptor: int, content: bytes) -> None:
        self._fail("write")
        super().write(descriptor, content)

    def sync(self, descriptor: int) -> None:
        self._fail("sync")
        super().sync(descriptor)

    def write_whole(self, path: Path, content: bytes) -> None:
        self._fail("sidecar" if path.parent.name == "coast" else "metadata")
        super().write_whole(path, content)

    def replace(self, source: Path, target: Path) -> None:
        self._fail("name" if target.suffix == ".mp4" else "")
        super().replace(source, target)

    def open_append(self, path: Path) -> int:
        self._fail("row" if path.suffix == ".jsonl" else "")
        return super().open_append(path)


def fill(night: Night, how: str, times: int = 20) -> None:
    """Let the disk be full for the lanes of the next run."""

    class Boards(list[Board]):
        def append(self, board: Board) -> None:
            super().append(board)
            board.folder.disk = Full(how, times)

    night.boards = Boards()


@pytest.mark.parametrize("how", ["write", "sync", "sidecar", "name"])
async def test_a_full_disk_stops_what_would_be_bought_and_loses_nothing(night: Night, a_film: bytes, how: str) -> None:
    said = anyio.Event()

    def note(event: Event) -> None:
        if isinstance(event, Notice) and event.kind is Kind.DISK and "the disk fails" in event.message:
            said.set()

    def sell_late(seen: Seen) -> Answer:
        return replace(answer(night.gateway.sell(seen)), hold=said)

    night.limits = replace(night.limits, in_flight=1, downloads=1)
    night.gateway.once("submit", lambda _: None, sell_late)  # else the rest is sold before the first is here
    fill(night, how)
    outcome = await night.run(jobs(4), observer=note)
    assert outcome.counts == {State.STORED: 2, State.PENDING: 2}
    assert len(night.gateway.book) == 2
    assert "No space left" in outcome.stopped
    assert str(night.folder / "videos/coast/job-0.mp4.part") in outcome.stopped
    assert any("the disk fails" in words for words in night.urgent)
    assert night.video(job(0)).read_bytes() == a_film


async def test_a_row_that_cannot_be_written_does_not_end_a_run(night: Night) -> None:
    fill(night, "row")
    outcome = await night.run(jobs(2))
    assert (outcome.counts, outcome.stopped) == ({State.STORED: 2}, "")
    assert len((night.folder / "videos/metadata.jsonl").read_text().splitlines()) == 2


async def test_a_video_that_is_not_as_asked_for_is_kept_and_said(night: Night) -> None:
    (one,) = jobs(1)
    await night.run((one,))
    sidecar = json.loads(night.video(one).with_suffix(".json").read_text())
    assert sidecar["differs"] == ["size"]
    said = [event.message for event in night.events if isinstance(event, Notice) and not event.urgent]
    assert said == [f"{one.id}: not as it was asked for: it is 64x64, not {one.size}"]


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
    night.profile = replace(night.profile, retention_s=0.0)
    night.gateway.always("content", gone)
    for _ in range(2):
        assert (await night.run(jobs(1))).counts == {State.EXPIRED: 1}
    assert len(night.gateway.book) == 1
    assert any("expired" in words for words in night.urgent)


async def test_content_that_is_not_there_though_it_should_be_kept_is_asked_for_by_a_later_run(night: Night) -> None:
    """A store that lags, a database that was restored, the key of another account."""
    night.gateway.always("content", refusal(404, message="what video?"))
    assert (await night.run(jobs(1))).counts == {State.FINISHED: 1}
    night.gateway.behave()
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert len(night.gateway.book) == 1


async def test_a_link_behind_which_nothing_is_left_means_expired_once_it_need_not_be_kept(night: Night) -> None:
    night.profile = replace(night.profile, retention_s=0.0)
    async with elsewhere(night.gateway) as (cdn, lead):
        night.gateway.always("content", lead)
        cdn.always("content", refusal(404))
        assert (await night.run(jobs(1))).counts == {State.EXPIRED: 1}


async def test_the_bytes_of_a_video_that_expired_are_no_part_of_the_next(night: Night, a_film: bytes) -> None:
    night.gateway.once("content", lambda seen: replace(night.gateway.content(seen), cut_at=CUT_AT), refusal(410))
    assert (await night.run(jobs(1))).counts == {State.EXPIRED: 1}
    assert not list(night.folder.rglob("*.part*"))


async def test_one_bad_download_does_not_hold_up_the_others(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "FETCH_S_MAX", 0.5)
    night.limits = replace(night.limits, downloads=1)
    night.gateway.always("content", lambda seen: refusal(500) if seen.video_id == "video_1" else None)
    outcome = await night.run(jobs(5))
    assert outcome.counts == {State.FINISHED: 1, State.STORED: 4}


async def test_a_film_that_is_cut_at_the_provider_is_fetched_anew_and_not_for_ever(night: Night) -> None:
    whole, night.gateway.film = night.gateway.film, night.gateway.film[: len(night.gateway.film) // 2]
    outcome = await night.run(jobs(1))
    assert outcome.counts == {State.FINISHED: 1}
    assert len(night.gateway.of("content")) == policy.WRONG_CONTENT_TRIES

    night.gateway.film = whole
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}


# --- where a download is led


@asynccontextmanager
async def elsewhere(gateway: Gateway) -> AsyncIterator[tuple[Gateway, Callable[[Seen], Answer]]]:
    """A second server that keeps the films of *gateway*, and the answer that leads there."""
    cdn = Gateway(gateway.film)
    cdn.always("content", cdn.content)
    async with serving(cdn) as url:

        def lead(seen: Seen) -> Answer:
            return Answer(status=302, headers={"location": f"{url}/videos/{seen.video_id}/content?sig=secret"})

        yield cdn, lead


async def test_a_film_that_is_kept_elsewhere_is_fetched_from_there_also_where_it_broke_off(
    night: Night, a_film: bytes
) -> None:
    async with elsewhere(night.gateway) as (cdn, lead):
        night.gateway.always("content", lead)
        cdn.once("content", lambda seen: replace(cdn.content(seen), cut_at=CUT_AT))
        assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    first, second = cdn.of("content")
    assert night.video(job(0)).read_bytes() == a_film
    assert "range" not in first.headers
    assert second.headers["if-range"] == ETAG
    assert not any("authorization" in seen.headers for seen in cdn.seen)


@pytest.mark.parametrize(
    "said",
    [
        *(refusal(403), refusal(410), refusal(404), refusal(404, message="signature expired")),
        answer({"object": "video", "id": "req_77", "status": "failed"}),
    ],
)
async def test_a_link_that_has_run_out_is_asked_for_anew(night: Night, said: Answer) -> None:
    """Whatever another host says of it: only the provider can say that the video is gone."""
    async with elsewhere(night.gateway) as (cdn, lead):
        night.gateway.always("content", lead)
        cdn.once("content", *[said] * policy.NEW_LINKS)
        outcome = await night.run(jobs(1))
    assert (outcome.counts, outcome.stopped) == ({State.STORED: 1}, "")
    assert len(night.gateway.of("content")) == policy.NEW_LINKS + 1


async def test_a_link_that_never_works_fails_one_download_and_stops_nobody(night: Night) -> None:
    async with elsewhere(night.gateway) as (cdn, lead):
        night.gateway.always("content", lambda seen: lead(seen) if seen.video_id == "video_1" else None)
        cdn.always("content", refusal(401))
        outcome = await night.run(jobs(3))
    assert (outcome.counts, outcome.stopped) == ({State.FINISHED: 1, State.STORED: 2}, "")
    assert len(cdn.of("content")) == policy.NEW_LINKS + 1


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/latest?sig=secret", "http://cdn.example/film?sig=secret", "https://u:secret@cdn.example/"],
)
async def test_a_film_that_is_said_to_be_where_we_do_not_go_stays_finished_and_is_said(
    night: Night, location: str
) -> None:
    night.gateway.always("content", Answer(status=307, headers={"location": location}))
    outcome = await night.run(jobs(1))
    assert (outcome.counts, outcome.stopped) == ({State.FINISHED: 1}, "")
    assert night.facts(job(0))[-1] == "download_failed"
    assert len(night.gateway.of("content")) == 1
    (said,) = [words for words in night.urgent if "its download failed" in words]
    assert "it is redirected to" in said
    assert "secret" not in said
    assert "secret" not in (night.folder / "ledger.jsonl").read_text()

    night.gateway.behave()
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert len(night.gateway.book) == 1


# --- what expires


@pytest.mark.parametrize("days", [-1, 1])
async def test_a_clock_that_is_a_day_wrong_loses_nothing(night: Night, days: int) -> None:
    expiry = int((datetime.now(UTC) - timedelta(days=days)).timestamp()) + 3600

    def done(seen: Seen) -> Answer:
        video = night.gateway.show(night.gateway.book[seen.video_id])
        return answer({**video, "expires_at": expiry})

    night.gateway.always("look", done)
    night.gateway.always("content", lambda _: None if len(night.gateway.of("content")) > 6 else refusal(500))
    assert (await night.run(jobs(4))).counts == {State.STORED: 4}


async def test_what_expired_is_said_with_its_price_and_how_to_buy_it_again(night: Night) -> None:
    night.gateway.always("content", refusal(410))
    outcome = await night.run(jobs(1))
    (cost,) = (outcome.state.jobs[key].cost for key in outcome.concerned)
    assert cost is not None
    (said,) = [words for words in night.urgent if "expired" in words]
    assert f"{job(0).id}: it expired, and was paid for: {money(cost, night.profile.currency)}" in said
    assert "--retry expired buys it again" in said


async def test_finished_videos_that_would_expire_hold_up_submits_until_they_are_home(night: Night) -> None:
    slow = anyio.Event()

    def content(seen: Seen) -> Answer:
        """Nothing comes home at first; then all of it."""
        return replace(night.gateway.content(seen), hold=slow)

    def note(event: Event) -> None:
        if isinstance(event, Notice) and "no more is submitted meanwhile" in event.message:
            bought.append(len(night.gateway.book))
            slow.set()

    bought: list[int] = []
    night.limits = replace(night.limits, downloads=1, submits_per_minute=600.0)
    night.profile = replace(night.profile, retention_s=3.0)
    night.gateway.always("content", content)
    outcome = await night.run(jobs(25), observer=note)
    said = [words for words in night.urgent if "finished video" in words or "what is finished" in words]
    assert outcome.counts == {State.STORED: 25}
    assert bought
    assert bought[0] < 25
    assert re.fullmatch(
        r"\d+ finished videos wait .* would expire before their turn comes: no more is submitted meanwhile", said[0]
    )
    assert any(words == "what is finished comes home in time again: submits go on" for words in said[1:])


async def test_a_video_about_to_expire_is_asked_for_even_when_nobody_answers(night: Night) -> None:
    """The breaker is open and rests for longer than the videos live; each gets its try before its end all the same."""
    night.patience = replace(HASTY, rest=Backoff(base_s=1000.0, cap_s=1000.0))
    night.limits = replace(night.limits, downloads=1, in_flight=64)
    night.profile = replace(night.profile, retention_s=policy.LAST_TRY_S + 1.0)
    night.gateway.always("content", lambda _: None if len(night.gateway.of("content")) > 20 else NOTHING)
    outcome = await night.run(jobs(20))
    assert any("nobody answers" in words for words in night.urgent)
    assert outcome.counts == {State.STORED: 20}
