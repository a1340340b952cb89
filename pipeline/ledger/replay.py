"""From records to what they add up to. A record that cannot be true is refused, and then nothing has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from pipeline.ledger.afterwards import take_note
from pipeline.ledger.fields import HEADER, NOTE, PLAN, READING, REPAIRED, WISH_FIELDS
from pipeline.ledger.records import BadRecord, Record, amount, moment
from pipeline.ledger.state import Attempt, Header, JobState, Wish, reference_of
from pipeline.lifecycle import Fact, State, after
from pipeline.model import Link

Fields: TypeAlias = Mapping[str, Any]
"""The fields of one record, as `records.check` let them through."""


class RunState:
    """What a run's records add up to: `apply` them in order, read the rest."""

    def __init__(self) -> None:
        self.header: Header | None = None
        self.jobs: dict[str, JobState] = {}
        """By key, in the order in which they were first planned."""
        self.spent = Decimal(0)
        """The known prices of all POSTs that were or may have been accepted."""
        self.unpriced = 0
        """How many more of those POSTs there are, whose price is not known."""
        self.counts: dict[State, int] = dict.fromkeys(State, 0)
        self.reading = ""
        """The digest of how the manifest was read that was run last; empty where no run has said."""
        self.records = 0
        self.began_at: datetime | None = None
        self.last_at: datetime | None = None

    def apply(self, record: Record) -> None:
        """Take in *record*. Raises `ImpossibleFact` or `BadRecord`; then nothing has changed."""
        kind = record.type
        if self.header is None and kind not in (HEADER, NOTE):
            raise BadRecord("there is no header before it")
        if fact := _FACTS.get(kind):
            self._take_fact(fact, record)
        elif kind == PLAN:
            self._take_plan(record.fields)
        elif kind == HEADER:
            self._take_header(record)
        elif kind == REPAIRED:
            self._take_repair(record)
        elif kind == NOTE:
            self._take_note(record)
        self.records += 1
        self.began_at = self.began_at or record.at
        self.last_at = record.at

    def job(self, key: str) -> JobState:
        """The job of *key*. Raises `BadRecord` for one that was never planned."""
        try:
            return self.jobs[key]
        except KeyError:
            raise BadRecord(f"job '{key[:40]}' was never planned") from None

    def _take_note(self, record: Record) -> None:
        what, text = record.fields["what"], record.fields["text"]
        if what == READING:
            self.reading = text
        else:
            take_note(self.jobs, what, text, record.at)

    def _take_header(self, record: Record) -> None:
        header = Header(**record.fields)
        if self.header is not None and header.run != self.header.run:
            raise BadRecord("it belongs to another run")
        self.header = header

    def _take_plan(self, fields: Fields) -> None:
        key, wish, price = fields["job"], _wish(fields["wish"]), amount(fields["price"])
        job = self.jobs.get(key)
        if job is None:
            path = fields["path"]
            job = JobState(key=key, wish=wish, id=fields["id"], path=path, planned_path=path, price=price)
            self.jobs[key] = job
            self.counts[job.state] += 1
            return
        job.wish, job.id, job.price, job.planned_path = wish, fields["id"], price, fields["path"]
        if job.state is not State.STORED:
            job.path = job.planned_path

    def _take_repair(self, record: Record) -> None:
        """A record of this job was lost: an attempt may have been made of which no more is known."""
        job, number = self.job(record.fields["job"]), record.fields["attempt"]
        if number not in (job.attempt, job.attempt + 1) or number < 1:
            raise BadRecord(f"it says attempt {number} after attempt {job.attempt}")
        if number > job.attempt:
            self._reckon(job, _begin(job, record))
        elif not job.attempts[-1].counts:
            self._reckon(job, 1)
        _conclude(job, record, Fact.UNCERTAIN)
        self._move(job, State.UNCERTAIN, record)

    def _take_fact(self, fact: Fact, record: Record) -> None:
        fields = record.fields
        job = self.job(fields["job"])
        state = after(job.state, fact)
        number = fields.get("attempt")
        if number is not None and number != (expected := job.attempt + (fact is Fact.INTENT)):
            raise BadRecord(f"it says attempt {number} where attempt {expected} is due")
        if (effect := _EFFECTS.get(fact)) and (change := effect(job, record)):
            self._reckon(job, change)
        self._move(job, state, record)

    def _reckon(self, job: JobState, change: int) -> None:
        """Count the latest attempt (1), or do so no longer (-1)."""
        latest = job.attempts[-1]
        latest.counts = change > 0
        if latest.price is None:
            self.unpriced += change
        else:
            self.spent += latest.price if change > 0 else -latest.price

    def _move(self, job: JobState, state: State, record: Record) -> None:
        job.reason = "" if record.type == Fact.UNBLOCKED else record.fields.get("reason", "")  # it waits for none now
        job.code = record.fields.get("code", "")
        job.changed_at = record.at
        if state is not job.state:
            self.counts[job.state] -= 1
            self.counts[state] += 1
            job.state = state


