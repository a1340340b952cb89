"""Runs that were made up, record by record: a night of so many jobs, with all that goes wrong in one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from pipeline.ledger.course import Course
from pipeline.ledger.fields import FIELDS, FORMAT, HEADER, PLAN
from pipeline.ledger.records import Record
from pipeline.ledger.replay import RunState
from pipeline.lifecycle import Fact
from tests.ledger.histories import BEGINNING, ORIGIN, RUN, SAID, key

Told = tuple[float, int, str, dict[str, Any]]
"""When (seconds after the beginning), of which job, and what."""
KINDS = (("sora-2", "1280x720", 60), ("sora-2-pro", "1280x720", 110), ("sora-2-pro", "1792x1024", 150))
"""A model, a size, and how long a video of it takes, in seconds."""
AN_HOUR = 3600.0


def lived(told: Iterable[Told], jobs: Iterable[dict[str, Any]]) -> tuple[RunState, Course]:
    """What the records of these *jobs* add up to, once all that is *told* has happened to them."""
    state, course = RunState(), Course()
    header = {"format": FORMAT, "run": RUN, "version": "0", "provider": "sandbox", "origin": ORIGIN}
    _take(state, course, HEADER, BEGINNING, {**header, "currency": "USD", "name": "harbour"})
    for number, job in enumerate(jobs):
        _take(state, course, PLAN, BEGINNING, {"job": key(number), **job})
    for after_s, number, kind, fields in sorted(told, key=lambda one: one[0]):
        known = state.jobs[key(number)]
        said: dict[str, Any] = {"job": key(number), **_plain(kind), **fields}
        if kind in _TRIES:
            said["attempt"] = known.attempt + (kind == Fact.INTENT)
        if kind == Fact.INTENT:
            said |= {"origin": ORIGIN, "price": fields.get("price", 0.8)}
        if kind == Fact.UNCERTAIN:
            said["price"] = 0.8
        _take(state, course, kind, BEGINNING + timedelta(seconds=after_s), said)
    return state, course


def job(name: str, model: str = "sora-2", size: str = "1280x720") -> dict[str, Any]:
    """The plan of a job."""
    wish = {"prompt": "a fox", "model": model, "seconds": 8, "size": size, "params": {}, "group": ""}
    wish |= {"take": 1, "axes": {}, "meta": {}}
    return {"id": name, "price": 0.8, "path": f"{name}.mp4", "wish": wish}


def way(number: int, *times_s: float) -> list[Told]:
    """A submit, its acceptance, the finished and the stored video, as far as there are *times_s*."""
    facts = (Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED, Fact.STORED)
    return [(at_s, number, fact, {}) for at_s, fact in zip(times_s, facts, strict=False)]


def night(count: int, chance: Random, *, at_once: int = 24) -> tuple[RunState, Course]:
    """*count* jobs, *at_once* of them at a time, in nights of five hours each, with faults."""
    free = [0.0] * at_once
    told: list[Told] = []
    jobs = []
    for number in range(count):
        model, size, usual_s = KINDS[min(int(chance.expovariate(1.2)), len(KINDS) - 1)]
        jobs.append(job(f"harbour-{number}", model, size))
        slot = free.index(min(free))
        begin_s = _at_night(free[slot])
        free[slot] = _live(told, number, begin_s, chance.gauss(usual_s, usual_s / 5), chance)
    return lived(told, jobs)


def _live(told: list[Told], number: int, at_s: float, render_s: float, chance: Random) -> float:
    """One job of a night, from *at_s* on; when its place is free again."""
    while chance.random() < 0.03:
        told += [(at_s, number, Fact.INTENT, {}), (at_s + 0.4, number, Fact.THROTTLED, {})]
        at_s += 4
    luck, accepted_s, done_s = chance.random(), at_s + chance.uniform(0.3, 1.4), at_s + max(20.0, render_s)
    told += way(number, at_s, accepted_s) if luck > 0.004 else way(number, at_s)
    if luck < 0.002:
        told.append((accepted_s, number, Fact.REJECTED, {}))
        return accepted_s
    if luck < 0.004:
        told.append((accepted_s, number, Fact.UNCERTAIN, {}))
        return accepted_s
    if luck < 0.03:
        code = chance.choice(("moderation_blocked", "moderation_blocked", "internal_error", "timeout"))
        told.append((done_s, number, Fact.FAILED, {"code": code}))
        if luck < 0.012:
            told.append((done_s + 1, number, Fact.RETRY, {}))
            return _live(told, number, done_s + 2, render_s, chance)
        return done_s
    told.append((done_s, number, Fact.FINISHED, {}))
    if luck > 0.98:
        told.append((done_s + 2, number, Fact.DOWNLOAD_FAILED, {}))
    told.append((done_s + chance.uniform(2, 9), number, Fact.STORED, {}))
    return done_s


def _at_night(at_s: float) -> float:
    """No submits after five hours, until the next evening."""
    day, hour_s = divmod(at_s, 24 * AN_HOUR)
    return at_s if hour_s < 5 * AN_HOUR else (day + 1) * 24 * AN_HOUR


_TRIES = {kind for kind, fields in FIELDS.items() if "attempt" in fields}


def _plain(kind: str) -> dict[str, Any]:
    """A believable record of a fact, with times as a ledger holds them."""
    said = SAID[Fact(kind)]
    return {name: None if isinstance(value, (datetime, Decimal)) else value for name, value in said.items() if value}


def _take(state: RunState, course: Course, kind: str, at: datetime, fields: dict[str, Any]) -> None:
    record = Record(state.records + 1, str(kind), at, fields)
    state.apply(record)
    course.take(record)
