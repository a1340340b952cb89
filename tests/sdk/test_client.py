"""The official SDK as a client: what it does with the real API, it does with our sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from pipeline.model import JSON
from tests.sandbox.conftest import KEY, Clock, Gateway, running
from tests.sandbox.pictures import PICTURE
from tests.sandbox.test_film import decode

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API is scheduled:DeprecationWarning")
"""From 3.x on, each of the SDK's video calls says so: its own server has closed, and ours has not."""


class Ticking(Clock):
    """A fifth of a second goes by whenever somebody looks."""

    def __call__(self) -> float:
        self.now += 0.2
        return self.now


def requests(gateway: Gateway, method: str, route: str) -> dict[int, int]:
    """How many of these there were, by HTTP status; 0 is no answer."""
    counts = gateway.debug("requests")["counts"]
    return {
        one["status"]: one["count"] for one in counts if (one["method"], one["route"]) == (method, f"/v1/videos{route}")
    }


def book(gateway: Gateway) -> list[dict[str, Any]]:
    """Everything that would have been billed."""
    return list(gateway.debug("book")["entries"])


def test_a_video_is_made_watched_and_downloaded(openai: Any, tmp_path: Path) -> None:
    with (
        running(tmp_path / "sandbox", Ticking(), render_s=2) as gateway,
        openai.OpenAI(base_url=str(gateway.client.base_url), api_key=KEY, max_retries=0) as sdk,
    ):
        video = sdk.videos.create_and_poll(
            prompt="a heron", model="sora-2", seconds="4", size="64x64", poll_interval_ms=1
        )
        sdk.videos.download_content(video.id).write_to_file(tmp_path / "heron.mp4")
        looks = requests(gateway, "GET", "/{id}")

    seen = decode(tmp_path / "heron.mp4")
    assert (video.status, video.progress, video.object) == ("completed", 100, "video")
    assert (seen.size, seen.seconds) == ("64x64", 4.0)
    assert looks[200] > 1


def test_one_that_was_made_before_is_polled_and_streamed_to_a_file(
    sdk: Any, gateway: Gateway, clock: Clock, tmp_path: Path
) -> None:
    made = sdk.videos.create(prompt="a heron", seconds="4", size="64x64")
    clock.now += 60
    video = sdk.videos.poll(made.id)
    with sdk.videos.with_streaming_response.download_content(video.id) as response:
        response.stream_to_file(tmp_path / "heron.mp4")

    assert (made.status, video.status) == ("queued", "completed")
    assert (tmp_path / "heron.mp4").read_bytes() == gateway.client.get(f"/videos/{made.id}/content").content


def test_its_async_client_pages_and_downloads(openai: Any, gateway: Gateway, clock: Clock, tmp_path: Path) -> None:
    gateway.change({"render_s": 0})

    async def make() -> tuple[list[str], list[str]]:
        async with openai.AsyncOpenAI(base_url=str(gateway.client.base_url), api_key=KEY, max_retries=0) as sdk:
            made = [(await sdk.videos.create(prompt=f"heron {n}", size="64x64")).id for n in range(3)]
            seen = [video.id async for video in sdk.videos.list(limit=1, order="asc")]
            async with sdk.videos.with_streaming_response.download_content(made[0]) as response:
                await response.stream_to_file(tmp_path / "heron.mp4")
            return made, seen

    made, seen = anyio.run(make)

    assert seen == made
    assert requests(gateway, "GET", "") == {200: 3}
    assert decode(tmp_path / "heron.mp4").size == "64x64"


def test_it_is_looked_at_listed_and_deleted(openai: Any, sdk: Any, gateway: Gateway, clock: Clock) -> None:
    made = [sdk.videos.create(prompt=f"heron {n}", seconds="8", size="720x1280").id for n in range(5)]
    clock.now += 60

    assert sdk.videos.retrieve(made[0]).seconds == "8"
    assert [video.id for video in sdk.videos.list(limit=2, order="asc")] == made
    assert sdk.videos.delete(made[0]).deleted is True
    with pytest.raises(openai.NotFoundError) as caught:
        sdk.videos.retrieve(made[0])
    assert caught.value.request_id.startswith("req_")


def test_a_reference_is_sent_as_a_file(sdk: Any, gateway: Gateway) -> None:
    sdk.videos.create(prompt="a fox", size="64x64", input_reference=("fox.png", PICTURE, "image/png"))

    assert book(gateway)[0]["fields"]["input_reference"]["filename"] == "fox.png"


