"""Videos that come home in other forms than their bytes: by a link, in a document, or where only the content tells."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import replace
from threading import Barrier, BrokenBarrierError

import pytest

from pipeline.lifecycle import State
from pipeline.model import JSON
from pipeline.policy.collect import NEW_LINKS, WRONG_CONTENT_TRIES
from pipeline.profile import Profile
from pipeline.progress import Received
from pipeline.providers import videos
from pipeline.providers.base import Found, Refusal, Reply
from pipeline.providers.documents import read_document
from pipeline.providers.registry import parse
from tests.runner.gateway import ETAG, Answer, Gateway, Script, Seen, answer, refusal, serving
from tests.runner.night import QUICK, Night, job, jobs

pytestmark = pytest.mark.anyio

BARE: Mapping[str, JSON] = {
    "name": "own",
    "title": "Own",
    "auth": "bearer",
    "key_default": "sk-0123456789abcdef",
    "models": {"*": {}},
    "retention_s": 7200,
    "currency": "USD",
    "bills": False,
    "limits": {"submit_slots": 4, "submits_per_minute": 60_000},
}
CUT_AT = 100_000


def profile_with(**changes: JSON) -> Profile:
    return replace(parse({**BARE, **changes}), pace=QUICK)


@pytest.fixture
def anyio_backend() -> str:
    """One loop is enough here: what these runs are carried by is tested under both."""
    return "asyncio"


@pytest.fixture
async def store(a_film: bytes) -> AsyncIterator[tuple[Gateway, str]]:
    """Another host, which has the film and knows nobody; and its address."""
    gateway = Gateway(a_film)
    gateway.always("content", gateway.content)
    async with serving(gateway) as base_url:
        yield gateway, f"{base_url}/videos/film/content?signature=secret"


def behaving(night: Night, style: str, url: str) -> Profile:
    """The gateway of *night* hands its videos out in *style*; the profile that says so."""
    film = b64encode(night.gateway.film).decode()

    def linked(seen: Seen) -> Answer:
        return answer({"id": "another", "status": "completed", "output": {"url": url}})

    def in_base64(seen: Seen) -> Answer:
        return answer({"video_base64": film, "content_type": "text/html"})

    match style:
        case "elsewhere":
            night.gateway.always("content", Answer(status=302, headers={"location": url}))
            return profile_with()
        case "link in content":
            night.gateway.always("content", linked)
            return profile_with(content="link", answers={"link": "output.url"})
        case "link in look":
            night.gateway.always("look", linked)
            return profile_with(content="link", content_in="look", answers={"link": "output.url"})
        case "base64 in content":
            night.gateway.always("content", in_base64)
            return profile_with(content="base64")
        case "base64 in look":
            night.gateway.always("look", in_base64)
            return profile_with(content="base64", content_in="look")
        case "only content":
            not_yet = refusal(400, message="Task is not completed yet")
            night.gateway.once("content", not_yet, not_yet)
            return profile_with(looks="content")
        case "only content, as a document":
            night.gateway.once("content", answer({"status": "in_progress"}))
            night.gateway.always("content", in_base64)
            return profile_with(looks="content", content="base64")
        case _:
            night.gateway.always("submit", handing_out(in_base64))
            return profile_with(dialect="responses", result_models={"sora-*": "sora-get"})


def handing_out(result: Script) -> Script:
    """What a POST to a result's model is answered with; any other buys."""

    def answered(seen: Seen) -> Answer | None:
        if json.loads(seen.body)["model"] != "sora-get":
            return None
        return result(seen) if callable(result) else result

    return answered


STYLES = (
    *("elsewhere", "link in content", "link in look", "base64 in content", "base64 in look"),
    *("only content", "only content, as a document", "responses"),
)


@pytest.mark.parametrize("style", STYLES)
async def test_a_video_comes_home_whole_in_whatever_form(
    night: Night, store: tuple[Gateway, str], a_film: bytes, style: str
) -> None:
    night.profile = behaving(night, style, store[1])

    outcome = await night.run(jobs(2))

    assert outcome.counts == {State.STORED: 2}
    assert [night.video(one).read_bytes() for one in jobs(2)] == [a_film] * 2
    assert len(night.gateway.book) == 2  # whatever else was posted bought nothing
    assert sum(event.bytes for event in night.events if isinstance(event, Received)) == 2 * len(a_film)
    assert not any("range" in seen.headers for seen in night.gateway.seen)
    assert not any("authorization" in seen.headers for seen in store[0].seen)
    if style.startswith("only content"):
        assert not night.gateway.of("look")


async def test_a_link_is_asked_for_anew_and_what_is_here_is_gone_on_with(
    night: Night, store: tuple[Gateway, str], a_film: bytes
) -> None:
    elsewhere, url = store
    night.profile = behaving(night, "link in content", url)
    elsewhere.once("content", lambda seen: replace(elsewhere.content(seen), cut_at=CUT_AT), refusal(403))

    assert (await night.run(jobs(1))).counts == {State.STORED: 1}

    assert night.video(job(0)).read_bytes() == a_film
    assert len(night.gateway.of("content")) == 3
    _, refused, last = elsewhere.seen
    assert refused.headers["range"] == last.headers["range"]
    assert last.headers["if-range"] == ETAG


