"""What the answers say of a profile: what it claims, what was found, and the line that would put it right. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from itertools import pairwise

from pipeline.doctor.answers import Answer
from pipeline.doctor.forms import error_form, known_form
from pipeline.doctor.probes import Asked
from pipeline.doctor.subject import auth_words
from pipeline.profile import Profile
from pipeline.providers.base import Observation, Page, Problem
from pipeline.providers.meanings import is_foreseen
from pipeline.text import duration, plural

SKEW_S_MAX = 30.0
"""Clocks further apart than this are told of: a video in a list is known to be ours by when it was made."""
_LIMIT_HEADERS = ("x-ratelimit-", "ratelimit", "retry-after")
_KNOWN_OF_ID = (Problem.UNKNOWN_ID, Problem.GONE, Problem.NOT_READY)
_OF_THE_REQUEST = (400, 422)
"""It may have what was asked for, and wants to be asked otherwise."""
_TELLS_NOTHING = (Problem.THROTTLED, Problem.NO_MONEY, Problem.WRONG_ADDRESS)


class Verdict(StrEnum):
    """How what was found stands to what the profile claims."""

    CLAIMED = "as claimed"
    DIFFERS = "differs"
    UNCLEAR = "unclear"
    BARRED = "barred"  # there is no getting further: not reached, or the key is refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found out."""

    about: str
    verdict: Verdict
    found: str
    claimed: str = ""
    """What the profile says of it; empty: nothing."""
    change: str = ""
    """The line for a profile of one's own that says what was found."""


def findings_of(answers: Mapping[Asked, Answer], profile: Profile, address: str = "") -> Iterator[Finding]:
    """What all *answers* from *address* say, in the order in which a person reads it."""
    asked = [answers[one] for one in (Asked.LIST, Asked.STATUS, Asked.CONTENT) if one in answers]
    refused = [answer for answer in asked if answer.problem is Problem.BAD_KEY]
    if refused and len(refused) == sum(not answer.missing for answer in asked):
        yield _key_refused(refused[0], profile)
        return
    elsewhere = list(_wrong_place(asked, profile, address))
    yield from elsewhere
    for answer in asked:
        for finding in _JUDGES[answer.probe.asked](answer, profile):
            yield replace(finding, change="") if elsewhere else finding  # no line mends what speaks another API
    if answers:
        yield clock(answers.values(), profile)
        yield limits(answers.values(), profile)


def _key_refused(answer: Answer, profile: Profile) -> Finding:
    asked_for = answer.reply.headers.get("www-authenticate", "")
    wants = f"; it wants: {asked_for[:100]}" if asked_for else ""
    return Finding(
        about="key",
        verdict=Verdict.BARRED,
        claimed=auth_words(profile),
        found=f"refused, {answer.words}{wants}",
        change="auth: …, where the key is right and belongs elsewhere (bearer, raw, none, {header: …})",
    )


def _wrong_place(asked: Sequence[Answer], profile: Profile, address: str) -> Iterator[Finding]:
    """Where it looks as if the API were not at this address."""
    change, verdict, base = "", Verdict.DIFFERS, profile.base_path
    other_end = "" if address.endswith(base) else f" Or does the address end otherwise, as with {base}?"
    led_away = next((one for one in asked if one.problem is Problem.WRONG_ADDRESS), None)
    if led_away and led_away.probe.asked is not Asked.CONTENT:
        found = f"it leads elsewhere, which no submit follows: {led_away.words}"
        change = f"base_url: https://…{profile.base_path}"
    elif lacking := _lacking(asked, profile):
        found = f"this address does not speak this API, {lacking.words}: is it another profile?"
        if lacking.reply.status < 300:  # said of whatever is asked
            found += " Or is the key wrong?"
        if all(answer.missing for answer in asked):
            found += other_end
    elif len(asked) > 1 and all(answer.bare for answer in asked):
        found = f"this address does not speak this API: whatever is asked is answered {asked[0].words}.{other_end}"
    elif asked and all(answer.missing or answer.bare for answer in asked):
        found, verdict = "whatever is asked is answered alike: is the API there?", Verdict.UNCLEAR
    else:
        return
    yield Finding(about="address", verdict=verdict, found=found, change=change)


def _lacking(asked: Sequence[Answer], profile: Profile) -> Answer | None:
    """The answer that shows that the API is not there: each call is missing, or the very one that submits."""
    submits = ("POST", profile.wire.paths["submit"])
    for answer in asked:
        if answer.missing and (answer.probe.request.method, answer.probe.request.path) == submits:
            return answer
    return asked[0] if asked and all(answer.missing for answer in asked) else None


