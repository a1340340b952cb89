"""Creates and looks that go wrong on demand: what the client sees, and what the book holds."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from functools import partial

import pytest

from pipeline.sandbox.faults import MADE, WORDS
from tests.sandbox.conftest import WISH, Clock, Gateway
from tests.sandbox.faulty import booked, create, demand, look, seen, wait_s

ERRORS = {code: f"{code} html" for code in ("500", "502", "503", "504", "520", "524")}
WAITS = {"429": "429 json", "429_seconds": "429 json", "429_date": "429 json", "503_seconds": "503 json"}
CUTS = {"reset": "reset", "no_answer": "silence", "html": "200 html"}

SUBMIT = {
    **WAITS,
    **ERRORS,
    **{f"{code}_after": answer for code, answer in ERRORS.items()},
    "refused": "400 json",
    "no_such_model": "404 json",
    "no_money": "429 json",
    "reset_before": "reset",
    "reset_after": "reset",
    "no_answer_before": "silence",
    "no_answer": "silence",
    "no_id": "200 json",
    "html": "200 html",
}
POLL = {**WAITS, **ERRORS, **CUTS, "unknown": "404 json", "broken": "200 json", "odd_status": "200 json"}


def test_every_fault_has_a_row() -> None:
    assert set(SUBMIT) == set(WORDS["submit"])
    assert set(POLL) == set(WORDS["poll"])
    assert set(FATES) == set(WORDS["videos"])


@pytest.mark.parametrize("word", SUBMIT)
def test_a_create_that_goes_wrong_is_in_the_book_where_its_video_was_made(standing: Gateway, word: str) -> None:
    demand(standing, submit={"script": [word]})
    before = booked(standing)

    answer = seen(partial(create, standing, wait_s(SUBMIT[word])))

    assert answer == SUBMIT[word]
    assert booked(standing) - before == (word in MADE)
    assert seen(partial(create, standing)) == "200 json"


def test_a_receipt_may_say_everything_but_the_id(standing: Gateway) -> None:
    demand(standing, submit={"script": ["no_id"]})

    receipt = create(standing).json()

    assert "id" not in receipt
    assert receipt["prompt"] == WISH["prompt"]


def test_a_refusal_is_one_of_policy(standing: Gateway) -> None:
    demand(standing, submit={"script": ["refused"]})

    assert create(standing).json()["error"]["code"] == "content_policy_violation"


def test_a_wait_is_asked_for_in_seconds_as_a_date_or_not_at_all(start: Callable[..., Gateway], clock: Clock) -> None:
    gateway = start(clock_skew_s=500, faults={"retry_after_s": 90, "submit": {"script": [*WAITS]}})

    replies = [create(gateway) for _ in WAITS]

    waits = [reply.headers.get("retry-after") for reply in replies]
    assert (waits[0], waits[1], waits[3]) == (None, "90", "90")
    until = parsedate_to_datetime(waits[2]) - parsedate_to_datetime(replies[2].headers["date"])
    assert 90 <= until.total_seconds() <= 91


@pytest.mark.parametrize("word", POLL)
def test_a_look_that_goes_wrong_leaves_the_video_as_it_is(standing: Gateway, word: str) -> None:
    video = standing.create()
    demand(standing, poll={"script": [word]})

    answer = seen(partial(look, standing, f"/videos/{video['id']}", wait_s(POLL[word])))

    assert answer == POLL[word]
    assert standing.get(f"/videos/{video['id']}") == video


@pytest.mark.parametrize("word", POLL)
def test_a_list_page_goes_wrong_as_a_look_does(standing: Gateway, word: str) -> None:
    standing.create()
    demand(standing, poll={"script": [word]})

    answer = seen(partial(look, standing, "/videos?limit=3", wait_s(POLL[word])))

    assert answer == ("200 json" if word == "unknown" else POLL[word])  # a page has no room for that one


def test_broken_json_ends_in_the_middle(standing: Gateway) -> None:
    video_id = standing.create()["id"]
    demand(standing, poll={"script": ["broken"]})

    text = look(standing, f"/videos/{video_id}").text

    assert text.startswith('{"id"')
    assert not text.endswith("}")


def test_a_status_that_nobody_knows_is_shown_once(standing: Gateway) -> None:
    video_id = standing.create()["id"]
    demand(standing, poll={"script": ["odd_status", "odd_status"]})

    words = [standing.get(f"/videos/{video_id}")["status"]]
    words += [video["status"] for video in standing.get("/videos", limit="1")["data"]]
    words += [standing.get(f"/videos/{video_id}")["status"]]

    assert words == ["warming_up", "warming_up", "completed"]


FATES = {
    "failed_null": ("failed", None),
    "failed_text": ("failed", "The video could not be generated."),
    "failed_object": ("failed", "video_generation_failed"),
    "moderated": ("failed", "moderation_blocked"),
    "stuck": ("in_progress", None),
    "expired": ("expired", None),
    "odd_status": ("completed", None),
}


@pytest.mark.parametrize("word", FATES)
def test_what_becomes_of_a_video_is_shown_alike_by_looks_and_pages_and_is_billed(
    start: Callable[..., Gateway], clock: Clock, word: str
) -> None:
    gateway = start(render_s=10, film={"constant_bytes": 4096}, faults={"videos": {"script": ["behave", word]}})
    good, bad = gateway.create(), gateway.create()
    clock.now += 5
    under_way = gateway.get(f"/videos/{bad['id']}")["status"]
    clock.now += 10
    end = gateway.get(f"/videos/{bad['id']}")
    clock.now += 100

    status, error = FATES[word]
    told = end["error"]["code"] if isinstance(end["error"], dict) else end["error"]
    assert under_way == ("warming_up" if word == "odd_status" else "in_progress")
    assert (end["status"], told) == (status, error)
    assert gateway.get("/videos")["data"] == [end, gateway.get(f"/videos/{good['id']}")]
    assert gateway.get(f"/videos/{good['id']}")["status"] == "completed"
    assert (gateway.client.get(f"/videos/{bad['id']}/content").status_code == 200) == (status == "completed")
    assert booked(gateway) == 2


def test_a_stuck_video_stays_at_99_per_cent(start: Callable[..., Gateway], clock: Clock) -> None:
    gateway = start(faults={"videos": {"script": ["stuck"]}})
    video_id = gateway.create()["id"]
    clock.now += 1_000_000

    assert gateway.get(f"/videos/{video_id}")["progress"] == 99
    assert gateway.client.delete(f"/videos/{video_id}").status_code == 400


def test_a_failed_video_can_be_deleted(start: Callable[..., Gateway], clock: Clock) -> None:
    gateway = start(faults={"videos": {"script": ["moderated"]}})
    video_id = gateway.create()["id"]
    clock.now += 10

    assert gateway.client.delete(f"/videos/{video_id}").json()["deleted"] is True


def test_a_request_without_an_answer_is_counted_too(start: Callable[..., Gateway]) -> None:
    answers = ["reset", "reset", "silence", "502 html", "200 json"]
    gateway = start(faults={"submit": {"script": ["reset_before", "reset_after", "no_answer", "502"]}})
    assert [seen(partial(create, gateway, wait_s(answer))) for answer in answers] == answers

    counts = {entry["status"]: entry["count"] for entry in gateway.debug("requests")["counts"]}

    assert counts == {0: 3, 200: 1, 502: 1}


def test_debug_routes_know_no_faults(start: Callable[..., Gateway]) -> None:
    gateway = start(
        faults={
            phase: {"chance": {"reset" if phase != "submit" else "reset_before": 1}}
            for phase in ("submit", "poll", "content")
        }
    )

    for _ in range(3):
        assert seen(partial(create, gateway)) == "reset"
    assert booked(gateway) == 0
    assert gateway.debug("settings")["faults"]["poll"] == {"chance": {"reset": 1}}


def test_a_repeated_key_can_be_cut_again_and_makes_one_video(start: Callable[..., Gateway]) -> None:
    gateway = start(honours_keys=True, faults={"submit": {"script": ["reset_after", "502_after", "no_id"]}})

    answers = [
        seen(lambda: gateway.client.post("/videos", json=WISH, headers={"Idempotency-Key": "k"})) for _ in range(4)
    ]

    assert answers == ["reset", "502 html", "200 json", "200 json"]
    assert booked(gateway) == 1


def test_a_young_video_is_not_in_the_list_yet(start: Callable[..., Gateway], clock: Clock) -> None:
    gateway = start(list_lag_s=30)
    old = gateway.create()["id"]
    clock.now += 20
    young = gateway.create()["id"]
    clock.now += 15

    page = gateway.get("/videos", limit="1")
    assert ([video["id"] for video in page["data"]], page["has_more"]) == ([old], False)
    assert gateway.get(f"/videos/{young}")["id"] == young
    clock.now += 15
    assert [video["id"] for video in gateway.get("/videos")["data"]] == [young, old]


@pytest.mark.parametrize("skew_s", [0, 90, -7200])
def test_the_clock_of_its_answers_may_be_wrong_and_the_book_is_not(
    start: Callable[..., Gateway], clock: Clock, skew_s: float
) -> None:
    gateway = start(clock_skew_s=skew_s, render_s=0, retention_s=60)
    reply = create(gateway)
    video = reply.json()

    shown = clock.now + skew_s
    assert parsedate_to_datetime(reply.headers["date"]).timestamp() == int(shown)
    assert reply.headers.get_list("date") == [reply.headers["date"]]
    assert (video["created_at"], video["completed_at"], video["expires_at"]) == (
        int(shown),
        int(shown),
        int(shown + 60),
    )
    assert gateway.debug("book")["entries"][0]["at"] == clock.now
    assert gateway.client.get(f"/videos/{video['id']}/content").status_code == 200
