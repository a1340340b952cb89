"""Videos made from videos and from images, as the API makes them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import WISH, Clock, Gateway, multipart, running
from tests.sandbox.pictures import PICTURE, png


def finished(gateway: Gateway, clock: Clock, **fields: str) -> dict[str, Any]:
    """A video that is completed by now."""
    video = gateway.create(**fields)
    clock.now += 60
    return video


def remix(gateway: Gateway, video_id: str, **fields: str) -> dict[str, Any]:
    reply = gateway.client.post(f"/videos/{video_id}/remix", json={"prompt": "the same at night", **fields})
    return dict(reply.raise_for_status().json())


def extend(gateway: Gateway, video_id: str, **fields: Any) -> dict[str, Any]:
    asked = {"prompt": "it flies off", "seconds": "8", "video": {"id": video_id}, **fields}
    return dict(gateway.client.post("/videos/extensions", json=asked).raise_for_status().json())


def test_a_remix_keeps_its_sources_settings_and_names_it(gateway: Gateway, clock: Clock) -> None:
    first = finished(gateway, clock, model="sora-2-pro", seconds="8")
    second = remix(gateway, first["id"], seed="7")

    assert (second["model"], second["seconds"], second["size"]) == ("sora-2-pro", "8", "64x64")
    assert (second["prompt"], second["remixed_from_video_id"]) == ("the same at night", first["id"])
    assert second["status"] == "queued"
    assert first["remixed_from_video_id"] is None
    entry = gateway.debug("book")["entries"][1]
    assert (entry["source"]["video_id"], entry["source"]["link"]) == (first["id"], "remix")
    assert entry["fields"] == {
        "prompt": "the same at night",
        "model": "sora-2-pro",
        "seconds": "8",
        "size": "64x64",
        "seed": "7",
    }


def test_an_extension_is_billed_by_its_part_and_as_long_as_both(gateway: Gateway, clock: Clock) -> None:
    first = finished(gateway, clock, seconds="4")
    longer = extend(gateway, first["id"])
    clock.now += 60
    again = extend(gateway, longer["id"], seconds="12")
    clock.now += 60

    assert (longer["seconds"], again["seconds"], remix(gateway, again["id"])["seconds"]) == ("12", "24", "24")
    assert [entry["fields"]["seconds"] for entry in gateway.debug("book")["entries"]] == ["4", "8", "12", "24"]
    assert longer["remixed_from_video_id"] is None


def test_both_come_as_parts_of_a_form_too(gateway: Gateway, clock: Clock) -> None:
    first = finished(gateway, clock)
    parts = multipart({"prompt": "it flies off", "seconds": "4", "video[id]": first["id"]})

    assert gateway.client.post("/videos/extensions", files=parts).raise_for_status().json()["seconds"] == "8"
    again = gateway.client.post(f"/videos/{first['id']}/remix", files=multipart({"prompt": "at night"}))
    assert again.raise_for_status().json()["remixed_from_video_id"] == first["id"]


def test_films_of_a_remix_and_of_its_source_differ_though_the_words_are_the_same(
    start: Callable[..., Gateway], clock: Clock
) -> None:
    gateway = start(render_s=0)
    first = gateway.create()
    films = [gateway.client.get(f"/videos/{first['id']}/content").content]
    for _ in range(2):
        made = remix(gateway, first["id"], prompt=WISH["prompt"])
        films.append(gateway.client.get(f"/videos/{made['id']}/content").content)

    assert films[0] != films[1]
    assert films[1] == films[2]  # the same wish of the same source


BAD_REMIXES: dict[str, tuple[dict[str, Any], str, str]] = {
    "no prompt": ({"prompt": None}, "prompt", "missing_required_parameter"),
    "a length": ({"seconds": "8"}, "seconds", "unknown_parameter"),
    "a size": ({"size": "64x64"}, "size", "unknown_parameter"),
    "an image": ({"input_reference": {}}, "input_reference", "invalid_value"),
}
BAD_EXTENSIONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a model": ({"model": "sora-2", "seconds": "4"}, "model", "unknown_parameter"),
    "no length": ({}, "seconds", "missing_required_parameter"),
    "no source": ({"seconds": "4", "video": {}}, "video", "missing_required_parameter"),
    "too long": ({"seconds": "118"}, "seconds", "invalid_value"),
}


@pytest.mark.parametrize(("change", "param", "code"), BAD_REMIXES.values(), ids=BAD_REMIXES)
def test_a_wrong_remix_is_refused_and_makes_nothing(
    gateway: Gateway, clock: Clock, change: dict[str, Any], param: str, code: str
) -> None:
    first = finished(gateway, clock)
    reply = gateway.client.post(f"/videos/{first['id']}/remix", json={"prompt": "at night", **change})

    assert (reply.status_code, reply.json()["error"]["param"], reply.json()["error"]["code"]) == (400, param, code)
    assert len(gateway.debug("book")["entries"]) == 1


@pytest.mark.parametrize(("change", "param", "code"), BAD_EXTENSIONS.values(), ids=BAD_EXTENSIONS)
def test_a_wrong_extension_is_refused_and_makes_nothing(
    gateway: Gateway, clock: Clock, change: dict[str, Any], param: str, code: str
) -> None:
    first = finished(gateway, clock)
    asked = {"prompt": "at night", "video": {"id": first["id"]}, **change}
    reply = gateway.client.post("/videos/extensions", json=asked)

    assert (reply.status_code, reply.json()["error"]["param"], reply.json()["error"]["code"]) == (400, param, code)
    assert len(gateway.debug("book")["entries"]) == 1


GONE = {
    "unknown": (404, "not found"),
    "deleted": (404, "not found"),
    "unfinished": (400, "not completed"),
    "failed": (400, "not completed"),
    "expired": (404, "no longer available"),
}


@pytest.mark.parametrize("path", ["remix", "extensions"])
@pytest.mark.parametrize("state", GONE)
def test_only_a_completed_video_that_is_still_here_is_built_on(
    start: Callable[..., Gateway], clock: Clock, path: str, state: str
) -> None:
    gateway = start(faults={"videos": {"script": ["failed_null"]}} if state == "failed" else {})
    video_id = "video_00" if state == "unknown" else gateway.create()["id"]
    clock.now += {"unfinished": 0.0, "expired": 4000.0}.get(state, 60.0)
    if state == "deleted":
        gateway.client.delete(f"/videos/{video_id}").raise_for_status()
    if path == "remix":
        reply = gateway.client.post(f"/videos/{video_id}/remix", json={"prompt": "at night"})
    else:
        asked = {"prompt": "on", "seconds": "4", "video": {"id": video_id}}
        reply = gateway.client.post("/videos/extensions", json=asked)

    status, words = GONE[state]
    assert reply.status_code == status
    assert words in reply.json()["error"]["message"]
    assert len(gateway.debug("book")["entries"]) == (state != "unknown")


def test_a_repeated_key_is_answered_with_the_first_remix_though_its_source_is_gone(
    start: Callable[..., Gateway], clock: Clock
) -> None:
    gateway = start(honours_keys=True)
    first = finished(gateway, clock)
    path, key = f"/videos/{first['id']}/remix", {"Idempotency-Key": "abc"}
    made = gateway.client.post(path, json={"prompt": "at night"}, headers=key).raise_for_status().json()
    clock.now += 4000
    again = gateway.client.post(path, json={"prompt": "at night"}, headers=key).raise_for_status().json()

    assert again["id"] == made["id"]
    assert gateway.client.post(path, json={"prompt": "at night"}).status_code == 404


def test_what_a_video_was_made_from_is_known_after_a_restart(tmp_path: Any, clock: Clock) -> None:
    with running(tmp_path, clock) as gateway:
        first = finished(gateway, clock)
        second = remix(gateway, first["id"])
        clock.now += 60
        third = extend(gateway, second["id"])
        book = gateway.debug("book")
    with running(tmp_path, clock) as gateway:
        assert gateway.debug("book") == book
        assert gateway.get(f"/videos/{third['id']}")["seconds"] == "12"
        assert gateway.get(f"/videos/{second['id']}")["remixed_from_video_id"] == first["id"]


def data_url(content: bytes, kind: str = "image/png") -> dict[str, str]:
    return {"image_url": f"data:{kind};base64,{base64.b64encode(content).decode()}"}


def test_an_image_of_the_videos_size_is_kept_by_its_digest_however_it_came(gateway: Gateway) -> None:
    parts: dict[str, Any] = {**multipart(WISH), "input_reference": ("reference.png", PICTURE, "image/png")}
    gateway.client.post("/videos", files=parts).raise_for_status()
    gateway.client.post("/videos", json=WISH | {"input_reference": data_url(PICTURE)}).raise_for_status()

    kept = [entry["fields"]["input_reference"] for entry in gateway.debug("book")["entries"]]
    assert kept[0] == {"filename": "reference.png"} | kept[1]
    assert (kept[1]["size"], kept[1]["bytes"], kept[1]["content_type"]) == ("64x64", len(PICTURE), "image/png")


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (data_url(png(64, 32)), "Inpaint image must match the requested width and height"),
        (data_url(b"GIF89a"), "Expected a JPEG, PNG or WebP"),
        (data_url(PICTURE[:60]), "Expected a JPEG, PNG or WebP"),
        ({"image_url": "https://example.com/fox.png"}, "data URL"),
        ({"image_url": "data:image/png;base64,*"}, "no base64"),
        ({"file_id": "file_1"}, "data URL"),
        ({}, "data URL"),
    ],
)
def test_another_image_is_refused_and_makes_nothing(gateway: Gateway, reference: Any, words: str) -> None:
    reply = gateway.client.post("/videos", json=WISH | {"input_reference": reference})

    assert reply.status_code == 400
    assert words in reply.json()["error"]["message"]
    assert gateway.debug("book")["entries"] == []
