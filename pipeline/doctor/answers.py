"""What came back for a probe, as a run would read it, and whether the call is there at all. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.doctor.probes import Asked, Probe
from pipeline.profile import Profile
from pipeline.providers.base import Dialect, Found, Observation, Page, Problem, Refusal, Reply
from pipeline.providers.complaints import complaint_of, start_of
from pipeline.providers.meanings import meaning_of, refused

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
    bare: bool
    """So it is, but neither says anything: that proves nothing."""
    asked_at: datetime
    took_s: float
    complaint: tuple[str, str]
    """The code and the words of an answer that is not the one asked for, where the profile says they stand."""

    @property
    def problem(self) -> Problem | None:
        """Why it is not what was asked for; `None`: it is."""
        return self.said.problem if isinstance(self.said, Refusal) else None

    @property
    def words(self) -> str:
        """The answer in a few words."""
        words = _worded(self.reply, self.complaint if isinstance(self.said, Refusal) else ("", ""))
        return f"{words} without a word, as a path that is not there" if self.bare else words


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
    compares = probe.asked is not Asked.STRAY and not barred
    gist, is_alike = _gist(reply, profile), stray is not None and _is_alike(reply, stray, profile)
    return Answer(
        probe=probe,
        reply=reply,
        said=said,
        missing=compares and (reply.status in _NOT_HERE or (is_alike and any(gist))),
        bare=compares and reply.status not in _NOT_HERE and is_alike and not any(gist),
        asked_at=asked_at,
        took_s=took_s,
        complaint=complaint_of(reply, profile),
    )


def words_of(reply: Reply, profile: Profile) -> str:
    """An answer in a few words: `HTTP 404 task_not_exist: no such task`."""
    return _worded(reply, complaint_of(reply, profile))


def _worded(reply: Reply, complaint: tuple[str, str]) -> str:
    if 300 <= reply.status < 400:
        return f"HTTP {reply.status} to {reply.headers.get('location', 'nowhere').partition('?')[0][:120]}"
    code, message = complaint
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


def _is_alike(reply: Reply, stray: Reply, profile: Profile) -> bool:
    return reply.status == stray.status and _gist(reply, profile) == _gist(stray, profile)


def _gist(reply: Reply, profile: Profile) -> tuple[str, str]:
    """Its complaint without what differs from request to request."""
    code, message = complaint_of(reply, profile)
    if not (code or message):
        message = start_of(reply)
    return code, " ".join(_METHOD.sub("", _OF_THIS_REQUEST.sub("", message)).lower().split())
