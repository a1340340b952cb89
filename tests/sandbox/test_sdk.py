"""The official SDK as a client: what it does with the real API, it does with ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.conftest import KEY, Gateway
from tests.sandbox.pictures import PICTURE
from tests.sandbox.test_film import decode

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="session")
def openai() -> Any:
    """Takes a second to import: not while tests are collected."""
    return pytest.importorskip("openai")


@pytest.fixture
def sdk(openai: Any, gateway: Gateway) -> Iterator[Any]:
    with openai.OpenAI(base_url=str(gateway.client.base_url), api_key=KEY, max_retries=0) as client:
        yield client


def test_a_video_is_made_watched_and_downloaded(sdk: Any, gateway: Gateway, tmp_path: Path) -> None:
    gateway.change({"render_s": 0})
    video = sdk.videos.create_and_poll(prompt="a heron", model="sora-2", seconds="4", size="1280x720")
    sdk.videos.download_content(video.id).write_to_file(tmp_path / "heron.mp4")
    seen = decode(tmp_path / "heron.mp4")

    assert (video.status, video.progress, video.object) == ("completed", 100, "video")
    assert (seen.size, seen.seconds) == ("1280x720", 4.0)


def test_it_is_looked_at_listed_and_deleted(openai: Any, sdk: Any, gateway: Gateway, clock: Any) -> None:
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

    entry = gateway.debug("book")["entries"][0]
    assert entry["fields"]["input_reference"]["filename"] == "fox.png"


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


def test_its_errors_are_read_from_ours(openai: Any, sdk: Any, start: Callable[..., Gateway]) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.videos.create(prompt="a heron", size="1x1")
    assert (caught.value.param, caught.value.code) == ("size", "invalid_value")

    with pytest.raises(openai.AuthenticationError):
        sdk.with_options(api_key="another").videos.create(prompt="a heron")
