"""`/v1/videos`: creating, looking, listing, deleting."""

from __future__ import annotations

import errno
import hashlib
import re
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pipeline.disk import DISK
from pipeline.sandbox.gate import NO_ANSWER
from tests.sandbox.conftest import KEY, WISH, Clock, Gateway, multipart
from tests.sandbox.pictures import PICTURE

FIELDS = [
    "id", "object", "model", "status", "progress", "created_at", "completed_at", "expires_at", "prompt", "size",
    "seconds", "remixed_from_video_id", "error",
]  # fmt: skip


def test_a_create_answers_the_video_object_of_the_api(gateway: Gateway) -> None:
    video = gateway.create()

    assert list(video) == FIELDS
    assert re.fullmatch(r"video_[0-9a-f]{32}", video["id"])
    assert video | {"id": ""} == WISH | {
        "id": "",
        "object": "video",
        "status": "queued",
        "progress": 0,
        "created_at": 1_800_000_000,
        "completed_at": None,
        "expires_at": None,
        "remixed_from_video_id": None,
        "error": None,
    }


def test_json_and_multipart_ask_for_the_same(gateway: Gateway) -> None:
    by_json = gateway.client.post("/videos", json=WISH).raise_for_status().json()
    by_multipart = gateway.create()

    assert by_json.keys() == by_multipart.keys()
    assert by_json | {"id": ""} == by_multipart | {"id": ""}


def test_what_is_not_given_has_the_defaults_of_the_api(gateway: Gateway) -> None:
    video = gateway.client.post("/videos", json={"prompt": "a heron"}).json()

    assert (video["model"], video["seconds"], video["size"]) == ("sora-2", "4", "720x1280")


BAD_CREATES = {
    "no prompt": ({"prompt": None}, "prompt", "missing_required_parameter"),
    "empty prompt": ({"prompt": " "}, "prompt", "invalid_value"),
    "prompt of 32,001 characters": ({"prompt": "x" * 32_001}, "prompt", "invalid_value"),
    "prompt of another type": ({"prompt": 7}, "prompt", "invalid_type"),
    "seconds as a number": ({"seconds": 4}, "seconds", "invalid_type"),
    "seconds in words": ({"seconds": "four"}, "seconds", "invalid_value"),
    "no seconds at all": ({"seconds": "0"}, "seconds", "invalid_value"),
    "too many seconds": ({"seconds": "121"}, "seconds", "invalid_value"),
    "size in words": ({"size": "large"}, "size", "invalid_value"),
    "size with a space": ({"size": "64 x64"}, "size", "invalid_value"),
    "odd size": ({"size": "65x64"}, "size", "invalid_value"),
    "size beyond the encoder": ({"size": "64x9998"}, "size", "invalid_value"),
    "empty model": ({"model": ""}, "model", "invalid_value"),
    "reference as a string": ({"input_reference": "https://example.com/a.png"}, "input_reference", "invalid_type"),
}