def of_list(answer: Answer, profile: Profile) -> Iterator[Finding]:
    """Whether it lists, and what its rows tell."""
    claims = "lists" if profile.lists else "no list"
    page = answer.said
    if isinstance(page, Page):
        yield _listed(page, claims, profile)
        yield from _rows(page, profile)
        return
    verdict = _undecided(answer) or (Verdict.DIFFERS if profile.lists else Verdict.CLAIMED)
    if verdict is Verdict.CLAIMED and answer.reply.status in _OF_THE_REQUEST:
        verdict = Verdict.UNCLEAR
    found = "no list there" if answer.missing else "no list to be had"
    change = "lists: false" if verdict is Verdict.DIFFERS else ""
    yield Finding(about="list", verdict=verdict, claimed=claims, found=f"{found}, {answer.words}", change=change)


def _listed(page: Page, claims: str, profile: Profile) -> Finding:
    made = [seen.created_at for seen in page.observations if seen.created_at is not None]
    newest_first = all(earlier >= later for earlier, later in pairwise(made))
    order = "" if len(made) < 2 else ", newest first" if newest_first else ", but not newest first"
    found = f"a list: {plural(len(page.observations), 'video')} on its first page{order}"
    if not profile.lists:  # one look cannot show it, and a list with gaps would have videos bought twice
        found += "; whether every video is in it, only its maker can say"
    verdict = Verdict.CLAIMED if profile.lists and newest_first else Verdict.UNCLEAR
    return Finding(about="list", verdict=verdict, claimed=claims, found=found)


def _rows(page: Page, profile: Profile) -> Iterator[Finding]:
    """What differs in what the list tells of videos."""
    if any(not seen.video_id for seen in page.observations):
        found = "rows of the list without an id"
        yield Finding(about="ids", verdict=Verdict.DIFFERS, found=found, change="answers: {id: …}")
    yield from words_known(page.observations)
    yield from retention(page.observations, profile)


def words_known(seen: Iterable[Observation]) -> Iterator[Finding]:
    """Status words that nobody knows; they are read as still running."""
    for word in sorted({one.word.strip().lower() for one in seen if not one.known_word}):
        change = f"status_words: {{{json.dumps(word, ensure_ascii=False)}: …}}"
        found = f"the word '{word}', which is read as still running"
        yield Finding(about="words", verdict=Verdict.DIFFERS, found=found, change=change if word else "answers: …")


def retention(seen: Iterable[Observation], profile: Profile) -> Iterator[Finding]:
    """How long finished videos are kept, where they say so; a promise that is too long loses videos."""
    kept_s = [(one.expires_at - one.created_at).total_seconds() for one in seen if one.expires_at and one.created_at]
    if not kept_s:
        return
    shortest_s = min(kept_s)
    differs = shortest_s + 1 < profile.retention_s  # they are whole seconds
    yield Finding(
        about="kept",
        verdict=Verdict.DIFFERS if differs else Verdict.CLAIMED,
        claimed=f"a finished video is kept for {duration(profile.retention_s)}",
        found=f"{duration(shortest_s)} from its submit to its end",
        change=f"retention_s: {max(shortest_s, 1):.0f}" if differs else "",
    )


def of_status(answer: Answer, profile: Profile) -> Iterator[Finding]:
    """Whether there is a status to ask for, and what an id that is not known looks like."""
    by_status = profile.wire.looks == "status"
    claims = "a status" if by_status else "content only"
    if (verdict := _undecided(answer)) is not None:
        yield Finding(about="status", verdict=verdict, claimed=claims, found=answer.words)
    elif answer.missing:
        verdict = Verdict.DIFFERS if by_status else Verdict.CLAIMED
        change = "looks: content" if by_status else ""
        found = f"no status there, {answer.words}"
        yield Finding(about="status", verdict=verdict, claimed=claims, found=found, change=change)
    elif not by_status:
        found = f"a status can be asked for, {answer.words}"
        yield Finding(about="status", verdict=Verdict.DIFFERS, claimed=claims, found=found, change="looks: status")
    else:
        yield _of_unknown_id("status", "look", claims, answer, profile)


def of_content(answer: Answer, profile: Profile) -> Iterator[Finding]:
    """What is said of content that is not there."""
    call, claims = profile.wire.content_in, "content"
    if (verdict := _undecided(answer)) is not None:
        yield Finding(about="content", verdict=verdict, claimed=claims, found=answer.words)
    elif answer.missing:
        found, change = f"no content there, {answer.words}", "paths: {content: …}"
        yield Finding(about="content", verdict=Verdict.DIFFERS, claimed=claims, found=found, change=change)
    else:
        yield _of_unknown_id("content", call, claims, answer, profile)


