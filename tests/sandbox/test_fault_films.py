"""Downloads that go wrong on demand."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import partial

import httpx
import pytest

from pipeline.sandbox.faults import WORDS
from tests.sandbox.conftest import Clock, Gateway
from tests.sandbox.faulty import SILENCE_S, demand, look, seen, wait_s
from tests.sandbox.test_faults import ERRORS, WAITS

LENGTH = 5000
"""Of the film that `standing` sends."""

WHOLE = {
    **WAITS,
    **ERRORS,
    "reset": "reset",
    "no_answer": "silence",
    "not_ready_400": "400 json",
    "not_ready_404": "404 json",
    "not_ready_409": "409 json",
    "not_ready_200": "200 json",
    "gone": "404 json",
    "redirect": "302",
    "html": "200 mp4",
    "empty": "200 mp4",
    "416": "416 mp4",
    "cut": "cut",
    "cut_reset": "reset",
    "cut_no_length": "200 mp4",
    "stalled": "silence",
    "drip": "silence",
    "endless": "endless",
    "wrong_etag": "200 mp4",
    "wrong_range": "200 mp4",
    "range_ignored": "200 mp4",
}
"""What a download of the whole film sees."""


@pytest.fixture
def path(standing: Gateway) -> str:
    demand(standing)
    return f"/videos/{standing.create()['id']}/content"


def test_every_fault_has_a_row() -> None:
    assert set(WHOLE) == set(WORDS["content"])


@pytest.mark.parametrize("word", sorted(set(WHOLE) - {"endless"}))
def test_a_download_that_goes_wrong_goes_well_the_next_time(standing: Gateway, path: str, word: str) -> None:
    film = look(standing, path).content
    demand(standing, content={"script": [word]})

    assert seen(partial(look, standing, path, wait_s(WHOLE[word]))) == WHOLE[word]
    assert look(standing, path).content == film


@pytest.mark.parametrize("word", ["cut", "cut_no_length", "stalled"])
def test_a_film_breaks_off_where_the_seed_says(standing: Gateway, path: str, word: str) -> None:
    film = look(standing, path).content
    lengths = []
    for seed in (1, 1, 2, 3):
        demand(standing, seed=seed, content={"script": [word]})
        came = b"".join(_blocks(standing, path, SILENCE_S if word == "stalled" else 30))
        assert film.startswith(came)
        lengths.append(len(came))

    assert lengths[0] == lengths[1]
    assert len(set(lengths)) == 3
    assert max(lengths) < LENGTH


def _blocks(gateway: Gateway, path: str, wait_s: float) -> list[bytes]:
    """What came before the answer broke off."""
    blocks: list[bytes] = []
    with gateway.client.stream("GET", path, timeout=wait_s) as reply, contextlib.suppress(httpx.TransportError):
        blocks.extend(reply.iter_raw())
    return blocks


def test_a_cut_film_says_its_length_only_where_it_is_to(standing: Gateway, path: str) -> None:
    demand(standing, content={"script": ["cut", "cut_no_length"]})
    lengths = []
    for _ in range(2):
        with standing.client.stream("GET", path) as reply:
            lengths.append((reply.headers.get("content-length"), reply.headers.get("transfer-encoding")))

    assert lengths == [(str(LENGTH), None), (None, None)]


def test_a_film_drips_byte_by_byte(standing: Gateway, path: str) -> None:
    demand(standing, content={"script": ["drip"]})
    with standing.client.stream("GET", path) as reply:
        blocks = reply.iter_raw()
        first, at = next(blocks), time.monotonic()
        second, after_s = next(blocks), time.monotonic() - at

    assert (len(first), len(second)) == (1, 1)
    assert after_s > 0.9
    assert reply.headers["content-length"] == str(LENGTH)


def test_an_endless_film_goes_on_until_the_client_leaves(standing: Gateway, path: str) -> None:
    demand(standing, content={"script": ["endless"]})
    came = 0
    with standing.client.stream("GET", path) as reply:
        for block in reply.iter_raw():
            came += len(block)
            if came > 20 * LENGTH:
                break

    assert "content-length" not in reply.headers
    assert look(standing, path).status_code == 200


def test_what_is_no_film_calls_itself_one(standing: Gateway, path: str) -> None:
    demand(standing, content={"script": ["html", "empty"]})

    page, nothing = look(standing, path), look(standing, path)

    assert page.headers["content-type"] == nothing.headers["content-type"] == "video/mp4"
    assert page.text.startswith("<html>")
    assert nothing.content == b""


RANGED = {
    "wrong_etag": (206, '"another-film"', "bytes 1000-4999/5000", 4000),
    "wrong_range": (206, "", "bytes 0-4999/5000", 5000),
    "range_ignored": (200, "", None, 5000),
    "416": (416, "", "bytes */5000", 0),
    "behave": (206, "", "bytes 1000-4999/5000", 4000),
}


@pytest.mark.parametrize("word", RANGED)
def test_a_range_is_answered_wrongly(standing: Gateway, path: str, word: str) -> None:
    film = look(standing, path)
    demand(standing, content={"script": [word]})
    headers = {"Range": "bytes=1000-", "If-Range": film.headers["etag"]}

    reply = standing.client.get(path, headers=headers)

    status, etag, content_range, length = RANGED[word]
    assert reply.status_code == status
    assert reply.headers["etag"] == (etag or film.headers["etag"])
    assert reply.headers.get("content-range") == content_range
    assert len(reply.content) == length
    if word == "wrong_etag":
        assert reply.content != film.content[1000:]  # glued to the first, it would make a third film
    if word in {"wrong_range", "range_ignored"}:
        assert reply.content == film.content


def test_a_redirect_leads_to_another_origin_that_wants_no_key(standing: Gateway, path: str) -> None:
    film = look(standing, path).content
    demand(standing, content={"script": ["redirect"]})
    target = httpx.URL(look(standing, path).headers["location"])

    assert target.port != standing.client.base_url.port
    assert httpx.get(target, timeout=30).content == film
    assert standing.client.get(target).status_code == 400  # this client shows its key
    assert httpx.get(target.copy_set_param("signature", "0"), timeout=30).status_code == 403
    assert httpx.get(target.copy_with(path="/elsewhere/video_none"), timeout=30).status_code == 404


def test_a_redirect_leads_where_it_is_told_to(standing: Gateway, path: str) -> None:
    demand(standing, redirect_to="https://films.example/1.mp4", content={"chance": {"redirect": 1}})

    assert look(standing, path).headers["location"] == "https://films.example/1.mp4"


def test_a_film_that_is_not_ready_may_say_so_as_a_video(standing: Gateway, path: str) -> None:
    demand(standing, content={"script": ["not_ready_200"]})

    assert look(standing, path).json()["status"] == "in_progress"


def test_a_film_that_is_not_there_is_told_so_whatever_fault_was_next(
    start: Callable[..., Gateway], clock: Clock
) -> None:
    gateway = start(render_s=10, retention_s=10, faults={"content": {"chance": {"cut": 1}}})
    path = f"/videos/{gateway.create()['id']}/content"
    early = look(gateway, path)
    clock.now += 30
    late = look(gateway, path)

    assert "not ready" in early.json()["error"]["message"]
    assert "no longer available" in late.json()["error"]["message"]


def test_a_cut_film_is_counted_as_it_began(start: Callable[..., Gateway]) -> None:
    script = ["cut", "cut_reset", "cut_no_length", "reset"]
    gateway = start(render_s=0, film={"constant_bytes": LENGTH}, faults={"content": {"script": script}})
    path = f"/videos/{gateway.create()['id']}/content"
    for _ in script:
        seen(partial(look, gateway, path))

    counts = {
        entry["status"]: entry["count"] for entry in gateway.debug("requests")["counts"] if "content" in entry["route"]
    }

    assert counts == {0: 1, 200: 3}
