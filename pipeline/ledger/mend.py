"""Making a sound history of a damaged one. Pure: the lines that can be read in, records that follow one another out.

A lost record may have been anything: an intent, an id, an end. So the rule is: what is shown by the records that are
left is kept, a job that holds an id is looked at again, and a job of which an attempt may have been lost becomes
uncertain, never pending. What was bridged says so, with the type `repaired` or with `how: repair`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.ledger.fields import FORMAT, HEADER, NOTE, PLAN, REPAIRED
from pipeline.ledger.records import BadRecord, Record, Value, decode, is_whole, plain
from pipeline.ledger.replay import JobState, RunState
from pipeline.lifecycle import Fact, ImpossibleFact, State
from pipeline.model import JSON
from pipeline.version import __version__

_HOW = "repair: other records show it"
_READABLE = re.compile(rb'"t":"(\w+)".*?"at":"[^"]*"(?:,"job":"([^"\\]+)")?', re.DOTALL)

_HOLDS_AN_ID = frozenset({State.IN_FLIGHT, State.STALLED, State.FINISHED, State.STORED})
_SIGHTINGS = frozenset(
    {
        Fact.STATUS,
        Fact.FINISHED,
        Fact.FAILED,
        Fact.EXPIRED,
        Fact.LOST,
        Fact.STALLED,
        Fact.DOWNLOAD_FAILED,
        Fact.STORED,
        Fact.MISSING,
        Fact.UNFIT,
    }
)
"""Facts about a video that has an id."""
_MADE_NOTHING = frozenset({Fact.NOT_SENT, Fact.THROTTLED, Fact.TURNED_AWAY, Fact.REJECTED})
_SETTLING = frozenset({Fact.ADOPTED, Fact.NOT_CREATED, Fact.RESUBMIT, Fact.DROPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What can be read of a damaged ledger."""

    records: tuple[Record, ...]
    """By number, each once."""
    lost: int
    """How many records are missing, as far as the numbers tell."""
    last_lost: int
    """The number of the last one that is missing; 0 where none is."""
    concerned: frozenset[str] | None
    """The keys of the jobs that the lost records were about; `None` where that cannot be told."""

    @property
    def is_sound(self) -> bool:
        return not self.lost


def find(lines: Iterable[bytes]) -> Findings:
    """Read what can be read. A torn tail is no loss: nobody acted upon it."""
    records: dict[int, Record] = {}
    broken: list[bytes] = []
    for line in lines:
        record = _read(line) or _read(line + b"\n")
        if record is None:
            broken.append(line)
        else:
            records.setdefault(record.n, record)
            last_good = len(broken)
    tail = [line for line in broken[last_good if records else 0 :] if line.endswith(b"\n") and b"\0" not in line]
    top = max(records, default=0)
    missing = [n for n in range(1, top + 1) if n not in records]
    lost = len(missing) + len(tail)
    return Findings(
        records=tuple(records[n] for n in sorted(records)),
        lost=lost,
        last_lost=top + len(tail) if tail else max(missing, default=0),
        concerned=_concerned(broken[: last_good if records else 0] + tail, lost),
    )


def _read(line: bytes) -> Record | None:
    try:
        return decode(line) if is_whole(line) else None
    except BadRecord:
        return None


def _concerned(broken: list[bytes], lost: int) -> frozenset[str] | None:
    """Whom the lost records were about, where every one of them can still be read so far."""
    found = [_READABLE.search(line) for line in broken]
    if len(found) < lost or not all(found):
        return None
    keys = {(match[1].decode(), match[2]) for match in found if match}
    if any(key is None and kind not in (HEADER, NOTE) for kind, key in keys):
        return None
    return frozenset(key.decode("ascii", "replace") for kind, key in keys if key is not None and kind != PLAN)


@dataclass(slots=True, kw_only=True)
class Mended:
    """A history that is sound again."""

    state: RunState = field(default_factory=RunState)
    records: list[Record] = field(default_factory=list)
    doubted: set[str] = field(default_factory=set)
    """The keys of the jobs that became uncertain, if only for a while."""

    def add(self, kind: str, at: datetime, fields: Mapping[str, Value]) -> None:
        """Take in a record as the next one. Raises as `RunState.apply`."""
        record = Record(len(self.records) + 1, str(kind), at, plain(kind, fields))
        self.state.apply(record)
        self.records.append(record)

    def doubt(self, job: JobState, attempt: int, at: datetime, reason: str) -> None:
        """Make *job* uncertain in its attempt number *attempt*."""
        while job.attempt < attempt or job.state is not State.UNCERTAIN:
            number = min(job.attempt + 1, attempt) if job.attempt < attempt else attempt
            again = number == job.attempt
            price = job.attempts[-1].price if again else job.price
            origin = job.origin if again or self.state.header is None else self.state.header.origin
            fields: dict[str, Value] = {
                "job": job.key,
                "attempt": number,
                "origin": origin,
                "price": price,
                "reason": reason,
            }
            self.add(REPAIRED, at, fields)
        self.doubted.add(job.key)


def mend(findings: Findings, *, at: datetime, run: str) -> Mended:
    """A sound history from what was found. *run* is the run's id where no header is left.

    It begins with a header of our format, as old as what it heads: the one that stood before a record that needs it may
    be what was lost.
    """
    mended = Mended()
    mended.add(HEADER, findings.records[0].at if findings.records else at, _header(findings, run))
    for record in findings.records:
        _take(mended, record)
    _doubt_the_silent(mended, findings, at)
    mended.add(NOTE, at, {"what": "repair", "text": f"{findings.lost} records were lost"})
    return mended


