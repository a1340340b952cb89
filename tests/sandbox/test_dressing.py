"""How our words become another server's, and its requests ours."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from pipeline.errors import UsageError
from pipeline.model import JSON
from pipeline.profile import Profile
from pipeline.providers.answers import at
from pipeline.providers.registry import profile_names
from pipeline.sandbox.dress import dress_of, own_dress
from pipeline.sandbox.filled import filled_in
from pipeline.sandbox.ids import new_id
from pipeline.sandbox.reference import Place
from pipeline.sandbox.refusal import Refused, invalid, not_ready, unknown
from pipeline.sandbox.shown import put
from pipeline.wire import ANSWERS, Rehearsal, Said, Wire
from tests.sandbox.conftest import Clock, Gateway, running
from tests.sandbox.dresses import odd_profiles
from tests.sandbox.pictures import PICTURE

ODD = odd_profiles()
ASKED = {"text": "a heron", "model": "m", "duration": 8, "width": 64, "height": 32, "watermark": False}


@pytest.fixture(scope="module")
def wrapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A server that has everything under another name and in another place."""
    dress = dress_of(ODD["wrapped-links"])
    with running(tmp_path_factory.mktemp("box"), Clock(), dress=dress, render_s=10) as gateway:
        yield gateway


@pytest.mark.parametrize(
    ("pattern", "form"),
    [
        ("video_{hex32}", r"video_[0-9a-f]{32}"),
        ("t-{digits4}.{alnum20}", r"t-[0-9]{4}\.[0-9A-Za-z]{20}"),
        ("{uuid}", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"),
        ("{model}/{hex1}", r"sora-2/[0-9a-f]"),
        ("{hex0}{other}{hex2}", r"\{hex0\}\{other\}[0-9a-f]{2}"),
    ],
)
def test_an_id_follows_its_pattern_and_chance(pattern: str, form: str) -> None:
    made = [new_id(pattern, "sora-2", Random(seed)) for seed in (1, 1, 2)]

    assert re.fullmatch(form, made[0])
    assert made[0] == made[1]
    assert made[0] != made[2]


def test_an_id_may_hold_base64_of_what_differs() -> None:
    video_id = new_id('{base64:{"model":"{model}","id":"{hex4}"}}channel{digits4}', "sora-2", Random(1))

    code = re.fullmatch(r"([A-Za-z0-9+/]+)channel[0-9]{4}", video_id)
    assert code is not None
    told = json.loads(base64.b64decode(code[1] + "=" * (-len(code[1]) % 4)))
    assert told["model"] == "sora-2"
    assert len(told["id"]) == 4


def test_a_pattern_that_gives_every_video_one_id_is_refused() -> None:
    with pytest.raises(UsageError, match=r"test: rehearsal\.id gives every video one id"):
        dress_of(Profile(name="test", title="", rehearsal=Rehearsal(id="video_1")))


@pytest.mark.parametrize("path", ["a", "a.b", "a.0", "a.2.b", "a.b.c.0.0"])
def test_what_is_put_at_a_path_is_found_there_beside_what_was(path: str) -> None:
    document: dict[str, JSON] = {"z": 1, "a": {"other": 2}} if path == "a.b" else {"z": 1}

    put(document, path, "here")

    assert at(document, path) == "here"
    assert (document["z"], at(document, "a.other")) == (1, 2 if path == "a.b" else None)


@pytest.mark.parametrize(
    ("shape", "document"),
    [
        ("object", {"error": {"message": "No.", "type": "invalid_request_error", "param": "seconds", "code": "bad"}}),
        ("flat", {"code": "bad", "message": "No.", "data": None}),
        ("detail", {"detail": "No."}),
        ("text", {"error": "No.", "code": "bad"}),
        (
            {"object": "error", "message": "{message}", "why": ["{phrase}: {param}"], "code": "{http}", "none": None},
            {"object": "error", "message": "No.", "why": ["Bad Request: seconds"], "code": 400, "none": None},
        ),
    ],
)
def test_a_refusal_has_the_shape_of_the_server(shape: str | dict[str, JSON], document: JSON) -> None:
    dress = dress_of(Profile(name="test", title="", rehearsal=Rehearsal(errors=shape)))

    assert dress.refusal(invalid("seconds", "No.", "bad"), "submit") == (400, document)


@pytest.mark.parametrize(
    ("places", "document", "failure"),
    [
        ({"error_code": ("e.c",), "error_text": ("e.m",)}, {"e": {"c": "bad", "m": "No."}}, {}),
        (
            {"error_code": ("c",)},
            {
                "error": {"message": "No.", "type": "invalid_request_error", "param": "seconds", "code": "bad"},
                "c": "bad",
            },
            {"error": {"message": "No."}},
        ),
    ],
)
def test_what_is_wrong_stands_where_the_profile_reads_it(
    places: dict[str, tuple[str, ...]], document: dict[str, JSON], failure: dict[str, JSON]
) -> None:
    dress = dress_of(Profile(name="test", title="", wire=Wire(answers={**ANSWERS, **places})))
    failed: dict[str, JSON] = {"id": "v", "status": "failed", "error": {"code": "bad", "message": "No."}}

    assert dress.refusal(invalid("seconds", "No.", "bad"), "submit") == (400, document)
    own = {name: value for name, value in document.items() if name != "error"}
    assert dress.video(failed, "look") == {"id": "v", "status": "failed", **failure, **own}


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("{http}", 404),
        ("{http:text}", "404"),
        ("{seconds}", "4"),
        ("{seconds:integer}", 4),
        ("{seconds:number}", 4.0),
        ("{word:number}", "many"),
        ("{nothing}", None),
        ("{nothing:text}", ""),
        ("{http} of {seconds}{nothing}, {other}", "404 of 4, {other}"),
        ({"a": ["{http}", 1]}, {"a": [404, 1]}),
        ("{message}", "no {http}"),
    ],
)
def test_a_place_in_a_form_has_the_value_and_the_type_that_it_asks_for(form: JSON, value: JSON) -> None:
    values: dict[str, JSON] = {"http": 404, "seconds": "4", "word": "many", "nothing": None, "message": "no {http}"}

    found = filled_in(form, values)

    assert (found, type(found)) == (value, type(value))


