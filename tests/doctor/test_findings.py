"""What is free to ask, and what single answers say."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from pipeline.doctor.answers import Answer, answer_of
from pipeline.doctor.findings import Finding, Verdict, exit_code_of, findings_of
from pipeline.doctor.paid import Cheapest, cheapest
from pipeline.doctor.probes import Asked, free_probes, is_free
from pipeline.doctor.standing import connection
from pipeline.doctor.subject import subject_of
from pipeline.doctor.unasked import not_asked
from pipeline.errors import NotSent, PipelineError, Untrusted, UsageError
from pipeline.model import ProviderChoice
from pipeline.profile import ModelOffer, Profile
from pipeline.providers.base import Reply, Request
from pipeline.providers.registry import find_profile
from pipeline.providers.responses import Responses
from pipeline.providers.videos import Videos
from pipeline.transport.reach import Reached, reach
from pipeline.wire import Rule
from tests.edges.server import answer, saying, serving
from tests.edges.test_transport import certified, made_trusted

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OURS = find_profile("sandbox") or Profile(name="", title="")
HANDS_OUT = replace(OURS, wire=replace(OURS.wire, result_models={"film-*": "film-get"}))


@pytest.mark.parametrize(
    ("method", "body", "profile", "free"),
    [
        ("GET", {}, OURS, True),
        ("POST", {"model": "film-get"}, HANDS_OUT, True),
        ("POST", {"model": "film-get"}, OURS, False),
        ("POST", {"model": "film-2"}, HANDS_OUT, False),
        ("POST", {"model": ""}, HANDS_OUT, False),
        ("POST", {}, HANDS_OUT, False),
        ("POST", {"model": "film-get"}, replace(HANDS_OUT, models={"film-get": ModelOffer()}), False),
        ("POST", {"model": "film-get"}, replace(HANDS_OUT, models={"Film-GET": ModelOffer()}), False),
        ("DELETE", {}, OURS, False),
    ],
)
def test_only_what_can_make_nothing_is_free(
    method: str, body: Mapping[str, str], profile: Profile, *, free: bool
) -> None:
    assert is_free(Request(method=method, path="/", body=json.dumps(body).encode()), profile) is free


def test_a_post_is_asked_only_of_a_model_that_hands_out_and_says_which() -> None:
    asks = replace(HANDS_OUT, dialect="responses")

    posted = [probe for probe in free_probes(asks, Responses(), "nobodys") if probe.request.method == "POST"]

    assert [(probe.asked, probe.why) for probe in posted] == [
        (Asked.CONTENT, "what it says of content that is not there (by film-get, which makes none)")
    ]
    assert {probe.asked for probe in free_probes(replace(OURS, dialect="responses"), Responses(), "nobodys")} == {
        *(Asked.STRAY, Asked.LIST)
    }


STRAY = Reply(status=404, body=b'{"detail": "Not Found"}')


def answers(
    of: Asked, reply: Reply, *, late_s: float = 0.0, stray: Reply = STRAY, profile: Profile = OURS
) -> dict[Asked, Answer]:
    """The answer to one probe, and one to a path that is not there."""
    probes = {probe.asked: probe for probe in free_probes(profile, Videos(), "nobodys")}
    return {
        asked: answer_of(probes[asked], one, stray, profile=profile, dialect=Videos(), asked_at=NOW, took_s=late_s)
        for asked, one in ((Asked.STRAY, stray), (of, reply))
    }


@pytest.mark.parametrize(
    ("of", "reply", "about", "verdict", "words"),
    [
        (
            Asked.LIST,
            Reply(status=301, headers={"location": "https://b/?k=1"}),
            "address",
            Verdict.DIFFERS,
            "to https://b/",
        ),
        (Asked.LIST, Reply(status=429), "list", Verdict.UNCLEAR, "HTTP 429"),
        (Asked.STATUS, Reply(status=502), "status", Verdict.UNCLEAR, "HTTP 502"),
        (
            Asked.STATUS,
            Reply(status=404, body=b'{"detail": "Video not found"}'),
            "status",
            Verdict.UNCLEAR,
            "unknown ids as {detail}, HTTP 404, read as 'unknown_id'",
        ),
        (
            Asked.STATUS,
            Reply(status=404, body=b'{"error": {"type": "invalid_request_error", "message": "no such video"}}'),
            "status",
            Verdict.CLAIMED,
            "just so, HTTP 404, read as 'unknown_id'",
        ),
        (
            Asked.STATUS,
            Reply(status=404, body=b'{"detail": "Not Found"}'),
            "status",
            Verdict.DIFFERS,
            "no status there",
        ),
        (Asked.STATUS, Reply(status=200, body=b'{"status": "queued"}'), "status", Verdict.UNCLEAR, "no video has"),
        (
            Asked.LIST,
            Reply(status=200, body=b'{"data": [{"status": "queued"}]}'),
            "ids",
            Verdict.DIFFERS,
            "without an id",
        ),
        (
            Asked.LIST,
            Reply(status=200, headers={"x-ratelimit-limit-requests": "9"}, body=b'{"data": []}'),
            "limits",
            Verdict.CLAIMED,
            "x-ratelimit-limit-requests: 9",
        ),
        (Asked.LIST, Reply(status=200, body=b'{"data": []}'), "clock", Verdict.UNCLEAR, "no answer has a date"),
    ],
)
def test_an_answer_says_so_much_and_no_more(of: Asked, reply: Reply, about: str, verdict: Verdict, words: str) -> None:
    (found,) = [one for one in findings_of(answers(of, reply), OURS) if one.about == about and words in one.found]

    assert (found.verdict, "k=1" in found.found) == (verdict, False)


@pytest.mark.parametrize(
    ("reply", "change"),
    [
        (
            Reply(status=418, body=b'{"error": {"code": "E_NONE", "message": "no such video"}}'),
            'problems: [{to: look, http: 418, code: "E_NONE", means: unknown_id}]',
        ),
        (
            Reply(status=418, body=b'{"message": "no such video"}'),
            'problems: [{to: look, http: 418, text: "no such video", means: unknown_id}]',
        ),
        (Reply(status=418), ""),
        (Reply(status=200, body=b"<title>Log in</title>"), ""),
    ],
)
def test_a_rule_is_proposed_only_where_it_is_said_of_nothing_else(reply: Reply, change: str) -> None:
    (found,) = [one for one in findings_of(answers(Asked.STATUS, reply), OURS) if one.about == "status"]

    assert (found.verdict, found.change) == (Verdict.DIFFERS, change)


OWN_WIRE = replace(
    OURS.wire,
    answers={**OURS.wire.answers, "error_code": ("err.c",), "error_text": ("err.m",)},
    problems=(Rule(means="unknown_id", to=("look",), http=(404,), code=("E_NONE",)),),
)
OWN_ERRORS = replace(OURS, base_path="/api/v3", wire=OWN_WIRE)
OWN_STRAY = Reply(status=404, body=b'{"err": {"c": null, "m": "Invalid URL"}}')


@pytest.mark.parametrize(
    ("body", "verdict", "words"),
    [
        (
            b'{"err": {"c": "E_NONE", "m": "no render"}}',
            Verdict.CLAIMED,
            "status, unknown ids as {err: {c: E_NONE, m}}: just so, HTTP 404, read as 'unknown_id'",
        ),
        (
            b'{"err": {"c": "E_GONE", "m": "no render"}}',
            Verdict.UNCLEAR,
            "unknown ids as {err: {c: E_GONE, m}}, HTTP 404, read as 'unknown_id'",
        ),
        (OWN_STRAY.body, Verdict.DIFFERS, "no status there, HTTP 404 Invalid URL"),
    ],
)
def test_an_error_is_read_and_shown_where_the_profile_says_that_it_stands(
    body: bytes, verdict: Verdict, words: str
) -> None:
    said = answers(Asked.STATUS, Reply(status=404, body=body), stray=OWN_STRAY, profile=OWN_ERRORS)

    (found,) = [one for one in findings_of(said, OWN_ERRORS) if one.about == "status"]

    assert found.verdict is verdict
    assert words in f"{found.claimed}: {found.found}"


def test_what_says_nothing_proves_no_call_missing() -> None:
    mute = Reply(status=404)

    found = list(findings_of(answers(Asked.STATUS, mute, stray=mute), OURS))

    assert [(one.about, one.verdict, one.change) for one in found[:2]] == [
        ("address", Verdict.UNCLEAR, ""),
        ("status", Verdict.UNCLEAR, ""),
    ]
    assert "HTTP 404 without a word" in found[1].found


@pytest.mark.parametrize(("address", "asks"), [("https://h.example", True), ("https://h.example/v1", False)])
def test_a_server_that_never_says_a_word_does_not_speak_this_api(address: str, *, asks: bool) -> None:
    mute = Reply(status=404)
    said = answers(Asked.LIST, mute, stray=mute) | answers(Asked.STATUS, mute, stray=mute)

    found = list(findings_of(said, OURS, address))

    assert (found[0].about, found[0].verdict, "as with /v1?" in found[0].found) == ("address", Verdict.DIFFERS, asks)
    assert [one.verdict for one in found if one.about in ("list", "status")] == [Verdict.UNCLEAR, Verdict.UNCLEAR]
    assert exit_code_of(found) == 1


@pytest.mark.parametrize(("address", "asks"), [("https://h.example/v1", True), ("https://h.example/api/v3", False)])
def test_an_address_that_ends_as_it_should_is_not_doubted_for_its_end(address: str, *, asks: bool) -> None:
    said = answers(Asked.STATUS, OWN_STRAY, stray=OWN_STRAY, profile=OWN_ERRORS)

    found = next(findings_of(said, OWN_ERRORS, address))

    assert ("as with /api/v3?" in found.found, found.about) == (asks, "address")


def test_one_answer_to_everything_may_be_for_the_key() -> None:
    reply = Reply(status=200, body=b'{"message": "invalid token"}')
    probes = free_probes(OURS, Videos(), "nobodys")
    same = {
        probe.asked: answer_of(probe, reply, reply, profile=OURS, dialect=Videos(), asked_at=NOW, took_s=0.0)
        for probe in probes
    }

    found = list(findings_of(same, OURS))

    assert (found[0].about, found[0].verdict) == ("address", Verdict.DIFFERS)
    assert "HTTP 200 invalid token" in found[0].found
    assert "is the key wrong?" in found[0].found
    assert [one.change for one in found] == [""] * len(found)


@pytest.mark.parametrize(
    ("date", "late_s", "verdict"),
    [
        ("Mon, 23 Nov 2026 12:00:40 GMT", 0.5, Verdict.DIFFERS),
        ("Mon, 23 Nov 2026 11:59:20 GMT", 0.5, Verdict.DIFFERS),
        ("Mon, 23 Nov 2026 12:00:40 GMT", 29.0, Verdict.CLAIMED),
        ("yesterday", 0.5, Verdict.UNCLEAR),
    ],
)
def test_a_slow_answer_is_no_fast_clock(date: str, late_s: float, verdict: Verdict) -> None:
    reply = Reply(status=200, headers={"date": date}, body=b'{"data": []}')

    (found,) = [one for one in findings_of(answers(Asked.LIST, reply, late_s=late_s), OURS) if one.about == "clock"]

    assert found.verdict is verdict


def test_the_cheapest_video_is_the_one_with_the_lowest_price_that_is_known() -> None:
    subject = subject_of(ProviderChoice(), OURS, {}, "")

    assert cheapest(subject) == Cheapest(
        model="sketch", seconds=4, size="1280x720", price=4 * OURS.models["sketch"].price_per_second["*"]
    )
    assert cheapest(subject, "sora-2").seconds == 4
    with pytest.raises(UsageError, match="--model NAME"):
        cheapest(replace(subject, profile=replace(OURS, default_model="", models={"*": ModelOffer()})))


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["gate.example", "other.example"])
async def test_a_certificate_is_looked_at_before_anything_is_said(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = made_trusted(monkeypatch, tmp_path, authority := trustme.CA())
    async with serving(saying(answer()), tls=certified(authority, name)) as server:
        try:
            way: Reached | PipelineError = await reach(url.format(port=server.port))
        except Untrusted as error:
            way = error

    if name == "gate.example":
        assert isinstance(way, Reached)
        assert (way.tls, way.newest_http) == ("TLSv1.3", "HTTP/1.1")
        assert way.certified_until is not None
        assert connection(way, now=NOW).verdict is Verdict.CLAIMED
        assert connection(way, now=way.certified_until).verdict is Verdict.UNCLEAR
    else:
        assert "the certificate of gate.example cannot be verified: Hostname mismatch" in str(way)
    assert server.asked == []
    assert ssl.HAS_TLSv1_3


@pytest.mark.anyio
async def test_a_name_that_nobody_has_is_told_in_words_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)

    with pytest.raises(NotSent, match=r"the name gate\.example stands for no address: Name or service not known$"):
        await reach("https://gate.example/v1")


def test_what_nobody_saw_is_named_as_not_asked_until_a_finding_tells_of_it() -> None:
    profile = replace(OURS, remixes=False, params=("seed",), status_words={"brewed": "done"})
    told = [
        Finding(about=about, verdict=Verdict.CLAIMED, claimed="so", found="so")
        for about in ("video", "kept", "thumbnail")
    ]

    free, paid = not_asked([], profile), not_asked(told, profile)

    assert {"body", "content", "params", "prices", "status_words", "retention_s", "variants", "deletes"} <= set(free)
    assert "remixes" not in free
    assert set(free) - set(paid) == {"body", "content", "retention_s", "variants"}