def _header(findings: Findings, run: str) -> dict[str, Value]:
    nothing = {"run": run, **dict.fromkeys(("provider", "origin", "currency", "name"), "")}
    known = next((record.fields for record in findings.records if record.type == HEADER), nothing)
    return {**known, "format": FORMAT, "version": __version__}


def _take(mended: Mended, record: Record) -> None:
    try:
        mended.add(record.type, record.at, record.fields)
    except (BadRecord, ImpossibleFact):
        if record.type in Fact.__members__.values():
            _bridge(mended, record)


def _bridge(mended: Mended, record: Record) -> None:
    """Something before *record* was lost: add what it shows to have been, then itself where it can follow."""
    job, fact = _job(mended, record), Fact(record.type)
    if fact is Fact.INTENT:
        _bridge_to_intent(mended, job, record)
    elif fact in _MADE_NOTHING or fact in (Fact.ACCEPTED, Fact.UNCERTAIN):
        _bridge_to_answer(mended, job, record)
    elif fact in _SETTLING:
        if job.state is State.SUBMITTING or (fact is not Fact.DROPPED and job.state is State.PENDING):
            mended.doubt(job, max(job.attempt + (job.state is State.PENDING), 1), record.at, _lost("an outcome"))
            mended.add(fact, record.at, record.fields)
    elif fact in _SIGHTINGS:
        _bridge_to_sighting(mended, job, record)


def _bridge_to_intent(mended: Mended, job: JobState, record: Record) -> None:
    """Attempt n shows that attempt n-1 was settled; how is lost, so it counts as paid."""
    before = record.fields["attempt"] - 1
    if job.attempt > before:
        return
    if job.state is State.BLOCKED:
        mended.add(Fact.UNBLOCKED, record.at, {"job": job.key, "reason": _HOW})
    if before and (job.attempt < before or job.state is not State.PENDING):
        mended.doubt(job, before, record.at, _lost("an outcome"))
        mended.add(Fact.RESUBMIT, record.at, {"job": job.key, "how": _HOW})
    mended.add(Fact.INTENT, record.at, record.fields)


def _bridge_to_answer(mended: Mended, job: JobState, record: Record) -> None:
    """The answer to an attempt whose intent is lost."""
    fields = record.fields
    if fields["attempt"] < job.attempt or job.state in _HOLDS_AN_ID:
        return
    mended.doubt(job, fields["attempt"], record.at, _lost("an intent"))
    settled = {"job": job.key, "how": _HOW}
    if record.type == Fact.ACCEPTED:
        adopted = {**settled, "video_id": fields["video_id"], "origin": fields["origin"]}
        mended.add(Fact.ADOPTED, record.at, adopted)
    elif record.type != Fact.UNCERTAIN:
        mended.add(Fact.NOT_CREATED, record.at, settled)


def _bridge_to_sighting(mended: Mended, job: JobState, record: Record) -> None:
    """Something was seen of a video. Where its id is known it will be looked at again; else the id is lost."""
    if job.state in (State.IN_FLIGHT, State.STALLED) and record.type in (Fact.STORED, Fact.DOWNLOAD_FAILED):
        mended.add(Fact.FINISHED, record.at, {"job": job.key, "word": ""})
        mended.add(record.type, record.at, record.fields)
    elif job.state not in _HOLDS_AN_ID and job.state is not State.UNCERTAIN:
        open_now = job.state is State.SUBMITTING
        mended.doubt(job, job.attempt + (not open_now), record.at, _lost("the video's id"))


def _job(mended: Mended, record: Record) -> JobState:
    """The job of *record*; where its plan is lost, one that stands in until it is planned again."""
    key = record.fields["job"]
    if key not in mended.state.jobs:
        words: dict[str, JSON] = dict.fromkeys(("prompt", "model", "size", "group"), "")
        plan: dict[str, Value] = {
            "job": key,
            "id": key[:12],
            "price": record.fields.get("price"),
            "path": f"{key[:12]}.mp4",
            "wish": {**words, "seconds": 0, "take": 1, "params": {}, "axes": {}, "meta": {}},
        }
        mended.add(PLAN, record.at, plan)
    return mended.state.jobs[key]


def _doubt_the_silent(mended: Mended, findings: Findings, at: datetime) -> None:
    """Jobs that look untouched, and whose attempt may be what was lost."""
    spoke = _last_word(findings.records)
    for job in list(mended.state.jobs.values()):
        touched = job.state is State.PENDING or (job.state is State.BLOCKED and findings.lost > 1)
        concerned = findings.concerned is None or job.key in findings.concerned
        if job.state is State.SUBMITTING:
            mended.doubt(job, job.attempt, at, "the run ended while this request was under way")
        elif touched and concerned and spoke.get(job.key, 0) < findings.last_lost:
            mended.doubt(job, job.attempt + 1, at, _lost("an attempt, perhaps of this job,"))


def _last_word(records: Iterable[Record]) -> dict[str, int]:
    """By key: the number of the last record that shows how many attempts there were. A plan shows that of none."""
    spoke: dict[str, int] = {}
    for record in records:
        key = record.fields.get("job")
        if key is not None and (record.type != PLAN or key not in spoke):
            spoke[key] = record.n
    return spoke


def _lost(what: str) -> str:
    return f"{what} was lost from the ledger, so what was paid is not known"