SAYS = {
    "unknown_id": (
        Said(to=("content",), document={"detail": "no film of {id}"}),
        Said(http=410, code="gone_or_never", message="no {id} here"),
    ),
    "rejected": (Said(http=422),),
}


@pytest.mark.parametrize(
    ("refused", "call", "http", "code", "message"),
    [
        (unknown("v"), "look", 410, "gone_or_never", "no v here"),
        (invalid("size", "No.", "bad"), "submit", 422, "", "No."),
        (Refused(405, "Method not allowed"), "", 405, None, "Method not allowed"),
    ],
)
def test_what_the_rehearsal_says_goes_before_our_own_words(
    refused: Refused, call: str, http: int, code: str | None, message: str
) -> None:
    dress = dress_of(Profile(name="test", title="", rehearsal=Rehearsal(says=SAYS)))

    answered, document = dress.refusal(refused, call, "v")

    assert answered == http
    assert document["error"] == {
        "message": message,
        "type": "invalid_request_error",
        "param": refused.param,
        "code": code or None,
    }


def test_what_is_said_to_one_call_alone_may_be_another_document() -> None:
    dress = dress_of(Profile(name="test", title="", rehearsal=Rehearsal(says=SAYS)))

    assert dress.refusal(unknown("v"), "content", "v") == (404, {"detail": "no film of v"})