def test_a_video_is_remixed_and_extended(openai: Any, sdk: Any, gateway: Gateway) -> None:
    gateway.change({"render_s": 0})
    first = sdk.videos.create(prompt="a heron", seconds="8", size="1280x720")
    remix = sdk.videos.remix(first.id, prompt="the same at night")
    asked = {"prompt": "it flies off", "seconds": "4", "video": {"id": remix.id}}  # its own method takes files alone
    longer = sdk.post("/videos/extensions", body=asked, cast_to=type(remix))

    assert (remix.remixed_from_video_id, remix.seconds, remix.size) == (first.id, "8", "1280x720")
    assert (longer.remixed_from_video_id, longer.seconds, longer.model) == (None, "12", "sora-2")
    with pytest.raises(openai.NotFoundError):
        sdk.videos.remix("video_00", prompt="the same at night")


def test_a_video_is_edited(sdk: Any, gateway: Gateway) -> None:
    gateway.change({"render_s": 0})
    first = sdk.videos.create(prompt="a heron", seconds="8", size="64x64")
    asked = {"prompt": "in the rain", "video": {"id": first.id}}  # as above
    edited = sdk.post("/videos/edits", body=asked, cast_to=type(first))

    assert edited.id != first.id
    assert (edited.prompt, edited.seconds, edited.size) == ("in the rain", "8", "64x64")


@pytest.mark.parametrize(
    ("variant", "begins", "has"), [("thumbnail", b"RIFF", b"WEBP"), ("spritesheet", b"\xff\xd8", b"")]
)
def test_a_variant_is_a_picture(sdk: Any, gateway: Gateway, variant: str, begins: bytes, has: bytes) -> None:
    gateway.change({"render_s": 0})
    video = sdk.videos.create(prompt="a heron", size="64x64")
    picture = sdk.videos.download_content(video.id, variant=variant)

    assert picture.response.headers["content-type"].startswith("image/")
    assert picture.content.startswith(begins)
    assert has in picture.content[:16]


def test_a_failed_video_is_a_value_and_its_film_is_not_found(openai: Any, sdk: Any, gateway: Gateway) -> None:
    gateway.change({"render_s": 0, "faults": {"videos": {"chance": {"moderated": 1}}}})
    video = sdk.videos.create_and_poll(prompt="a heron", size="64x64")

    assert video.status == "failed"
    assert video.error.code == "moderation_blocked"
    with pytest.raises(openai.NotFoundError):
        sdk.videos.download_content(video.id)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("refused", "BadRequestError"),
        ("429", "RateLimitError"),
        ("429_seconds", "RateLimitError"),
        ("500", "InternalServerError"),
        ("503_seconds", "InternalServerError"),
        ("reset_before", "APIConnectionError"),
    ],
)
def test_a_fault_of_a_create_is_one_of_its_exceptions(
    openai: Any, sdk: Any, gateway: Gateway, fault: str, error: str
) -> None:
    gateway.change({"faults": {"submit": {"script": [fault]}}})

    with pytest.raises(getattr(openai, error)):
        sdk.videos.create(prompt="a heron", size="64x64")
    assert book(gateway) == []


def test_its_errors_are_read_from_ours(openai: Any, sdk: Any) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        sdk.videos.create(prompt="a heron", size="1x1")
    assert (refused.value.param, refused.value.code) == ("size", "invalid_value")

    with pytest.raises(openai.AuthenticationError) as unknown:
        sdk.with_options(api_key="another").videos.create(prompt="a heron")
    assert unknown.value.code == "invalid_api_key"

    early = sdk.videos.create(prompt="a heron", size="64x64")
    with pytest.raises(openai.NotFoundError, match="not ready yet"):
        sdk.videos.download_content(early.id)


def test_it_waits_and_tries_again_when_there_were_too_many(sdk: Any, gateway: Gateway) -> None:
    gateway.change({"faults": {"submit": {"script": ["429_seconds"]}}})
    sdk.with_options(max_retries=1).videos.create(prompt="a heron", size="64x64")

    assert requests(gateway, "POST", "") == {429: 1, 200: 1}
    assert len(book(gateway)) == 1


@pytest.mark.parametrize(
    ("fault", "options"), [("reset_after", {}), ("502_after", {}), ("no_answer", {"timeout": 1.0})]
)
def test_a_create_whose_answer_is_lost_is_paid_for_twice_when_it_repeats_it(
    sdk: Any, gateway: Gateway, fault: str, options: dict[str, JSON]
) -> None:
    """Why vidbatch does without it: by default it repeats twice, and sends nothing to know a repetition by."""
    gateway.change({"faults": {"submit": {"script": [fault]}}})
    got = sdk.with_options(max_retries=2, **options).videos.create(prompt="a heron", size="64x64")

    entries = book(gateway)
    assert [entry["id"] for entry in entries].index(got.id) == len(entries) - 1 > 0
    assert {entry["idempotency_key"] for entry in entries} == {None}
