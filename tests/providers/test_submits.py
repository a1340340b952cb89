"""The POSTs of the `videos` dialect, to the byte: from words, from an image, from a video made before."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from pipeline.model import Job, Link, Reference
from pipeline.profile import Profile
from pipeline.providers.base import NO_INPUTS, Inputs, Request
from pipeline.providers.registry import find_profile
from pipeline.providers.videos import Videos
from tests.providers.contract import a_job, wired

PROFILE = find_profile("openai")
assert PROFILE is not None
OURS: Profile = PROFILE
KEY = "00000000-0000-4000-8000-000000000001"
IMAGE = b"\x89PNG\r\n\x1a\n\x00\xff"
FOX = Reference(name="images/my own fox.png", sha256="0" * 64, media_type="image/png")


def linked(link: Link, **changes: Any) -> Job:
    return a_job(OURS, source="f" * 32, link=link, **changes)


def submit(job: Job, profile: Profile = OURS, **inputs: Any) -> Request:
    return Videos().submit(job, profile, key=KEY, inputs=Inputs(**inputs))


@pytest.mark.parametrize("body", ["multipart", "json"])
def test_a_remix_is_its_prompt_at_its_sources_address(body: str) -> None:
    request = submit(linked(Link.REMIX), wired(OURS, body=body), video_id="video_1")
    assert (request.method, request.path) == ("POST", "/videos/video_1/remix")
    assert json.loads(request.body) == {"prompt": "a heron at dawn"}
    assert request.headers == {"content-type": "application/json", "idempotency-key": KEY}


def test_an_extension_names_its_source_and_the_length_of_the_new_part() -> None:
    request = submit(linked(Link.EXTEND, seconds=8.0), video_id="video_1")
    assert request.path == "/videos/extensions"
    assert json.loads(request.body) == {"prompt": "a heron at dawn", "seconds": "8", "video": {"id": "video_1"}}


@pytest.mark.parametrize("link", Link)
def test_params_go_along_and_never_over_our_own(link: Link) -> None:
    params = {"seed": 7, "prompt": "another", "style": {"film": "35mm"}}
    sent = json.loads(submit(linked(link, params=params), video_id="video_1").body)
    assert (sent["prompt"], sent["seed"], sent["style"]) == ("a heron at dawn", 7, {"film": "35mm"})


@pytest.mark.parametrize(
    ("video_id", "path"),
    [
        ("a/b=c?d", "/videos/a%2Fb%3Dc%3Fd/remix"),
        ("..", "/videos/%2E%2E/remix"),
        ("video_1channel7", "/videos/video_1channel7/remix"),
    ],
)
def test_a_sources_id_is_one_segment(video_id: str, path: str) -> None:
    assert submit(linked(Link.REMIX), video_id=video_id).path == path


def test_an_image_is_a_file_part_after_the_prompt_and_tells_nothing_of_this_machine() -> None:
    body = submit(a_job(OURS, reference=FOX), reference=IMAGE).body
    places = [
        body.index(f'name="{name}"'.encode()) for name in ("prompt", "input_reference", "model", "seconds", "size")
    ]
    assert places == sorted(places)
    head = b'name="input_reference"; filename="reference.png"\r\nContent-Type: image/png\r\n\r\n'
    assert head + IMAGE + b"\r\n--vidbatch-" in body
    assert b"my own" not in body


def test_an_image_in_json_is_a_data_url() -> None:
    sent = json.loads(submit(a_job(OURS, reference=FOX), wired(OURS, body="json"), reference=IMAGE).body)
    assert list(sent) == ["prompt", "input_reference", "model", "seconds", "size"]
    head, _, content = sent["input_reference"]["image_url"].partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(content) == IMAGE


def test_a_parameter_does_not_take_the_images_place() -> None:
    job = a_job(OURS, reference=FOX, params={"input_reference": "mine"})
    assert submit(job, reference=IMAGE).body.count(b'name="input_reference"') == 1


@pytest.mark.parametrize("body", ["multipart", "json"])
@pytest.mark.parametrize(
    ("job", "inputs"),
    [
        (a_job(OURS, reference=FOX), Inputs(reference=IMAGE)),
        (linked(Link.REMIX), Inputs(video_id="video_1")),
        (linked(Link.EXTEND), Inputs(video_id="video_1")),
    ],
    ids=["image", "remix", "extension"],
)
def test_the_same_key_and_inputs_give_the_same_bytes(job: Job, inputs: Inputs, body: str) -> None:
    profile = wired(OURS, body=body)
    first = Videos().submit(job, profile, key=KEY, inputs=inputs)
    renamed = replace(job, id="another", reference=job.reference and replace(job.reference, name="b.png"))
    assert Videos().submit(renamed, profile, key=KEY, inputs=inputs) == first


@pytest.mark.parametrize("job", [a_job(OURS, reference=FOX), linked(Link.REMIX), linked(Link.EXTEND)])
def test_nothing_is_sent_without_what_it_builds_on(job: Job) -> None:
    with pytest.raises(ValueError, match="builds on"):
        Videos().submit(job, OURS, key=KEY, inputs=NO_INPUTS)