@pytest.mark.parametrize(
    ("call", "refused", "answer"),
    [
        ("content", not_ready(), (409, {"detail": "still cooking"})),
        ("content", not_ready(423), (423, {"detail": "still cooking"})),
        (
            "look",
            not_ready(),
            (404, {"detail": "Video is not ready yet, use GET /v1/videos/{video_id} to check status."}),
        ),
        ("content", not_ready(409, problem=""), (409, {"detail": not_ready().message})),
    ],
)
def test_a_rule_that_reads_a_problem_says_how_it_is_worded(call: str, refused: Refused, answer: object) -> None:
    assert dress_of(ODD["content-only-base64"]).refusal(refused, call) == answer


def test_the_sandboxs_own_dress_changes_nothing() -> None:
    dress = own_dress()
    video: dict[str, JSON] = {"id": "v", "status": "queued", "progress": 0, "remixed_from_video_id": None}
    page: dict[str, JSON] = {"object": "list", "data": [video], "first_id": "v", "last_id": "v", "has_more": False}
    fields: dict[str, JSON] = {"prompt": "p", "seconds": "4", "seed": 7, "video": {"id": "v"}}

    assert json.dumps(dress.video(video, "look")) == json.dumps(video)
    assert json.dumps(dress.page(page, [video])) == json.dumps(page)
    assert dress.asked(fields, "submit") == fields
    for refused in (unknown("v"), not_ready(), invalid("size", "No.", "bad"), Refused(500, "No.", problem="trouble")):
        assert dress.refusal(refused, "look", "v") == (refused.http, refused.document)


@pytest.mark.parametrize(
    ("name", "fields", "ours"),
    [
        ("wrapped-links", ASKED, {"prompt": "a heron", "model": "m", "seconds": "8", "size": "64x32"}),
        (
            "wrapped-links",
            {"text": "p", "prompt": "q", "seconds": "3", "size": "9x9", "seed": 1},
            {"prompt": "p", "seed": 1},
        ),
        ("wrapped-links", {"text": "p", "duration": "8"}, {"prompt": "p", "seconds": "8"}),
        ("content-only-base64", {"prompt": "p", "model": "m"}, {"prompt": "p", "model": "sora-2", "size": "64x64"}),
        ("answers-by-model", {"input": "p", "seconds": 4}, {"prompt": "p", "seconds": 4}),
    ],
)
def test_what_a_server_is_asked_is_read_by_our_names(name: str, fields: dict[str, JSON], ours: JSON) -> None:
    assert dress_of(ODD[name]).asked(fields, "submit") == ours


IMAGE = base64.b64encode(PICTURE).decode()


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ({"image_url": "{url}"}, {"image_url": f"data:image/png;base64,{IMAGE}"}),
        ("{url}", f"data:image/png;base64,{IMAGE}"),
        ([{"type": "image", "data": "{base64}"}], [{"type": "image", "data": IMAGE}]),
        ("data:;base64,{base64}", f"data:;base64,{IMAGE}"),
    ],
)
def test_an_image_in_json_is_found_where_the_profile_has_it(form: JSON, value: JSON) -> None:
    kept: Any = Place(name="image", form=form).of_json(value)

    assert kept["bytes"] == len(PICTURE)


@pytest.mark.parametrize("value", [[], [{"type": "image"}], [{"type": "image", "data": "?"}], "text", None])
def test_an_image_in_another_form_is_refused(value: JSON) -> None:
    with pytest.raises(Refused, match="Invalid value for 'image'"):
        Place(name="image", form=[{"type": "image", "data": "{base64}"}]).of_json(value)


