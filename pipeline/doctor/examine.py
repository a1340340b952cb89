"""Asking the free questions, one after the other, each told before it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from pipeline.doctor.answers import Answer, answer_of
from pipeline.doctor.findings import Finding, Verdict, findings_of
from pipeline.doctor.probes import Asked, Probe, free_probes
from pipeline.doctor.standing import connection, standing
from pipeline.doctor.subject import Subject
from pipeline.errors import ProviderError
from pipeline.providers.access import Access, access
from pipeline.providers.base import Reply
from pipeline.providers.registry import dialect_of
from pipeline.sandbox.ids import new_id

if TYPE_CHECKING:
    from pipeline.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A question on its way, or answered."""

    method: str
    url: str
    """With its query, which has what the profile states of it; whoever shows it takes secrets out."""
    why: str
    http: int | None = None
    """Of the answer; `None`: there is none (yet)."""
    took_s: float | None = None
    failure: str = ""
    """Why there is no answer, in words."""


Told = Callable[[Asking], object]
"""Is told each question twice: before it is sent, and with its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an examination takes from outside."""

    now: Callable[[], datetime]
    chance: Random
    told: Told


async def examine(subject: Subject, reached: Access, outside: Surroundings) -> list[Finding]:
    """Ask all that is free of *subject*, which is at *reached*, and say what it showed."""
    from pipeline.transport import connect

    found = list(standing(subject, reached.base_url, today=outside.now().date()))
    way = await _way(subject, reached, outside)
    found.append(way)
    if way.verdict is Verdict.BARRED:
        return found
    async with connect(reached, submits=1, downloads=1) as transport:
        answers, failed = await _ask_all(subject, reached, transport, outside)
    return found + failed + list(findings_of(answers, subject.profile, reached.base_url))


async def _way(subject: Subject, reached: Access, outside: Surroundings) -> Finding:
    """Whether there is a way: behind a proxy only an answer shows it."""
    from pipeline.transport.reach import reach

    if subject.proxy:
        return Finding(about="way", verdict=Verdict.CLAIMED, found=f"through the proxy {subject.proxy}")
    outside.told(Asking(method="CONNECT", url=reached.base_url, why="is there a way, and a sound certificate?"))
    try:
        return connection(await reach(reached.base_url), now=outside.now())
    except ProviderError as error:
        return Finding(about="way", verdict=Verdict.BARRED, found=str(error))


async def _ask_all(
    subject: Subject, reached: Access, transport: Transport, outside: Surroundings
) -> tuple[Mapping[Asked, Answer], list[Finding]]:
    profile, dialect = subject.profile, dialect_of(subject.profile)
    nobodys = new_id(profile.rehearsal.id, profile.default_model, outside.chance)
    answers: dict[Asked, Answer] = {}
    failed: list[Finding] = []
    for probe in free_probes(profile, dialect, nobodys):
        asked_at = outside.now()
        try:
            reply, took_s = await ask(probe, reached, transport, outside)
        except ProviderError as error:
            failed.append(Finding(about=probe.asked, verdict=Verdict.UNCLEAR, found=f"no answer: {error}"))
            continue
        stray = answers[Asked.STRAY].reply if Asked.STRAY in answers else None
        answers[probe.asked] = answer_of(
            probe, reply, stray, profile=profile, dialect=dialect, asked_at=asked_at, took_s=took_s
        )
    if not answers:
        failed.append(Finding(about="way", verdict=Verdict.BARRED, found="nothing that was asked was answered"))
    return answers, failed


async def ask(probe: Probe, reached: Access, transport: Transport, outside: Surroundings) -> tuple[Reply, float]:
    """The answer, and how long it took in seconds. Raises `ProviderError`."""
    import anyio

    request = probe.request
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    asking = Asking(method=request.method, url=f"{reached.base_url}{request.path}{query and '?'}{query}", why=probe.why)
    outside.told(asking)
    began_s = anyio.current_time()
    try:
        reply = await transport.look(request)
    except ProviderError as error:
        outside.told(_answered(asking, failure=str(error)))
        raise
    took_s = anyio.current_time() - began_s
    outside.told(_answered(asking, http=reply.status, took_s=took_s))
    return reply, took_s


def _answered(asking: Asking, *, http: int | None = None, took_s: float | None = None, failure: str = "") -> Asking:
    return Asking(method=asking.method, url=asking.url, why=asking.why, http=http, took_s=took_s, failure=failure)


@asynccontextmanager
async def provider(subject: Subject, folder: Path) -> AsyncIterator[Access]:
    """The provider of *subject*, at its address, or started by us over *folder*. Raises as `sandbox.embedded` does."""
    if subject.address:
        yield access(subject.address, subject.key, subject.profile)
        return
    from pipeline.sandbox.embedded import embedded

    async with embedded(folder, subject.choice.options) as server:
        yield access(server.base_url, server.key, subject.profile)
