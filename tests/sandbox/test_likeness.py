"""The sandbox in a provider's place beside what that provider's server was recorded to say.

Compared is the form: HTTP status, fields, JSON types, an error's code, a video's status word, how an id is made. Of a
moment that was recorded several times, the reply whose name is the moment's counts; the others are variants.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from pipeline.model import JSON, Link
from pipeline.providers.base import Inputs, Reply
from pipeline.providers.registry import dialect_of, profile_names
from pipeline.providers.replies import mapping
from pipeline.sandbox.dress import dress_of
from tests.providers.recorded import names_in, recorded
from tests.sandbox.conftest import Clock, running
from tests.sandbox.dresses import every_profile
from tests.sandbox.visit import KEYS, Visit, a_job

RENDER_S = 10.0


def submitted(visit: Visit, link: Link | None = None, video_id: str = "") -> Reply:
    """The answer to a submit; of a remix and the like, the source is done."""
    job = a_job(visit.profile, link=link)
    key = f"likeness-{next(KEYS)}"
    return visit.ask(dialect_of(visit.profile).submit(job, visit.profile, key=key, inputs=Inputs(video_id=video_id)))


def refused(visit: Visit, fault: str) -> Reply:
    visit.demand(submit={"script": [fault]})
    return submitted(visit)


def with_a_wrong_key(visit: Visit) -> Reply:
    header = visit.profile.wire.auth.header
    key = visit.gateway.client.headers[header]
    visit.gateway.client.headers[header] = f"{visit.profile.wire.auth.prefix}wrong"
    try:
        return submitted(visit)
    finally:
        visit.gateway.client.headers[header] = key


def made(visit: Visit, after_s: float, **faults: JSON) -> str:
    """A video, so long after it was asked for."""
    if faults:
        visit.demand(**faults)
    video_id = visit.video()
    visit.clock.now += after_s
    return video_id


def looked(visit: Visit, video_id: str) -> Reply:
    return visit.ask(dialect_of(visit.profile).look(video_id, visit.profile))


def content(visit: Visit, video_id: str) -> Reply:
    return visit.ask(dialect_of(visit.profile).content(video_id, visit.profile))


def page(visit: Visit) -> Reply:
    made(visit, RENDER_S)
    return visit.ask(dialect_of(visit.profile).look_at_page(None, visit.profile))


def deleted(visit: Visit) -> Reply:
    return visit.ask(dialect_of(visit.profile).delete(made(visit, RENDER_S), visit.profile))


def nowhere(visit: Visit) -> Reply:
    answer = visit.gateway.client.post("/video/generations")
    return Reply(status=answer.status_code, headers={}, body=answer.content)


MODERATED: dict[str, JSON] = {"chance": {"moderated": 1}}
MOMENTS: Mapping[str, Callable[[Visit], Reply]] = {
    "created": submitted,
    "queued": lambda visit: looked(visit, made(visit, 0)),
    "in-progress": lambda visit: looked(visit, made(visit, RENDER_S / 2)),
    "completed": lambda visit: looked(visit, made(visit, RENDER_S)),
    "failed": lambda visit: looked(visit, made(visit, RENDER_S, videos=MODERATED)),
    "remixed": lambda visit: submitted(visit, Link.REMIX, video_id=made(visit, RENDER_S)),
    "extended": lambda visit: submitted(visit, Link.EXTEND, video_id=made(visit, RENDER_S)),
    "edited": lambda visit: submitted(visit, Link.EDIT, video_id=made(visit, RENDER_S)),
    "refused": lambda visit: refused(visit, "refused"),
    "no-such-model": lambda visit: refused(visit, "no_such_model"),
    "no-money": lambda visit: refused(visit, "no_money"),
    "throttled": lambda visit: refused(visit, "429"),
    "bad-key": with_a_wrong_key,
    "unknown-id": lambda visit: looked(visit, "video_of_nobody"),
    "unknown-id-content": lambda visit: content(visit, "video_of_nobody"),
    "not-ready": lambda visit: content(visit, made(visit, 0)),
    "gone": lambda visit: content(visit, made(visit, RENDER_S + visit.profile.retention_s)),
    "content-of-failed": lambda visit: content(visit, made(visit, RENDER_S, videos=MODERATED)),
    "page": page,
    "last-page": page,
    "deleted": deleted,
    "delete-refused": deleted,
    "no-such-path": nowhere,
}
"""By a recorded reply's name: how the sandbox comes to say the same."""
ALIKE = {"content-of-a-failed-job": "content-of-failed"}
OF_MANY_KINDS = ("refused", "failed")
"""Whose code and field are not compared: the kind recorded is not the one that is demanded."""