def _of_unknown_id(about: str, call: str, claims: str, answer: Answer, profile: Profile) -> Finding:
    problem = answer.problem
    if problem in _KNOWN_OF_ID:
        seen, known = error_form(answer.reply.body, profile), known_form(problem, call, profile)
        as_known = seen == known or is_foreseen(answer.reply, call, profile)
        told = "just so" if seen == known else f"unknown ids as {seen}"
        return Finding(
            about=about,
            verdict=Verdict.CLAIMED if as_known else Verdict.UNCLEAR,
            claimed=f"{claims}, unknown ids as {known}",
            found=f"{told}, HTTP {answer.reply.status}, read as '{problem}'",
        )
    if problem is None:
        found = f"{answer.words} of an id that no video has"
        return Finding(about=about, verdict=Verdict.UNCLEAR, claimed=claims, found=found)
    found = f"an unknown id is answered {answer.words}, which is not read as such"
    return Finding(about=about, verdict=Verdict.DIFFERS, claimed=claims, found=found, change=_rule(call, answer))


def _rule(call: str, answer: Answer) -> str:
    """The rule that would read it, in YAML; empty where it would be said of other answers, too: a video given up."""
    code, message = answer.complaint
    if answer.reply.status < 400 or not (code or message):
        return ""
    tells = f"code: {json.dumps(code)}" if code else f"text: {json.dumps(message[:40], ensure_ascii=False)}"
    return f"problems: [{{to: {call}, http: {answer.reply.status}, {tells}, means: unknown_id}}]"


def _undecided(answer: Answer) -> Verdict | None:
    """Where the answer says nothing of the call: not now, not here, or a fault."""
    if answer.missing:
        return None
    if answer.bare:
        return Verdict.UNCLEAR
    is_fault = answer.reply.status >= 500 and answer.problem is Problem.TROUBLE
    return Verdict.UNCLEAR if is_fault or answer.problem in _TELLS_NOTHING else None


def clock(answers: Iterable[Answer], profile: Profile) -> Finding:
    """How far their clock is from ours, by the answer that tells it best."""
    apart = [apart for answer in answers if (apart := _apart_s(answer)) is not None]
    if not apart:
        return Finding(about="clock", verdict=Verdict.UNCLEAR, found="no answer has a date")
    apart_s = min(apart, key=abs)
    if abs(apart_s) <= SKEW_S_MAX:
        return Finding(about="clock", verdict=Verdict.CLAIMED, found=f"{abs(apart_s):.0f} s apart from ours")
    where = "ahead of" if apart_s > 0 else "behind"
    found = f"theirs is {duration(abs(apart_s))} {where} ours"
    if not profile.lists:
        found += "; only its `expires_at` is read by it"
        return Finding(about="clock", verdict=Verdict.UNCLEAR, found=found)
    found += ", and lost submits are found by when they were made: set the one that is wrong"
    return Finding(about="clock", verdict=Verdict.DIFFERS, found=found, claimed=f"at most {SKEW_S_MAX:g} s apart")


def _apart_s(answer: Answer) -> float | None:
    """Their second less the moment of ours at which it may have been told; 0 within the time that it took."""
    theirs = _moment(answer.reply.headers.get("date", ""))
    if theirs is None:
        return None
    early_s = (theirs - answer.asked_at).total_seconds()
    late_s = early_s - answer.took_s
    if early_s < 0:  # a date has whole seconds
        return min(early_s + 1, 0.0)
    return max(late_s, 0.0)


def _moment(date: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def limits(answers: Iterable[Answer], profile: Profile) -> Finding:
    """Limits that headers tell of, in their own words (there is a draft for them, and many customs)."""
    told = {
        name: value[:40]
        for answer in answers
        for name, value in answer.reply.headers.items()
        if name.startswith(_LIMIT_HEADERS)
    }
    if not told:
        return Finding(about="limits", verdict=Verdict.CLAIMED, found="no header tells of any")
    found = ", ".join(f"{name}: {value}" for name, value in sorted(told.items())[:6])
    claimed = f"{profile.limits.in_flight} in flight, {profile.limits.submits_per_minute:g} submits a minute"
    return Finding(about="limits", verdict=Verdict.CLAIMED, claimed=claimed, found=found)


_JUDGES = {Asked.LIST: of_list, Asked.STATUS: of_status, Asked.CONTENT: of_content}


def exit_code_of(findings: Sequence[Finding]) -> int:
    """0: all as claimed; 1: something differs; 3: there was no getting further."""
    verdicts = {finding.verdict for finding in findings}
    return 3 if Verdict.BARRED in verdicts else 1 if Verdict.DIFFERS in verdicts else 0
