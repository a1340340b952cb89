"""The sandbox's limits, and settings that change while it runs."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from pipeline.errors import UsageError
from pipeline.model import JSON
from pipeline.sandbox.settings import Settings
from tests.sandbox.conftest import WISH, Clock, Gateway


def ask(gateway: Gateway) -> httpx.Response:
    return gateway.client.post("/videos", json=WISH)


def test_creates_beyond_the_rate_are_refused_until_the_minute_is_over(
    start: Callable[..., Gateway], clock: Clock
) -> None:
    gateway = start(rate_per_minute=2)
    first = ask(gateway)
    clock.now += 20
    second, third = ask(gateway), ask(gateway)
    clock.now += float(third.headers["retry-after"])
    fourth, fifth = ask(gateway), ask(gateway)

    assert [reply.status_code for reply in (first, second, third, fourth, fifth)] == [200, 200, 429, 200, 429]
    assert third.headers["retry-after"] == "40"
    assert third.json()["error"]["code"] == "rate_limit_exceeded"
    assert fifth.headers["retry-after"] == "20"
    assert len(gateway.debug("book")["entries"]) == 3


def test_no_more_are_in_flight_than_allowed(start: Callable[..., Gateway], clock: Clock) -> None:
    gateway = start(in_flight_max=2, render_s=10)
    ask(gateway)
    clock.now += 4
    ask(gateway)
    refused = ask(gateway)
    clock.now += float(refused.headers["retry-after"])

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "6")
    assert [ask(gateway).status_code, ask(gateway).status_code] == [200, 429]


def test_settings_are_read_and_changed_while_it_runs(gateway: Gateway) -> None:
    before = gateway.debug("settings")
    video_id = gateway.create()["id"]
    reply = gateway.change({"render_s": 0, "film": {"constant_bytes": 4096}})

    assert before == Settings().as_json()
    assert reply.json() == before | {"render_s": 0, "film": {"constant_bytes": 4096}} == gateway.debug("settings")
    assert len(gateway.client.get(f"/videos/{video_id}/content").content) == 4096


@pytest.mark.parametrize("wishes", [{"render": 1}, {"render_s": -1}, [], 3])
def test_a_setting_that_cannot_be_changes_nothing(standing: Gateway, wishes: JSON) -> None:
    before = standing.debug("settings")
    reply = standing.change(wishes)

    assert reply.status_code == 400
    assert standing.debug("settings") == before


BAD: list[tuple[dict[str, JSON], str]] = [
    ({"rendr_s": 1}, "did you mean 'render_s'"),
    ({"render_s": "2"}, "'render_s' must be a number of seconds, or [least, most]"),
    ({"render_s": [3, 2]}, "'render_s'"),
    ({"render_s": [1, 2, 3]}, "'render_s'"),
    ({"render_s": True}, "'render_s'"),
    ({"retention_s": float("nan")}, "'retention_s'"),
    ({"rate_per_minute": -1}, "'rate_per_minute'"),
    ({"in_flight_max": 1.5}, "'in_flight_max'"),
    ({"film": "none"}, "'film'"),
    ({"film": {"constant_bytes": 2047}}, "from 2048"),
    ({"film": {"constant_bytes": True}}, "'film'"),
    ({"lists": "no"}, "'lists' must be true or false"),
    ({"honours_keys": 1}, "'honours_keys'"),
]


@pytest.mark.parametrize(("wishes", "message"), BAD)
def test_a_setting_of_the_wrong_kind_is_named(wishes: dict[str, JSON], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Settings().changed(wishes)

    assert message in str(caught.value)


def test_settings_survive_the_way_through_json() -> None:
    settings = Settings().changed({"render_s": [1, 2], "film": {"constant_bytes": 9000}, "lists": False})

    assert Settings().changed(settings.as_json()) == settings
