"""What came back for a probe, as a run would read it, and whether the call is there at all. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.doctor.probes import Asked, Probe
from pipeline.profile import Profile
from pipeline.providers.base import Dialect, Found, Observation, Page, Problem, Refusal, Reply
from pipeline.providers.meanings import meaning_of, refused
from pipeline.providers.replies import complaint

_OF_THIS_REQUEST = re.compile(r"\S*[0-9/]\S*")
"""Words with a digit or a slash: paths, ids, numbers of requests."""
_METHOD = re.compile(r"\b(?:GET|POST|DELETE)\b")
"""Many repeat it, and the path that is not there is asked with another than some calls have."""
_NOT_HERE = (405, 501)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One probe's."""

    probe: Probe
    reply: Reply
    said: Page | Observation | Found | Refusal
    missing: bool
    """It is answered as a path that is not there."""
    asked_at: datetime
    took_s: float

    @property
    def problem(self) -> Problem | None:
        """Why it is not what was asked for; `None`: it is."""
        return self.said.problem if isinstance(self.said, Refusal) else None

    @property
    def words(self) -> str:
        """The answer in a few words."""
        return words_of(self.reply, complains=isinstance(self.said, Refusal))


def answer_of(
    probe: Probe,
    reply: Reply,
    stray: Reply | None,
    *,
    profile: Profile,
    dialect: Dialect,
    asked_at: datetime,
    took_s: float,
) -> Answer:
    """What *reply* says; *stray* is the answer to a path that is not there (`None`: there was none)."""
    said = _read(probe.asked, reply, profile, dialect)
    barred = isinstance(said, Refusal) and said.problem is Problem.BAD_KEY  # then every path is answered alike
    return Answer(
        probe=probe,
        reply=reply,
        said=said,
        missing=probe.asked is not Asked.STRAY and not barred and _is_missing(reply, stray),
        asked_at=asked_at,
        took_s=took_s,
    )


def words_of(reply: Reply, *, complains: bool = True) -> str:
    """An answer in a few words: `HTTP 404 task_not_exist: no such task`."""
    if 300 <= reply.status < 400:
        return f"HTTP {reply.status} to {reply.headers.get('location', 'nowhere').partition('?')[0][:120]}"
    code, message = complaint(reply.body) if complains else ("", "")
    said = ": ".join(filter(None, (code, "" if message == code else message)))
    return f"HTTP {reply.status}{' ' if said else ''}{said[:120]}"


def _read(asked: Asked, reply: Reply, profile: Profile, dialect: Dialect) -> Page | Observation | Found | Refusal:
    match asked:
        case Asked.LIST:
            return dialect.read_page(reply, profile)
        case Asked.STATUS:
            by_status = replace(profile, wire=replace(profile.wire, looks="status"))
            return dialect.read_look(reply, by_status)
        case Asked.CONTENT if profile.wire.content != "bytes":
            return dialect.read_content(reply, profile)
        case Asked.CONTENT:
            return dialect.read_no_content(reply, profile)
        case _:
            return refused(reply, meaning_of(reply, "look", profile), profile)


def _is_missing(reply: Reply, stray: Reply | None) -> bool:
    if reply.status in _NOT_HERE:
        return True
    return stray is not None and reply.status == stray.status and _gist(reply) == _gist(stray)


def _gist(reply: Reply) -> tuple[str, str]:
    """Its complaint without what differs from request to request."""
    code, message = complaint(reply.body)
    return code, " ".join(_METHOD.sub("", _OF_THIS_REQUEST.sub("", message)).lower().split())