_OTHERS = "recorded of another model; of sora-2 it is not known what is said before the film is there"
DIFFERENCES: Mapping[str, str] = {
    **dict.fromkeys(("dmxapi/queued", "dmxapi/in-progress", "dmxapi/completed"), "of sora-2 no status is known"),
    "dmxapi/unknown-id": "an answer to a look, and no status is known",
    **{f"dmxapi-responses/{name}": _OTHERS for name in ("queued", "in-progress", "failed", "unknown-id")},
    **dict.fromkeys(("litellm/page", "litellm/last-page"), "the profile has no list: that one proves nothing"),
    **dict.fromkeys(("sglang/page", "sglang/last-page"), "the profile has no list: that one proves nothing"),
    "sglang/deleted": "the profile has no DELETE: that one neither ends a job nor removes a file",
}
"""By profile and reply: why the sandbox says something else."""

CASES = [
    (profile, name) for profile in profile_names() for name in names_in(profile) if ALIKE.get(name, name) in MOMENTS
]


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Visit]]:
    """A server in the dress of a profile, started when it is first asked for."""
    known: dict[str, Visit] = {}
    with contextlib.ExitStack() as servers:

        def of(name: str) -> Visit:
            if name not in known:
                dress, folder = dress_of(every_profile()[name]), tmp_path_factory.mktemp("like")
                server = running(folder, Clock(), dress=dress, render_s=RENDER_S, film={"constant_bytes": 3000})
                known[name] = Visit(servers.enter_context(server), dress.profile)
            return known[name]

        yield of


def form(value: JSON, but: str = "", name: str = "") -> object:
    """Fields and types, but for the type of one; of a list that of its first, of its rows the fields alone."""
    if isinstance(value, dict):
        return {key: form(inner, but, key) if key != but else "any" for key, inner in value.items()}
    if isinstance(value, list):
        first = value[0] if value else None
        return [set(first) if name == "data" and isinstance(first, dict) else form(first, but)]
    if value is None or isinstance(value, bool):
        return type(value)
    return float if isinstance(value, int | float) else str


def code(document: Mapping[str, Any]) -> object:
    error = document.get("error")
    return error.get("code") if isinstance(error, dict) else document.get("code")


def made_like(pattern: str) -> str:
    """The ids that *pattern* makes, as a regular expression; what is in base64 may be anything."""
    letters = {"hex": "[0-9a-f]", "alnum": "[0-9A-Za-z]", "digits": "[0-9]"}
    marked = re.sub(r"\{(hex|alnum|digits)([0-9]+)\}", r"<\1 \2>", pattern.replace("{model}", ""))
    plain = re.escape(re.sub(r"\{base64:.*\}", "<base64>", marked)).replace(r"\ ", " ")
    known = re.sub(r"<(\w+) (\d+)>", lambda place: f"{letters[place[1]]}{{{place[2]}}}", plain)
    return known.replace("<base64>", "[0-9A-Za-z+/]+").replace(r"\{uuid\}", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def difference(visit: Visit, name: str) -> str:
    """Between what was recorded and what the sandbox says; empty: there is none."""
    theirs, ours = recorded(f"{visit.profile.name}/{name}"), MOMENTS[ALIKE.get(name, name)](visit)
    if theirs.status != ours.status:
        return f"HTTP {theirs.status}, and here {ours.status}: {ours.body[:200]!r}"
    said, here = dict(mapping(theirs.body) or {}), dict(mapping(ours.body) or {})
    but = "param" if name in OF_MANY_KINDS else ""
    if form(said, but) != form(here, but):
        return f"{form(said, but)},\n and here {form(here, but)}"
    if "status" in said and said["status"] != here["status"]:
        return f"status {said['status']}, and here {here['status']}"
    if name not in OF_MANY_KINDS and code(said) != code(here):
        return f"code {code(said)}, and here {code(here)}"
    video_id, pattern = said.get("id"), visit.profile.rehearsal.id
    is_made_so = not isinstance(video_id, str) or re.fullmatch(made_like(pattern), video_id)
    return "" if is_made_so else f"id {video_id}, and here {pattern}"


@pytest.mark.parametrize(("profile", "name"), CASES, ids=[f"{profile}/{name}" for profile, name in CASES])
def test_the_sandbox_says_it_as_the_server_does(visits: Callable[[str], Visit], profile: str, name: str) -> None:
    visit = visits(profile)
    try:
        found = difference(visit, name)
    finally:
        if visit.is_faulty:
            visit.demand()

    reason = DIFFERENCES.get(f"{profile}/{name}", "")
    assert bool(found) is bool(reason), found or f"there is no difference any more: {reason}"
