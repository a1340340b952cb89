"""`/v1/videos/{id}/content`: bytes, parts of them, and the three ways of not having them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.sandbox.conftest import Clock, Gateway

LENGTH = 5000


@pytest.fixture
def path(standing: Gateway) -> tuple[Gateway, str]:
    """A gateway, and where it has a film of 5,000 bytes ready."""
    return standing, f"/videos/{standing.create()['id']}/content"


def test_a_film_comes_with_its_length_type_and_strong_tag(path: tuple[Gateway, str]) -> None:
    gateway, content = path
    reply = gateway.client.get(content)

    assert reply.status_code == 200
    assert len(reply.content) == LENGTH
    assert reply.content[4:8] == b"ftyp"
    assert reply.headers["content-length"] == str(LENGTH)
    assert reply.headers["content-type"] == "video/mp4"
    assert reply.headers["accept-ranges"] == "bytes"
    assert reply.headers["etag"].startswith('"')


def test_head_says_the_same_without_the_bytes(path: tuple[Gateway, str]) -> None:
    gateway, content = path
    head, get = gateway.client.head(content), gateway.client.get(content)

    assert head.status_code == 200
    assert head.content == b""
    for name in ("content-length", "content-type", "etag", "accept-ranges"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize(
    ("header", "first", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=4000-", 4000, LENGTH),
        ("bytes=4000-9999", 4000, LENGTH),
        ("bytes=-1", LENGTH - 1, LENGTH),
        ("bytes=-9999", 0, LENGTH),
    ],
)
def test_a_range_brings_that_part(path: tuple[Gateway, str], header: str, first: int, stop: int) -> None:
    gateway, content = path
    whole = gateway.client.get(content).content
    reply = gateway.client.get(content, headers={"Range": header})

    assert reply.status_code == 206
    assert reply.headers["content-range"] == f"bytes {first}-{stop - 1}/{LENGTH}"
    assert reply.headers["content-length"] == str(stop - first)
    assert reply.content == whole[first:stop]


@pytest.mark.parametrize("header", ["bytes=5000-", "bytes=9999-10000", "bytes=-0"])
def test_a_range_beyond_the_end_is_416(path: tuple[Gateway, str], header: str) -> None:
    gateway, content = path
    reply = gateway.client.get(content, headers={"Range": header})

    assert reply.status_code == 416
    assert reply.headers["content-range"] == f"bytes */{LENGTH}"
    assert reply.content == b""


@pytest.mark.parametrize("header", ["bytes=5-4", "bytes=-", "bytes=0-1,3-4", "lines=0-1", "bytes=a-b"])
def test_a_range_of_another_form_is_passed_over(path: tuple[Gateway, str], header: str) -> None:
    gateway, content = path
    reply = gateway.client.get(content, headers={"Range": header})

    assert (reply.status_code, len(reply.content)) == (200, LENGTH)


def test_if_range_gives_the_part_of_the_same_film_and_the_whole_of_another(path: tuple[Gateway, str]) -> None:
    gateway, content = path
    etag = gateway.client.head(content).headers["etag"]
    same = gateway.client.get(content, headers={"Range": "bytes=9-", "If-Range": etag})
    other = gateway.client.get(content, headers={"Range": "bytes=9-", "If-Range": '"another"'})

    assert (same.status_code, len(same.content)) == (206, LENGTH - 9)
    assert (other.status_code, len(other.content)) == (200, LENGTH)


def test_a_film_longer_than_one_message_arrives_whole(start: Callable[..., Gateway]) -> None:
    gateway = start(render_s=0, film={"constant_bytes": 3_000_001})
    content = f"/videos/{gateway.create()['id']}/content"
    whole = gateway.client.get(content).content

    assert len(whole) == 3_000_001
    assert gateway.client.get(content, headers={"Range": "bytes=100000-2900000"}).content == whole[100_000:2_900_001]


def test_too_early_and_too_late_are_told_apart_by_their_words(gateway: Gateway, clock: Clock) -> None:
    video_id = gateway.create()["id"]
    begun = clock.now
    seen = []
    for elapsed_s in (0, 1.9, 2, 3601, 3602):
        clock.now = begun + elapsed_s
        reply = gateway.client.get(f"/videos/{video_id}/content")
        seen.append((reply.status_code, reply.json()["error"]["message"] if reply.status_code != 200 else ""))

    early = (404, "Video is not ready yet, use GET /v1/videos/{video_id} to check status.")
    late = (404, "The video is no longer available. Downloads expire after 1 hours.")
    assert seen == [early, early, (200, ""), (200, ""), late]
    assert gateway.get(f"/videos/{video_id}")["status"] == "completed"


def test_a_variant_that_there_is_not_is_refused(path: tuple[Gateway, str]) -> None:
    gateway, content = path

    assert gateway.client.get(content, params={"variant": "video"}).status_code == 200
    assert gateway.client.get(content, params={"variant": "poster"}).json()["error"]["param"] == "variant"


def test_equal_wishes_have_equal_films_and_others_do_not(start: Callable[..., Gateway]) -> None:
    gateway = start(render_s=0)
    ids = [gateway.create(**change)["id"] for change in ({}, {}, {"prompt": "a tug"}, {"seed": "7"})]
    films = [gateway.client.get(f"/videos/{video_id}/content") for video_id in ids]

    assert films[0].content == films[1].content
    assert len({film.content for film in films}) == 3
    assert len({film.headers["etag"] for film in films}) == 3
