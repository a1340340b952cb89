"""What is known without an answer: address, key, retirement, and the connection that was made. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from pipeline.doctor.findings import Finding, Verdict
from pipeline.doctor.subject import STARTED_BY_US, Subject, auth_words
from pipeline.providers.access import own_address
from pipeline.providers.retirement import is_retired, retirement
from pipeline.transport.reach import Reached

CERTIFICATE_DAYS_MIN = 14
"""With fewer days left, somebody should know."""


def standing(subject: Subject, base_url: str, *, today: date) -> Iterator[Finding]:
    """Where *subject* is and what proves who we are, by whose word."""
    profile = subject.profile
    where = subject.address_from if subject.address_from == STARTED_BY_US else f"from {subject.address_from}"
    yield Finding(about="address", verdict=Verdict.CLAIMED, found=f"{base_url}, {where}")
    if words := retirement(profile, base_url, today):
        refused = "; a run is refused without --allow-retired" if is_retired(profile, base_url, today) else ""
        elsewhere = bool(profile.base_url) and base_url != own_address(profile)
        verdict = Verdict.CLAIMED if elsewhere else Verdict.UNCLEAR
        yield Finding(about="retired", verdict=verdict, found=f"{words}{refused}")
    if not profile.wire.auth.header:
        yield Finding(about="key", verdict=Verdict.CLAIMED, claimed=auth_words(profile), found="none is sent")
    else:
        by = subject.key_from if subject.key_from == STARTED_BY_US else f"from {subject.key_from}"
        yield Finding(about="key", verdict=Verdict.CLAIMED, claimed=auth_words(profile), found=f"there, {by}")


def connection(way: Reached, *, now: datetime) -> Finding:
    """What the connection showed."""
    took = f"{way.address} in {way.took_s * 1000:.0f} ms"
    if not way.tls:
        return Finding(about="way", verdict=Verdict.CLAIMED, found=f"{took}, {way.newest_http}, no TLS on this machine")
    days = (way.certified_until - now).days if way.certified_until else None
    certified = "" if days is None else f", certificate good for {days} days"
    found = f"{took}, {way.tls}{certified}, speaks {way.newest_http}"
    is_short = days is not None and days < CERTIFICATE_DAYS_MIN
    return Finding(about="way", verdict=Verdict.UNCLEAR if is_short else Verdict.CLAIMED, found=found)