def _begin(job: JobState, record: Record) -> int:
    fields = record.fields
    price = amount(fields["price"])
    job.forget_video()
    job.attempts.append(
        Attempt(
            number=job.attempt + 1,
            price=price,
            submitted_at=record.at,
            origin=fields["origin"],
            idempotency_key=fields.get("key", ""),
            body_sha256=fields.get("body_sha256", ""),
            made_from=fields.get("made_from", ""),
        )
    )
    return 1


def _conclude(job: JobState, record: Record, outcome: Fact) -> None:
    latest = job.attempts[-1]
    latest.outcome, latest.ended_at = outcome, record.at
    latest.reason = record.fields.get("reason", latest.reason)


def _made_nothing(job: JobState, record: Record) -> int:
    _conclude(job, record, _FACTS[record.type])
    return -1


def _stays_uncertain(job: JobState, record: Record) -> int:
    _conclude(job, record, _FACTS[record.type])
    job.raw = record.fields.get("raw", job.raw)
    return 0


def _accepted(job: JobState, record: Record) -> int:
    fields = record.fields
    expires_at = _time(fields)
    _conclude(job, record, _FACTS[record.type])
    latest = job.attempts[-1]
    job.video_id = latest.video_id = fields["video_id"]
    latest.origin = fields["origin"]
    job.request_id, job.raw = fields.get("request_id", ""), fields.get("raw", job.raw)
    job.accepted_at, job.expires_at = record.at, expires_at
    return 0


def _seen(job: JobState, record: Record) -> int:
    job.word = record.fields["word"]
    job.progress = record.fields.get("progress", job.progress)
    return 0


def _finished(job: JobState, record: Record) -> int:
    job.expires_at = _time(record.fields) or job.expires_at
    job.word = record.fields["word"]
    job.finished_at = job.finished_at or record.at
    return 0


def _stored(job: JobState, record: Record) -> int:
    fields = record.fields
    job.path, job.bytes, job.sha256 = fields["path"], fields["bytes"], fields["sha256"]
    job.etag = fields.get("etag", "")
    job.media_seconds, job.media_size = fields.get("seconds"), fields.get("size", "")
    job.stored_at = record.at
    return 0


def _missing(job: JobState, _: Record) -> int:
    job.forget_file()
    return 0


def _time(fields: Fields) -> datetime | None:
    text = fields.get("expires_at")
    try:
        return None if text is None else moment(text)
    except ValueError as error:
        raise BadRecord(str(error)) from None


def _wish(fields: Fields) -> Wish:
    try:
        wish = Wish(**fields)
    except TypeError as error:
        raise BadRecord(f"'wish' is not whole: {error}") from None
    if (shape := (*map(type, wish),)) not in _GOOD_WISHES:
        for name, value in fields.items():
            if value.__class__ not in WISH_FIELDS[name].kinds:
                raise BadRecord(f"'wish' cannot hold '{name}' like that")
        _GOOD_WISHES.add(shape)
    if wish.link or wish.source or wish.reference:
        _check_inputs(wish)
    return wish


def _check_inputs(wish: Wish) -> None:
    """Whether what a wish builds on is told whole. Raises `BadRecord`."""
    if bool(wish.link) != bool(wish.source) or wish.link not in ("", *Link):
        raise BadRecord("'wish' does not say how it builds on what")
    try:
        reference_of(wish)
    except TypeError as error:
        raise BadRecord(f"'reference' of 'wish' is not whole: {error}") from None


_FACTS: Mapping[str, Fact] = {str(fact): fact for fact in Fact}

_EFFECTS: Mapping[Fact, Callable[[JobState, Record], int]] = {
    Fact.INTENT: _begin,
    Fact.NOT_SENT: _made_nothing,
    Fact.THROTTLED: _made_nothing,
    Fact.TURNED_AWAY: _made_nothing,
    Fact.REJECTED: _made_nothing,
    Fact.NOT_CREATED: _made_nothing,
    Fact.ACCEPTED: _accepted,
    Fact.ADOPTED: _accepted,
    Fact.UNCERTAIN: _stays_uncertain,
    Fact.RESUBMIT: _stays_uncertain,
    Fact.STATUS: _seen,
    Fact.FINISHED: _finished,
    Fact.STORED: _stored,
    Fact.MISSING: _missing,
}
"""What a fact changes besides the state and its reason (the others: nothing).

Each returns what it makes of the latest attempt: it counts now (1), counts no longer (-1), or as before (0).
"""

_GOOD_WISHES: set[tuple[type, ...]] = set()
"""The kinds of values of wishes that were let through."""

__all__ = ["JobState", "RunState"]
