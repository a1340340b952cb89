"""Every profile looked over at a sandbox in its dress, and at one in another, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import anyio
import pytest

from pipeline.doctor.examine import Asking, Surroundings, examine
from pipeline.doctor.findings import Finding, Verdict, exit_code_of
from pipeline.doctor.subject import Subject
from pipeline.model import JSON, ProviderChoice
from pipeline.profile import Profile
from pipeline.providers.access import access
from pipeline.providers.registry import find_profile, profile_names
from pipeline.sandbox.dress import dress_of
from pipeline.wire import ANSWERS, PATHS, Auth, Rule, Said
from tests.sandbox.conftest import KEY, Clock, Gateway, running

FILM: Mapping[str, JSON] = {"render_s": 0, "film": {"constant_bytes": 4096}}


def known(name: str) -> Profile:
    profile = find_profile(name)
    assert profile is not None
    return profile


OURS = known("sandbox")
MY_OWN = replace(OURS, retention_s=3600.0, lists=True)


def wired(profile: Profile, **changes: Any) -> Profile:
    return replace(profile, wire=replace(profile.wire, **changes))


def rehearsed(profile: Profile, **changes: Any) -> Profile:
    return replace(profile, rehearsal=replace(profile.rehearsal, **changes))


def look_over(gateway: Gateway, profile: Profile, told: Callable[[Asking], object] = id) -> list[Finding]:
    """What the doctor says of *profile* at *gateway*, whose time is ours."""
    address = str(gateway.client.base_url).rstrip("/")
    choice = ProviderChoice(profile=profile.name, base_url=address)
    subject = Subject(
        choice=choice, profile=profile, address=address, address_from="a test", key=KEY, key_from="a test"
    )
    outside = Surroundings(now=lambda: datetime.fromtimestamp(gateway.clock.now, UTC), chance=Random(7), told=told)
    return anyio.run(examine, subject, access(address, KEY, profile), outside)


@pytest.mark.parametrize("name", profile_names())
def test_at_a_server_that_is_as_its_profile_says_nothing_differs(name: str, tmp_path: Path) -> None:
    asked: list[Asking] = []
    with running(tmp_path, Clock(), dress=dress_of(known(name))) as gateway:
        found = look_over(gateway, known(name), asked.append)
        made = gateway.debug("book")

    assert [one for one in found if one.verdict is not Verdict.CLAIMED and one.about != "retired"] == []
    assert exit_code_of(found) == 0
    assert {"list", "clock", "limits"} <= {one.about for one in found}
    assert made["entries"] == []
    questions = [one for one in asked if one.url.partition("?")[0] != asked[0].url]
    assert [one.http is None for one in questions] == [True, False] * (len(questions) // 2)


@dataclass(frozen=True, kw_only=True)
class Other:
    """A server that is not as the profile says."""

    profile: Profile = MY_OWN
    dress: Profile = MY_OWN
    settings: Mapping[str, JSON] = field(default_factory=dict)
    about: str
    change: str
    verdict: Verdict = Verdict.DIFFERS
    also: tuple[str, ...] = ()
    """What differs besides, for the same reason."""
    open: tuple[str, ...] = ()
    """What cannot be told besides, for the same reason."""


RENAMED = {**PATHS, "content": "/films/{id}"}
NOWHERE = {call: f"/old{path}" for call, path in PATHS.items()}
UNHEARD_OF = {"unknown_id": (Said(http=400, code="no_such_task", message="who?"),)}
OF_ITS_OWN = wired(
    MY_OWN,
    answers={**ANSWERS, "error_code": ("err.c",), "error_text": ("err.m",)},
    problems=(Rule(means="unknown_id", to=("look",), http=(404,), code=("E_NONE",)),),
)
RESPONSES = wired(known("dmxapi-responses"), auth=Auth())
OTHERS = {
    "no list": Other(settings={"lists": False}, about="list", change="lists: false"),
    "a list, of which nobody knows": Other(
        profile=replace(MY_OWN, lists=False), about="list", change="", verdict=Verdict.UNCLEAR
    ),
    "content only": Other(dress=wired(MY_OWN, looks="content"), about="status", change="looks: content"),
    "a status after all": Other(
        profile=replace(wired(MY_OWN, looks="content"), lists=False),
        settings={"lists": False},
        about="status",
        change="looks: status",
    ),
    "another header": Other(
        dress=wired(MY_OWN, auth=Auth(header="api-key", prefix="")),
        about="key",
        change="auth: …",
        verdict=Verdict.BARRED,
    ),
    "a fast clock": Other(settings={"clock_skew_s": 90}, about="clock", change=""),
    "a fast clock that little depends on": Other(
        profile=replace(MY_OWN, lists=False),
        settings={"clock_skew_s": 90, "lists": False},
        about="clock",
        change="",
        verdict=Verdict.UNCLEAR,
    ),
    "kept for a minute": Other(settings={"retention_s": 60}, about="kept", change="retention_s: 60"),
    "a word of its own": Other(
        dress=rehearsed(MY_OWN, words={"completed": "brewed"}), about="words", change='status_words: {"brewed": …}'
    ),
    "another word for an unknown id": Other(
        dress=rehearsed(MY_OWN, says=UNHEARD_OF),
        about="status",
        change='problems: [{to: look, http: 400, code: "no_such_task", means: unknown_id}]',
        open=("content",),
    ),
    "the same word, and a rule that knows it": Other(
        profile=wired(MY_OWN, problems=(Rule(means="unknown_id", code=("no_such_task",)),)),
        dress=rehearsed(MY_OWN, says=UNHEARD_OF),
        about="",
        change="",
        verdict=Verdict.CLAIMED,
    ),
    "errors in another form": Other(
        dress=rehearsed(MY_OWN, errors="detail"),
        about="status",
        change="",
        verdict=Verdict.UNCLEAR,
        open=("content",),
    ),
    "a list that wants to be asked otherwise": Other(
        profile=replace(MY_OWN, lists=False),
        dress=wired(MY_OWN, queries={"list": {"by": "me"}}),
        about="list",
        change="",
        verdict=Verdict.UNCLEAR,
    ),
    "content elsewhere": Other(dress=wired(MY_OWN, paths=RENAMED), about="content", change="paths: {content: …}"),
    "errors where the profile has them": Other(
        profile=OF_ITS_OWN, dress=OF_ITS_OWN, about="", change="", verdict=Verdict.CLAIMED
    ),
    "another place": Other(
        profile=wired(MY_OWN, paths=NOWHERE),
        about="address",
        change="",
        also=("list", "status", "content"),
    ),
    "another API": Other(profile=RESPONSES, dress=known("newapi"), about="address", change="", also=("content",)),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_each_difference_is_pointed_at_with_the_line_that_mends_it(other: Other, tmp_path: Path) -> None:
    with running(tmp_path, Clock(), dress=dress_of(other.dress), **{**FILM, **other.settings}) as gateway:
        if other.about in ("kept", "words"):
            gateway.create()
        found = look_over(gateway, other.profile)

    pointed_at = [one for one in found if one.verdict is not Verdict.CLAIMED]
    assert [(one.about, one.verdict) for one in pointed_at] == [
        *([(other.about, other.verdict)] if other.about else ()),
        *((about, Verdict.DIFFERS) for about in other.also),
        *((about, Verdict.UNCLEAR) for about in other.open),
    ]
    changes = [one.change for one in pointed_at if one.change]
    assert [change.startswith(other.change) for change in changes] == ([True] if other.change else [])
    assert exit_code_of(found) == {Verdict.DIFFERS: 1, Verdict.BARRED: 3}.get(other.verdict, 0)


def test_where_nobody_listens_nothing_more_is_asked(tmp_path: Path) -> None:
    with running(tmp_path, Clock()) as gateway:
        pass  # its port is free again
    asked: list[Asking] = []

    found = look_over(gateway, MY_OWN, asked.append)

    assert (found[-1].about, found[-1].verdict) == ("way", Verdict.BARRED)
    assert "Connection refused" in found[-1].found
    assert [one.method for one in asked] == ["CONNECT"]
