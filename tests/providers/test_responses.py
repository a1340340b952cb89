"""The dialect `responses`: a result is asked for by a POST that can never be taken for one that buys."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from pipeline.profile import Profile
from pipeline.providers.base import Found, Observation, Problem, Refusal, Reply, Status, Submission
from pipeline.providers.documents import LOOK_BYTES
from pipeline.providers.registry import dialect_of, parse
from pipeline.providers.responses import model_in, result_model
from pipeline.providers.sense import nonsense
from pipeline.wire import SHAPES, Sent
from tests.providers.contract import a_job
from tests.providers.recorded import recorded

BARE: dict[str, Any] = {
    "name": "own",
    "title": "Own",
    "dialect": "responses",
    "auth": "raw",
    "defaults": {"model": "film-1", "seconds": 4, "size": "720x1280"},
    "models": {"film-1": {}, "sketch-2": {}},
    "result_models": {"film-1": "film-get", "sketch-*": "sketch-get"},
    "retention_s": 7200,
    "currency": "CNY",
}
ID = "eyJtb2RlbCI6InNvcmEtMiIsImlkIjoidmlkZW9fNjliNzc5MWJmNmM0ODE5MGE1YTI4NjQ1ZjNjZGE0MjYifQchannel4429"
ANY_ID = "cgt-20260402220852-nq4wx"
FILM = b"\0\0\0\x18ftypmp42" + bytes(30_000)


@pytest.fixture
def profile() -> Profile:
    return parse(BARE)


def id_of(model: str, *, channel: str = "channel7") -> str:
    return b64encode(json.dumps({"model": model, "id": "video_~?"}).encode()).decode().rstrip("=") + channel


def said(document: object, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(document).encode())


def test_a_submit_is_json_with_the_prompt_as_input(profile: Profile) -> None:
    request = dialect_of(profile).submit(a_job(profile), profile, key="key-1")

    assert (request.method, request.path) == ("POST", "/responses")
    assert request.headers == {"content-type": "application/json", "idempotency-key": "key-1"}
    assert json.loads(request.body) == {
        "input": "a heron at dawn",
        "model": "film-1",
        "seconds": "4",
        "size": "720x1280",
    }


@pytest.mark.parametrize(
    "video_id", [ID, ANY_ID, id_of("film-1"), id_of("sketch-2"), id_of("elsewhere"), "", "狐", "\ud800"]
)
def test_a_look_and_a_fetch_are_posts_to_a_model_that_makes_nothing(video_id: str, profile: Profile) -> None:
    dialect = dialect_of(profile)
    for request in (dialect.look(video_id, profile), dialect.content(video_id, profile)):
        asked = json.loads(request.body)
        assert (request.method, request.path) == ("POST", "/responses")
        assert asked["model"] in ("film-get", "sketch-get")
        assert asked["model"] not in profile.models
        assert asked == {"model": asked["model"], "input": video_id}
    assert dialect.look(video_id, profile).enough_bytes == LOOK_BYTES
    assert dialect.content(video_id, profile).enough_bytes == 0


@pytest.mark.parametrize(
    ("video_id", "model"),
    [
        (ID, "sora-2"),
        (id_of("film-1", channel=""), "film-1"),
        (id_of("f"), "f"),
        (ANY_ID, ""),
        ("channel1", ""),
        ("", ""),
    ],
)
def test_the_model_is_read_in_the_id_with_its_channel_or_without(video_id: str, model: str) -> None:
    assert model_in(video_id) == model


@pytest.mark.parametrize(
    ("models", "video_id", "asked"),
    [
        ({"sora-2": "a-get", "*": "b-get"}, ID, "a-get"),
        ({"*": "b-get", "sora-*": "a-get", "s*": "c-get"}, ID, "a-get"),
        ({"veo": "a-get", "*": "b-get"}, ID, "b-get"),
        ({"veo": "a-get", "*": "b-get"}, ANY_ID, "b-get"),
        ({"veo": "a-get"}, ANY_ID, "a-get"),
        ({"veo": "a-get", "wan": "b-get"}, ID, "a-get"),
        ({"sora-2": "sora-2", "sora-*": "a-get"}, ID, "a-get"),  # never the model that the id names
        ({"sora-*": "sora-2", "veo": "b-get"}, ID, "b-get"),
        ({"*": "sora-2"}, ID, "sora-2-get"),
        ({}, ANY_ID, ""),
    ],
)
def test_the_nearest_entry_says_who_hands_it_out(models: dict[str, str], video_id: str, asked: str) -> None:
    assert result_model(video_id, models) == asked


def test_one_that_makes_videos_is_never_asked_however_it_is_written() -> None:
    asks = {"*": "SORA-2", "sora-*": "Veo-Get ", "veo": "b-get"}

    assert result_model(ID, {"*": "SORA-2"}) == "sora-2-get"
    assert result_model(ID, asks, ["veo-get"]) == "b-get"
    assert result_model(ID, {"*": "SORA-2"}, ["Sora-2-get"]) == "sora-2-get-get"
    made = parse({**BARE, "models": {"film-get": {}, "film-1": {}}})
    assert json.loads(dialect_of(made).look(id_of("film-1"), made).body)["model"] == "sketch-get"


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, []),
        ({"result_models": {"film-1": "film-1"}}, ["'film-1' makes videos here"]),
        ({"result_models": {"film-1": "film-get", "film-get": "x-get"}}, ["'film-get' makes videos here"]),
        ({"result_models": {"film-1": "sketch-2"}}, ["'sketch-2' makes videos here"]),
        ({"result_models": {}}, ["without 'result_models' no video"]),
        ({"models": {"*": {}}, "result_models": {"f-*": "film-1"}}, ["'film-1' makes videos here"]),
        ({"models": {"*": {}}, "result_models": {"f-*": "film-2"}}, ["'film-2' may be one that makes videos"]),
        ({"models": {"*": {}}, "result_models": {"f-*": "film-query", "*": "x-get"}}, []),
        ({"result_models": {"*": "FILM-1"}}, ["'FILM-1' makes videos here"]),
        ({"result_models": {"*": "film-1 "}}, ["'film-1 ' makes videos here"]),
        ({"result_models": {"Film-Get": "film-get"}}, ["'film-get' makes videos here"]),
        ({"result_models": {"*": "kling-v2"}}, ["'kling-v2' may be one that makes videos"]),
        ({"result_models": {"*": "null"}}, ["'null' may be one that makes videos"]),
        ({"result_models": {"*": "target-together"}}, ["'target-together' may be one that makes videos"]),
        ({"result_models": {"*": "query_video", "f*": "GET/film", "g*": "film.results", "h*": "film-poll"}}, []),
        ({"models": {"*": {}}, "result_models": {"*": "film-download", "f*": "retrieve/film"}}, []),
        *(
            ({"result_models": {"*": model}}, [f"'{model}' may be one that makes videos"])
            for model in ("video-task-pro", "video-status", "text2video.task", "film-query-2", "sora2get")
        ),
        ({"dialect": "videos"}, ["only the dialect 'responses'"]),
        ({"paths": {"submit": "/answers", "look": "/answers", "content": "/answers"}, "content_in": "look"}, []),
    ],
)
def test_a_profile_in_which_a_look_could_buy_is_refused(changes: dict[str, Any], wrong: list[str]) -> None:
    faults = [fault.message for fault in nonsense({**BARE, **changes}, shipped=())]

    assert len(faults) == len(wrong)
    assert all(fault.startswith(start) for fault, start in zip(faults, wrong, strict=True))


def test_what_the_profile_states_goes_before_the_shape_of_the_dialect() -> None:
    wire = parse({**BARE, "fields": {"prompt": {"as": "text"}, "size": None}, "paths": {"submit": "/answers"}}).wire

    shape = SHAPES["responses"]
    assert wire.paths == {**shape.paths, "submit": "/answers"}
    assert wire.fields == {**shape.fields, "prompt": Sent(name="input"), "size": Sent(name="")}
    assert (wire.body, wire.content, wire.content_in, wire.looks) == ("json", "base64", "content", "content")


@pytest.mark.parametrize(
    ("reply", "video_id"),
    [("created", ID), ("created-seedance", ANY_ID), ("created-wan", "0aa46cfb-a93d-48d4-b20a-54c5acca9d5a")],
)
def test_a_receipt_is_read_whether_the_video_is_wrapped_in_a_string_or_not(
    reply: str, video_id: str, profile: Profile
) -> None:
    receipt = dialect_of(profile).read_submit(recorded(f"dmxapi-responses/{reply}"), profile)

    assert isinstance(receipt, Submission)
    assert receipt.video_id == video_id


CUT = (b'{"content_type": "video/mp4", "video_base64": "' + b64encode(bytes(LOOK_BYTES)))[:LOOK_BYTES]
LOOKS: list[tuple[Reply, object]] = [
    (recorded("dmxapi-responses/completed"), Status.DONE),
    (recorded("dmxapi-responses/completed-veo"), Status.DONE),
    (recorded("dmxapi-responses/content-link-wan"), Status.DONE),
    (recorded("dmxapi-responses/in-progress"), Status.RUNNING),
    (recorded("dmxapi-responses/queued"), Status.WAITING),
    (recorded("dmxapi-responses/failed"), Status.FAILED),
    (recorded("dmxapi-responses/cancelled"), Status.CANCELLED),
    (recorded("dmxapi-responses/expired-seedance"), Status.EXPIRED),
    (recorded("dmxapi-responses/bad-key"), Problem.BAD_KEY),
    (recorded("dmxapi-responses/throttled"), Problem.THROTTLED),
    (Reply(status=200, body=CUT), Status.DONE),
    (Reply(status=200, body=FILM), Status.DONE),
    (Reply(status=302, headers={"location": "https://cdn.example/film.mp4"}), Status.DONE),
    (Reply(status=200, body=b"<html>" + bytes(LOOK_BYTES)), Problem.TROUBLE),
    (Reply(status=500, body=CUT), Problem.TROUBLE),
    (said({"output": "soon"}), Problem.TROUBLE),
    (said({"video_base64": ""}), Problem.TROUBLE),
    (said({"video_base64": "AAA"}), Problem.TROUBLE),  # cut: a character is missing
    (said({"error": {"message": "no such task"}}, 404), Problem.UNKNOWN_ID),
]


@pytest.mark.parametrize(("reply", "means"), LOOKS)
def test_a_look_is_done_when_the_result_begins_to_come(reply: Reply, means: object, profile: Profile) -> None:
    seen = dialect_of(profile).read_look(reply, profile)

    assert (seen.status if isinstance(seen, Observation) else seen.problem) == means


def test_a_failed_one_says_why_from_within_its_string(profile: Profile) -> None:
    seen = dialect_of(profile).read_look(recorded("dmxapi-responses/failed"), profile)

    assert isinstance(seen, Observation)
    assert seen.message == "Input data may contain inappropriate content."


TEXT = b64encode(FILM).decode()
WRAPPED = {"output": [{"content": [{"text": '{"video_url": "https://c.example/a?b\\u0026c"}'}]}]}


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (said({"video_base64": TEXT}), Found(content=FILM)),
        (said({"video_base64": f"data:video/mp4;base64,{TEXT}"}), Found(content=FILM)),
        (said({"video_base64": f"{TEXT[:76]}\r\n{TEXT[76:]}"}), Found(content=FILM)),
        (Reply(status=200, body=FILM), Found(content=FILM)),
        (said(WRAPPED), Found(url="https://c.example/a?b&c")),
        (said({"video_base64": TEXT[:-1]}), None),
        (said({"video_base64": f"{TEXT[:40]}****{TEXT[40:]}"}), None),
        (said({"video_base64": "no base64 at all!"}), None),
        (said({"video_base64": "===="}), None),
        (said({"size_bytes": 0}), None),
    ],
)
def test_what_hands_the_video_out_is_read_in_every_form(document: Reply, found: Found | None, profile: Profile) -> None:
    read = dialect_of(profile).read_content(document, profile)

    if found is None:
        assert isinstance(read, Refusal)
        assert read.problem is Problem.TROUBLE
    else:
        assert read == found


def test_a_path_leads_into_a_document_within_a_text() -> None:
    answers = {"link": ["result.films.1.url", "result.url"]}
    profile = parse({**BARE, "dialect": "videos", "result_models": {}, "content": "link", "answers": answers})

    found = dialect_of(profile).read_content(
        said({"result": '{"films": ["no", {"url": "https://c.example/a"}]}'}), profile
    )

    assert found == Found(url="https://c.example/a")


@pytest.mark.parametrize(("status", "cut_at"), [("completed", None), ("", None), ("", LOOK_BYTES)])
def test_a_status_that_has_the_video_in_it_is_read_no_further_than_it_tells(status: str, cut_at: int | None) -> None:
    profile = parse({**BARE, "dialect": "videos", "result_models": {}, "content": "base64", "content_in": "look"})
    dialect = dialect_of(profile)
    film = b64encode(FILM if cut_at is None else FILM + bytes(LOOK_BYTES)).decode()
    answer = said({"id": "video_1", **({"status": status} if status else {}), "video_base64": film})

    seen = dialect.read_look(replace(answer, body=answer.body[:cut_at]), profile)

    assert dialect.look("video_1", profile).enough_bytes == LOOK_BYTES
    assert isinstance(seen, Observation)
    assert seen.status is Status.DONE