def test_everything_may_have_another_name_and_another_place(wrapped: Gateway) -> None:
    receipt = wrapped.client.post("/jobs", json=ASKED)
    told = receipt.json()["data"]["task"]
    path = f"/jobs/{told['task_id'].replace('/', '%2F')}/state"
    wrapped.clock.now += 5

    seen = wrapped.client.get(path, params={"view": "full"}).json()["data"]["task"]

    assert receipt.status_code == 201
    assert re.fullmatch(r"t/[0-9]{6}-[0-9a-f-]{36}", told["task_id"])
    assert told["about"] == {"kind": "film", "name": f"{told['task_id']}.mp4", "size": "64x32", "seconds": "8"}
    assert (told["state"], told["done"]) == ("SUBMITTED", "0%")
    assert (seen["state"], seen["done"]) == ("RUNNING", "44%")
    assert seen["task_id"] != told["task_id"]
    assert {"prompt", "object", "id", "status", "progress", "files"}.isdisjoint(seen)
    wrapped.clock.now += 5
    done = wrapped.client.get(path, params={"view": "full"}).json()["data"]["task"]
    assert httpx.get(done["files"][0]["url"]).headers["content-type"] == "video/mp4"


def without_view(gateway: Gateway) -> httpx.Response:
    return gateway.client.get("/jobs/any/state")


REFUSALS: dict[str, tuple[Callable[[Gateway], httpx.Response], int, str]] = {
    "a look without its query": (without_view, 400, "missing_required_parameter"),
    "an unknown id": (lambda g: g.client.get("/jobs/any/state", params={"view": "full"}), 418, "nobody"),
    "our own address": (lambda g: g.client.post("/videos", json=ASKED), 404, "invalid_request_error"),
    "content": (lambda g: g.client.get("/videos/any/content"), 404, "invalid_request_error"),
    "a remix": (lambda g: g.client.post("/videos/any/remix", json={"text": "p"}), 404, "invalid_request_error"),
    "text": (lambda g: g.client.post("/jobs", content=b"p"), 415, "invalid_request_error"),
    "a length of none": (lambda g: g.client.post("/jobs", json={**ASKED, "duration": 0}), 400, "invalid_value"),
    "another header": (
        lambda g: httpx.get(f"{g.client.base_url}all", headers={"authorization": g.client.headers["x-key"]}),
        401,
        "invalid_request_error",
    ),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_what_it_does_not_have_is_refused_in_its_shape(wrapped: Gateway, what: str) -> None:
    ask, http, code = REFUSALS[what]

    reply = ask(wrapped)

    assert reply.status_code == http
    assert (reply.json().keys(), reply.json()["code"]) == ({"code", "message", "data"}, code)


def test_requests_are_counted_by_the_servers_own_routes(wrapped: Gateway) -> None:
    wrapped.client.get("/jobs/of%2Fnobody/state", params={"view": "full"})

    routes = {entry["route"] for entry in wrapped.debug("requests")["counts"]}

    assert "/api/v3/jobs/{id}/state" in routes


@pytest.mark.parametrize("name", profile_names())
def test_the_documentation_has_a_row_for_every_dress(name: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")

    assert f"\n| `{name}` | " in page


def test_the_settings_begin_with_what_the_profile_says() -> None:
    profile = ODD["links-apart"]

    settings = dress_of(profile).settings()

    assert (settings.retention_s, settings.lists, settings.honours_keys) == (3600.0, False, True)


def test_a_video_that_was_ended_frees_its_place_and_stays_ended(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"in_flight_max": 1, "render_s": 100, "dress": dress_of(ODD["wrapped-links"])}
    with running(tmp_path, Clock(), **settings) as gateway:
        first = gateway.client.post("/jobs", json=ASKED).json()["data"]["task"]["task_id"].replace("/", "%2F")
        refused = gateway.client.post("/jobs", json=ASKED)
        ended = gateway.client.delete(f"/jobs/{first}")
        second = gateway.client.post("/jobs", json=ASKED)
    with running(tmp_path, Clock(), **settings) as gateway:
        seen = gateway.client.get(f"/jobs/{first}/state", params={"view": "full"})

    assert [reply.status_code for reply in (refused, ended, second)] == [429, 200, 201]
    assert ended.json()["data"]["task"]["state"] == seen.json()["data"]["task"]["state"] == "cancelled"
