"""What the `videos` dialect sends, and that no answer whatever makes it fall over."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import JSON
from pipeline.profile import Profile
from pipeline.providers.base import Observation, Page, Problem, Refusal, Reply, Status, Submission
from pipeline.providers.registry import find_profile
from pipeline.providers.replies import MESSAGE_CHARACTERS_MAX
from pipeline.providers.videos import Videos
from pipeline.providers.videos_submit import wire_fields
from pipeline.wire import ANSWERS, Rule
from tests.providers.contract import a_job, wired
from tests.providers.expectations import ANY_CONTENT, ANY_FAILURE, ANY_LOOK, ANY_SUBMIT
from tests.providers.recorded import names_in
from tests.providers.test_multipart import parsed

OURS = Profile(name="some", title="Some", default_model="sora-2", default_seconds=4, default_size="1280x720")
VIDEOS = Videos()

NAMES = [
    *("id", "task_id", "object", "status", "progress", "created_at", "expires_at", "prompt"),
    *("error", "code", "message", "detail", "msg", "fail_reason", "data", "has_more", "last_id"),
]
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=8,
        )
    ),
    max_leaves=12,
)
bodies = st.binary(max_size=60) | documents.map(lambda d: json.dumps(d).encode("utf-8", "surrogatepass"))
replies = st.builds(
    Reply,
    status=st.integers(100, 599),
    headers=st.dictionaries(st.sampled_from(["retry-after", "content-type"]), st.text(max_size=10)),
    body=bodies,
)


@pytest.mark.parametrize(
    ("seconds", "sent"), [(4, "4"), (4.0, "4"), (2.5, "2.5"), (7.1234567, "7.1234567"), (1234567, "1234567")]
)
def test_seconds_go_as_text_and_to_the_digit(seconds: float, sent: str) -> None:
    assert wire_fields(a_job(OURS, seconds=seconds), OURS)["seconds"] == sent


def test_params_go_as_they_are_and_never_over_our_own() -> None:
    params: dict[str, JSON] = {
        "seed": 7,
        "size": "1x1",
        "loop": True,
        "tags": ["a", {"b": None}],
        "note": None,
        "cfg": 1.5,
    }
    job = a_job(OURS, params=params)

    as_form = VIDEOS.submit(job, OURS, key="k")
    as_json = VIDEOS.submit(job, wired(OURS, body="json"), key="k")

    own = {"prompt": "a heron at dawn", "model": "sora-2", "seconds": "4", "size": "1280x720"}
    assert as_json.headers["content-type"] == "application/json"
    assert json.loads(as_json.body) == {**params, **own}
    assert parsed(as_form.headers["content-type"], as_form.body) == {
        **own,
        "seed": "7",
        "loop": "true",
        "tags": '["a", {"b": null}]',
        "note": "null",
        "cfg": "1.5",
    }
    assert list(json.loads(as_json.body))[:4] == ["prompt", "model", "seconds", "size"]


def test_a_profiles_own_words_go_before_the_common_ones() -> None:
    profile = replace(OURS, status_words={"task_done": "done", "created": "done"})
    for word, status in (("TASK_DONE", Status.DONE), ("created", Status.DONE), ("queued", Status.WAITING)):
        seen = VIDEOS.read_look(Reply(status=200, body=json.dumps({"id": "v", "status": word}).encode()), profile)
        assert isinstance(seen, Observation)
        assert seen.status is status


WRAPPED = wired(
    replace(OURS, status_words={"broken": "failed"}), answers={**ANSWERS, "video": ("data",), "status": ("state",)}
)


CALM = (
    Rule(means="throttled", to=("submit",), http=(400, 500), code=("E_CALM",)),
    Rule(means="throttled", to=("submit",), http=(200, 400, 500), text=("come back later",)),
)
STATED = wired(OURS, answers={**ANSWERS, "error_code": ("err.c",), "error_text": ("err.m",)}, problems=CALM)
LATER = {"reason": "come back later"}
NAMES_409 = wired(OURS, problems=(Rule(means="throttled", to=("submit",), http=(409,), text=("busy",)),))


@pytest.mark.parametrize(
    ("profile", "http", "told", "problem", "says"),
    [
        (STATED, 400, {"ok": False, "err": {"c": "E_CALM", "m": "busy"}}, Problem.THROTTLED, ("E_CALM", "busy")),
        (STATED, 400, {"err": {"m": "Come back later"}}, Problem.THROTTLED, ("", "Come back later")),
        (STATED, 500, {"err": {"m": "come back later"}}, Problem.THROTTLED, ("", "come back later")),
        (STATED, 400, {"err": {"c": "E_BAD"}, "message": "no"}, Problem.REJECTED, ("E_BAD", "no")),
        (STATED, 400, {"error": {"code": "E_CALM", "message": "no"}}, Problem.THROTTLED, ("E_CALM", "no")),
        (wired(OURS, problems=CALM), 400, LATER, Problem.THROTTLED, ("", json.dumps(LATER))),
        # it may be a prompt that is repeated, and then it may have been billed
        (wired(OURS, problems=CALM), 500, LATER, Problem.TROUBLE, ("", json.dumps(LATER))),
        (wired(OURS, problems=CALM), 200, {"id": "v", "prompt": LATER["reason"]}, None, ("", "")),
        (STATED, 200, {"err": {"m": "come back later"}}, Problem.THROTTLED, ("", "come back later")),
        (NAMES_409, 409, {"echo": "a busy street"}, Problem.TROUBLE, ("", '{"echo": "a busy street"}')),
        (NAMES_409, 409, {"message": "busy"}, Problem.THROTTLED, ("", "busy")),
        # and with an id it may have made that video, whatever it says
        (STATED, 200, {"id": "v", "err": {"m": "come back later"}}, Problem.TROUBLE, ("", "come back later")),
    ],
)
def test_an_error_is_read_where_the_profile_says_and_else_where_servers_have_it(
    profile: Profile, http: int, told: JSON, problem: Problem | None, says: tuple[str, str]
) -> None:
    answer = VIDEOS.read_submit(Reply(status=http, body=json.dumps(told).encode()), profile)

    if problem is None:
        assert isinstance(answer, Submission)
        return
    assert isinstance(answer, Refusal)
    assert (answer.problem, answer.code, answer.message) == (problem, *says)


def test_a_video_tells_where_the_profile_says_why_it_failed() -> None:
    reply = Reply(status=200, body=b'{"id": "v", "status": "failed", "err": {"c": "E_DARK", "m": "too dark"}}')
    link = wired(STATED, answers={**STATED.wire.answers, "video": ()}, content="link")

    seen, content = VIDEOS.read_look(reply, STATED), VIDEOS.read_content(reply, link)

    assert isinstance(seen, Observation)
    assert isinstance(content, Refusal)
    assert (seen.code, seen.message) == (content.code, content.message) == ("E_DARK", "too dark")


@pytest.mark.parametrize(
    ("http", "told", "seen", "is_receipt"),
    [
        (400, {"data": {"id": "v", "state": "broken"}}, Status.FAILED, False),
        (500, {"data": {"id": "v", "state": "broken"}}, Status.FAILED, False),
        (400, {"data": {"id": "v", "state": "running"}}, Status.RUNNING, False),
        (400, {"data": {"id": "v", "state": "broken", "object": "video"}}, Status.FAILED, True),
        (500, {"data": {"id": "v", "state": "running", "progress": 3}}, Status.RUNNING, True),
        (404, {"data": {"object": "video", "state": "expired"}}, Status.EXPIRED, False),
        # an error with a word of its own, a video that is none, and what is said otherwise
        (500, {"code": 500, "data": {"state": "failed"}}, Problem.TROUBLE, False),
        (400, {"code": "x", "data": {"id": "v", "status": "failed"}}, Problem.TROUBLE, False),
        (400, {"data": {"id": "v", "state": "marinating"}}, Problem.TROUBLE, False),
        (410, {"data": {"id": "v", "state": "running", "model": "m"}}, Problem.GONE, False),
        (429, {"data": {"id": "v", "state": "running", "model": "m"}}, Problem.THROTTLED, False),
        # the id is the request's
        (500, {"data": {"id": "req_8f", "state": "failed", "model": "m"}}, Problem.TROUBLE, False),
        (400, {"data": {"id": "req_8f", "state": "failed", "created_at": 7}}, Problem.TROUBLE, False),
        (500, {"data": {"id": "req_8f", "state": "failed"}, "message": "upstream"}, Problem.TROUBLE, False),
        (502, {"data": {"id": "req_8f", "state": "running", "model": "m"}}, Problem.TROUBLE, False),
        (404, {"data": {"id": "req_8f", "state": "running", "model": "m"}}, Problem.UNKNOWN_ID, False),
    ],
)
def test_a_refusal_that_carries_a_video_says_how_it_is_doing(
    http: int, told: dict[str, object], seen: Status | Problem, is_receipt: bool
) -> None:
    reply = Reply(status=http, body=json.dumps(told).encode())
    look = VIDEOS.read_look(reply, WRAPPED, "v")

    assert (look.status if isinstance(look, Observation) else look.problem) is seen
    assert isinstance(VIDEOS.read_submit(reply, WRAPPED), Submission) is is_receipt


@pytest.mark.parametrize(
    ("http", "told", "problem"),
    [
        (404, {"object": "video", "status": "in_progress", "expires_at": None}, Problem.NOT_READY),
        (404, {"object": "video", "status": "completed"}, Problem.UNKNOWN_ID),
        (404, {"info": "no such film", "expires_at": None}, Problem.UNKNOWN_ID),  # the name of a field is no word
        (404, {"error": {"message": "the video has expired"}}, Problem.GONE),
        (200, {"id": "req_77", "status": "error", "message": "overloaded"}, Problem.TROUBLE),
        (200, {"id": "v", "status": "failed", "model": "m"}, Problem.FAILED),
    ],
)
def test_what_comes_in_a_videos_place_is_believed_by_its_own_words(
    http: int, told: dict[str, object], problem: Problem
) -> None:
    reply = Reply(status=http, body=json.dumps(told).encode())

    assert VIDEOS.read_no_content(reply, OURS).problem is problem


def test_a_rule_without_a_status_is_never_said_of_a_success() -> None:
    rule = Rule(means="failed", to=("look",), text=("failed",))
    page = Reply(status=200, body=b"<title>Request failed, retry</title>")

    seen = VIDEOS.read_look(page, wired(OURS, problems=(rule,)))

    assert isinstance(seen, Refusal)
    assert seen.problem is Problem.TROUBLE


def test_a_constant_that_is_no_json_is_as_good_as_absent() -> None:
    receipt = VIDEOS.read_submit(Reply(status=200, body=b'{"id": "v", "progress": NaN, "cost": Infinity}'), OURS)
    assert isinstance(receipt, Submission)
    assert receipt.raw == {"id": "v", "progress": None, "cost": None}


def test_rows_of_a_page_that_are_no_videos_are_passed_over() -> None:
    body = json.dumps({"data": [None, "v", {"id": "v1"}, {}], "has_more": True}).encode()
    page = VIDEOS.read_page(Reply(status=200, body=body), OURS)
    assert isinstance(page, Page)
    assert [seen.video_id for seen in page.observations] == ["v1", ""]
    assert page.after is None


@pytest.mark.parametrize(
    ("more", "is_last"),
    [(', "has_more": false', True), (', "has_more": true', False), ("", False), (', "has_more": 0', False)],
)
def test_a_page_is_the_last_only_where_that_is_said(more: str, is_last: bool) -> None:
    page = VIDEOS.read_page(Reply(status=200, body=f'{{"data": [{{"id": "v"}}]{more}}}'.encode()), OURS)
    assert isinstance(page, Page)
    assert page.is_last is is_last


def test_a_page_with_a_row_that_cannot_be_read_does_not_say_what_it_ends_with() -> None:
    page = VIDEOS.read_page(Reply(status=200, body=b'{"data": [7], "has_more": false}'), OURS)
    assert page == Page(observations=(), after=None, is_last=False)


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        (
            {"prompt": "a tug", "model": "sora-2", "seconds": "8", "size": "1280x720"},
            ("a tug", "sora-2", 8.0, "1280x720"),
        ),
        ({"seconds": 8, "size": "1280*720"}, (None, None, 8.0, "1280x720")),
        ({"seconds": "8.0s", "size": " 1280X720 "}, (None, None, 8.0, "1280x720")),
        ({"seconds": 8.04, "size": "720p"}, (None, None, 8.04, None)),
        ({"prompt": "", "model": "", "seconds": 0, "size": ""}, (None, None, None, None)),
        ({"prompt": 7, "model": [], "seconds": "long", "size": 720}, (None, None, None, None)),
        ({"seconds": "inf"}, (None, None, None, None)),
        ({"seconds": True}, (None, None, None, None)),
        ({}, (None, None, None, None)),
    ],
)
def test_what_a_video_repeats_of_its_wish_is_read_where_it_can_be_compared(
    told: dict[str, object], seen: tuple[object, ...]
) -> None:
    body = json.dumps({"id": "v", "status": "queued", **told}).encode()
    shown = VIDEOS.read_look(Reply(status=200, body=body), OURS)
    assert isinstance(shown, Observation)
    assert (shown.prompt, shown.model, shown.seconds, shown.size) == seen


def test_an_empty_page_is_the_last() -> None:
    page = VIDEOS.read_page(Reply(status=200, body=b'{"data": [], "has_more": true, "last_id": null}'), OURS)
    assert page == Page(observations=(), after=None)


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("Upstream service returned status 404", Problem.UNKNOWN_ID),
        ("upstream status code: 404", Problem.UNKNOWN_ID),
        ("Upstream service returned status 500", Problem.TROUBLE),
        ("request 404-17 failed", Problem.TROUBLE),
        ("Bad Gateway", Problem.TROUBLE),
    ],
)
def test_a_bad_gateway_that_names_an_upstreams_404_means_that_the_content_is_not_there(
    message: str, problem: Problem
) -> None:
    body = json.dumps({"error": {"message": message}}).encode()
    assert VIDEOS.read_no_content(Reply(status=502, body=body), OURS).problem is problem


@given(replies)
def test_no_answer_makes_it_fall_over(reply: Reply) -> None:
    submission = VIDEOS.read_submit(reply, OURS)
    look = VIDEOS.read_look(reply, OURS)
    page = VIDEOS.read_page(reply, OURS)
    content = VIDEOS.read_no_content(reply, OURS)

    if isinstance(submission, Submission):
        assert 200 <= reply.status < 300
        assert submission.video_id
        assert VIDEOS.look(submission.video_id, OURS).path.isascii()
    assert isinstance(look, Observation | Refusal)
    assert isinstance(page, Page | Refusal)
    for refusal in (submission, look, page, content):
        if isinstance(refusal, Refusal):
            assert 0 < len(refusal.message) <= MESSAGE_CHARACTERS_MAX
            assert "\n" not in refusal.message
            assert "\x1b" not in refusal.message + refusal.code + refusal.excerpt


def test_every_shipped_profile_is_held_to_the_contract() -> None:
    from pipeline.providers.registry import profile_names
    from tests.providers.recorded import REPLIES

    assert {path.name for path in REPLIES.iterdir()} - {"any"} == set(profile_names())
    assert all(find_profile(name) is not None for name in profile_names())


def test_every_recorded_reply_is_read_by_a_test() -> None:
    read = {*ANY_SUBMIT, *ANY_LOOK, *ANY_FAILURE, *ANY_CONTENT}
    assert set(names_in("any")) == read | {"created-202", "created-task"}