async def test_a_link_that_has_run_out_every_time_leaves_the_video_to_a_later_run(
    night: Night, store: tuple[Gateway, str], a_film: bytes
) -> None:
    elsewhere, url = store
    night.profile = behaving(night, "link in look", url)
    elsewhere.always("content", refusal(403, message="Request has expired"))

    assert (await night.run(jobs(1))).counts == {State.FINISHED: 1}
    assert len(elsewhere.seen) == NEW_LINKS + 1
    assert "Request has expired" in night.urgent[-1]

    elsewhere.always("content", elsewhere.content)
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert night.video(job(0)).read_bytes() == a_film
    assert len(night.gateway.book) == 1


FAILED = {"status": "failed", "error": {"code": "moderation", "message": "not this one"}}


@pytest.mark.parametrize(
    ("document", "asked", "why"),
    [
        ({"url": "http://cdn.example/film.mp4?signature=secret"}, 1, "not https"),
        ({"url": "https://10.0.0.1/film.mp4"}, 1, "no public address"),
        ({"url": "file:///etc/passwd"}, 1, "of the kind 'file'"),
        ({"url": "a film, as it were"}, 1, "no URL"),
        (FAILED, 1, "moderation: not this one"),
        ({"video_base64": "AAAAGGZ0eXBtcDQyAAAAAG1wNDJpc29tAAAACG1vb3Y="}, WRONG_CONTENT_TRIES, "all of it came"),
        ({"video_base64": b64encode(b"<html>no</html>").decode()}, WRONG_CONTENT_TRIES, "not as an MP4 does"),
    ],
    ids=["plain http", "inside", "no web", "no URL", "failed", "a cut film", "no film"],
)
async def test_a_document_that_leads_to_no_video_leaves_it_to_a_later_run_and_says_why(
    night: Night, a_film: bytes, document: dict[str, object], asked: int, why: str
) -> None:
    night.profile = profile_with(content="link")
    night.gateway.always("content", answer(document))

    assert (await night.run(jobs(1))).counts == {State.FINISHED: 1}
    assert len(night.gateway.of("content")) == asked
    assert why in night.urgent[-1]
    assert "secret" not in night.urgent[-1]

    night.gateway.always("content", answer({"video_base64": b64encode(a_film).decode()}))
    assert (await night.run(jobs(1))).counts == {State.STORED: 1}
    assert len(night.gateway.book) == 1


async def test_what_is_finished_and_has_no_content_yet_is_asked_for_until_it_has(night: Night, a_film: bytes) -> None:
    night.profile = profile_with(content="link", content_in="look")
    done = {"id": "video_1", "status": "completed"}
    late = {**done, "url": f"{night.base_url}/videos/video_1/content"}
    night.gateway.once("look", *[answer(done)] * 4, answer({"status": "in_progress"}), answer(late))

    assert (await night.run(jobs(1))).counts == {State.STORED: 1}

    assert night.video(job(0)).read_bytes() == a_film
    assert night.facts(job(0)).count("finished") == 1


async def test_documents_that_may_hold_a_video_are_taken_apart_one_at_a_time(
    night: Night, a_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each may be of a hundred megabytes, and takes many times that while it is read."""
    night.profile = profile_with(content="base64")
    night.gateway.always("content", answer({"video_base64": b64encode(a_film).decode()}))
    together, met = Barrier(2), []

    def read(reply: Reply, profile: Profile) -> Found | Refusal:
        with suppress(BrokenBarrierError):
            met.append(together.wait(timeout=0.1))
        return read_document(reply, profile)

    monkeypatch.setattr(videos, "read_document", read)

    assert (await night.run(jobs(4))).counts == {State.STORED: 4}
    assert met == []


ONLY_CONTENT: list[tuple[Script, State]] = [
    (refusal(401), State.IN_FLIGHT),
    (refusal(410), State.LOST),
    (refusal(404, message="The video is no longer available."), State.LOST),
    (answer(FAILED), State.FAILED),
]


@pytest.mark.parametrize(("says", "state"), ONLY_CONTENT, ids=["key", "gone", "no longer", "failed"])
@pytest.mark.parametrize("style", ["only content", "responses"])
async def test_where_only_the_content_tells_it_tells_of_every_end(
    night: Night, style: str, says: Script, state: State
) -> None:
    night.profile = behaving(night, style, "")
    night.gateway.behave()
    if style == "responses":
        night.gateway.always("submit", handing_out(says))
    else:
        night.gateway.always("content", says)

    outcome = await night.run(jobs(1))

    assert (outcome.counts, bool(outcome.stopped)) == ({state: 1}, state is State.IN_FLIGHT)
    assert len(night.gateway.book) == 1


async def test_an_outage_or_an_id_not_known_yet_ends_no_wait_for_the_content(night: Night, a_film: bytes) -> None:
    night.profile = behaving(night, "only content", "")
    night.gateway.once("content", refusal(500), refusal(404, message="Task not found"), refusal(502))

    assert (await night.run(jobs(1))).counts == {State.STORED: 1}

    assert night.video(job(0)).read_bytes() == a_film