@pytest.mark.parametrize(("change", "param", "code"), BAD_CREATES.values(), ids=BAD_CREATES)
def test_a_wrong_create_is_refused_with_an_error_object_and_makes_nothing(
    standing: Gateway, change: dict[str, Any], param: str, code: str
) -> None:
    reply = standing.client.post("/videos", json=WISH | change)

    assert reply.status_code == 400
    error = reply.json()["error"]
    assert list(error) == ["message", "type", "param", "code"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    assert standing.debug("book")["entries"] == []


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{", 400),
        ("application/json", b"[]", 400),
        ("application/json", b"\xff", 400),
        ("application/json", b'{"prompt": "a heron", "seed": NaN}', 400),
        ("application/json", b"[" * 100_000, 400),
        ("multipart/form-data; boundary=x", b"no boundary in here", 400),
        ("multipart/form-data", b"--x--", 400),
        ("text/plain", b"a heron", 415),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(standing: Gateway, content_type: str, body: bytes, status: int) -> None:
    reply = standing.client.post("/videos", content=body, headers={"Content-Type": content_type})

    assert reply.status_code == status
    assert reply.json()["error"]["message"]
    assert standing.debug("book")["entries"] == []


def test_the_status_goes_from_queued_over_progress_to_completed(gateway: Gateway, clock: Clock) -> None:
    begun = clock.now
    video_id = gateway.create()["id"]
    seen = []
    for elapsed_s in (0.0, 0.19, 0.2, 1.09, 1.99, 2.0, 4000.0):
        clock.now = begun + elapsed_s
        video = gateway.get(f"/videos/{video_id}")
        seen.append((video["status"], video["progress"], video["completed_at"], video["expires_at"]))

    done = ("completed", 100, 1_800_000_002, 1_800_003_602)
    assert seen == [
        ("queued", 0, None, None),
        ("queued", 0, None, None),
        ("in_progress", 0, None, None),
        ("in_progress", 49, None, None),
        ("in_progress", 99, None, None),
        done,
        done,
    ]


def test_render_times_are_spread_within_their_bounds_and_stay_as_they_are(
    start: Callable[..., Gateway], clock: Clock
) -> None:
    gateway = start(render_s=[10, 1000])
    ids = [gateway.create()["id"] for _ in range(12)]
    clock.now += 1000
    first, again = ([gateway.get(f"/videos/{i}")["completed_at"] for i in ids] for _ in range(2))

    assert first == again
    assert len(set(first)) > 1
    assert all(1_800_000_010 <= at <= 1_800_001_000 for at in first)


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_the_pages_of_the_list_hold_every_video_once_in_order(gateway: Gateway, order: str, limit: int) -> None:
    made = [gateway.create(prompt=f"heron {n}")["id"] for n in range(5)]
    seen: list[str] = []
    query = {"order": order, "limit": str(limit)}
    while True:
        page = gateway.get("/videos", **query)
        ids = [video["id"] for video in page["data"]]
        assert (page["object"], page["first_id"], page["last_id"]) == ("list", ids[0], ids[-1])
        seen += ids
        if not page["has_more"]:
            break
        query["after"] = page["last_id"]

    assert seen == (made if order == "asc" else made[::-1])


def test_an_empty_list_has_no_first_and_no_last(gateway: Gateway) -> None:
    assert gateway.get("/videos") == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


def test_paging_goes_on_after_a_video_that_was_deleted_meanwhile(gateway: Gateway, clock: Clock) -> None:
    made = [gateway.create()["id"] for _ in range(3)]
    clock.now += 60
    gateway.client.delete(f"/videos/{made[1]}").raise_for_status()

    assert [v["id"] for v in gateway.get("/videos", order="asc", after=made[1])["data"]] == [made[2]]
    assert [v["id"] for v in gateway.get("/videos", order="asc")["data"]] == [made[0], made[2]]


@pytest.mark.parametrize("query", [{"limit": "101"}, {"limit": "-1"}, {"limit": "x"}, {"order": "up"}, {"after": "?"}])
def test_a_wrong_page_is_refused(standing: Gateway, query: dict[str, str]) -> None:
    reply = standing.client.get("/videos", params=query)

    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == next(iter(query))


def test_the_list_can_be_turned_off(start: Callable[..., Gateway]) -> None:
    gateway = start(lists=False)
    reply = gateway.client.get("/videos")

    assert reply.status_code == 405
    assert reply.headers["allow"] == "POST"
    assert reply.json()["error"]["message"]


def test_only_a_finished_video_can_be_deleted_and_then_it_is_unknown(gateway: Gateway, clock: Clock) -> None:
    video_id = gateway.create()["id"]
    early = gateway.client.delete(f"/videos/{video_id}")
    clock.now += 2
    done = gateway.client.delete(f"/videos/{video_id}")
    later = [gateway.client.request(method, f"/videos/{video_id}") for method in ("GET", "DELETE")]

    assert early.status_code == 400
    assert done.json() == {"id": video_id, "object": "video.deleted", "deleted": True}
    assert [reply.status_code for reply in later] == [404, 404]
    assert len(gateway.debug("book")["entries"]) == 1


ELSEWHERE = [
    ("GET", "/videos/video_00", 404),
    ("GET", "/videos/video_00/content", 404),
    ("GET", "/videos/..%2F..%2Fetc", 404),
    ("DELETE", "/videos/video_00", 404),
    ("POST", "/videos/video_00/again", 404),
    ("GET", "/images", 404),
    ("GET", "/videos/", 404),
    ("PUT", "/videos", 405),
    ("POST", "/videos/video_00/content", 405),
]


@pytest.mark.parametrize(("method", "path", "status"), ELSEWHERE)
def test_what_is_not_here_is_answered_with_an_error_object(
    standing: Gateway, method: str, path: str, status: int
) -> None:
    reply = standing.client.request(method, path)

    assert reply.status_code == status
    assert list(reply.json()["error"]) == ["message", "type", "param", "code"]


def test_ids_are_percent_decoded(gateway: Gateway) -> None:
    video_id = gateway.create()["id"]
    encoded = "".join(f"%{byte:02X}" for byte in video_id.encode())

    assert gateway.client.get(f"/videos/{encoded}").json()["id"] == video_id


@pytest.mark.parametrize("authorization", [None, "", KEY, "Bearer", f"Bearer {KEY}x", f"bearer  {KEY}", "Bearer ключ"])
def test_without_the_key_nothing_is_answered(standing: Gateway, authorization: str | None) -> None:
    headers = {} if authorization is None else {b"Authorization": authorization.encode()}
    for method, path in (("POST", "/v1/videos"), ("GET", "/v1/videos"), ("GET", "/debug/book"), ("GET", "/nowhere")):
        url = standing.client.base_url.copy_with(path=path)
        reply = httpx.request(method, url, headers=headers)
        assert reply.status_code == 401
        assert reply.json()["error"]["type"] == "invalid_request_error"


def test_every_answer_has_a_number_of_its_own(gateway: Gateway) -> None:
    replies = [gateway.client.get("/videos"), gateway.client.get("/videos/x"), httpx.get(gateway.client.base_url)]

    assert len({reply.headers["x-request-id"] for reply in replies}) == 3


def test_a_fault_of_the_server_is_an_error_object_too_and_enters_nothing(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr(type(DISK), "write", fail)
        reply = gateway.client.post("/videos", json=WISH)
    later = gateway.create()

    assert reply.status_code == 500
    assert reply.json()["error"]["type"] == "server_error"
    assert reply.headers["x-request-id"]
    assert [entry["id"] for entry in gateway.debug("book")["entries"]] == [later["id"]]
    assert ("POST", "/v1/videos", 500, 1) in [tuple(count.values()) for count in gateway.debug("requests")["counts"]]


def test_the_book_holds_what_was_asked_and_the_digest_of_the_very_bytes(gateway: Gateway, clock: Clock) -> None:
    parts: dict[str, Any] = {
        **multipart(WISH | {"seed": "7"}),
        "input_reference": ("fox.png", PICTURE, "image/png"),
    }
    request = gateway.client.build_request("POST", "/videos", files=parts, headers={"Idempotency-Key": "abc"})
    body = request.read()
    video = gateway.client.send(request).raise_for_status().json()

    assert gateway.debug("book")["entries"] == [
        {
            "n": 1,
            "at": clock.now,
            "id": video["id"],
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "idempotency_key": "abc",
            "fields": WISH
            | {
                "seed": "7",
                "input_reference": {
                    "filename": "fox.png",
                    "content_type": "image/png",
                    "bytes": len(PICTURE),
                    "sha256": hashlib.sha256(PICTURE).hexdigest(),
                    "size": "64x64",
                },
            },
        }
    ]


def test_a_long_value_is_kept_by_its_digest(gateway: Gateway) -> None:
    gateway.client.post("/videos", json=WISH | {"script": {"scenes": "A" * 100_000}}).raise_for_status()

    kept = gateway.debug("book")["entries"][0]["fields"]["script"]
    assert set(kept) == {"bytes", "sha256"}


def test_requests_are_counted_by_route_and_debug_routes_are_not(gateway: Gateway) -> None:
    video_id = gateway.create()["id"]
    gateway.get(f"/videos/{video_id}")
    gateway.get(f"/videos/{video_id}")
    gateway.client.get(f"/videos/{video_id}/content")
    gateway.client.get("/nowhere")
    gateway.debug("book")

    assert [tuple(count.values()) for count in gateway.debug("requests")["counts"]] == [
        ("GET", "/v1/videos/{id}", 200, 2),
        ("GET", "/v1/videos/{id}/content", 404, 1),
        ("GET", "elsewhere", 404, 1),
        ("POST", "/v1/videos", 200, 1),
    ]


def test_a_client_that_leaves_before_its_body_is_here_gets_no_answer_and_makes_nothing(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    address = (gateway.client.base_url.host, gateway.client.base_url.port)
    head = f"POST /v1/videos HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 100\r\n\r\n"
    with socket.create_connection(address) as line:
        line.sendall(head.encode() + b'{"prompt":')

    while not (counts := gateway.debug("requests")["counts"]):  # it may not have noticed yet
        pass

    assert [tuple(count.values()) for count in counts] == [("POST", "/v1/videos", NO_ANSWER, 1)]
    assert gateway.debug("book")["entries"] == []
    assert not caplog.records


@pytest.mark.parametrize(("honours", "made"), [(True, 1), (False, 2)])
def test_a_repeated_key_makes_one_video_where_keys_are_honoured(
    start: Callable[..., Gateway], honours: bool, made: int
) -> None:
    gateway = start(honours_keys=honours, render_s=50, in_flight_max=2)
    replies = [gateway.create({"Idempotency-Key": "same"}) for _ in range(2)]

    assert len({video["id"] for video in replies}) == made
    assert len(gateway.debug("book")["entries"]) == made
