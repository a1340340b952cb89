"""The course of a run: when each attempt went through which lane, and what went wrong on the way.

The state of a job knows its latest video alone; who draws or explains what happened needs the earlier ones, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pipeline.errors import UsageError
from pipeline.ledger.fields import REPAIRED
from pipeline.ledger.place import ledger_of
from pipeline.ledger.records import Record
from pipeline.ledger.replay import RunState
from pipeline.ledger.scan import scan
from pipeline.lifecycle import Fact
from pipeline.memory import garbage_left_alone

QUIET_S: Final = 1800.0
"""Nobody was at work where no fact was written for longer."""
_QUIET: Final = timedelta(seconds=QUIET_S)

TROUBLES: Final = frozenset(
    {
        *(Fact.REJECTED, Fact.FAILED, Fact.EXPIRED, Fact.LOST, Fact.UNCERTAIN, Fact.STALLED, Fact.THROTTLED),
        *(Fact.TURNED_AWAY, Fact.NOT_SENT, Fact.DOWNLOAD_FAILED, Fact.MISSING),
    }
)
"""Facts that nobody wished for."""


@dataclass(slots=True, kw_only=True)
class Passage:
    """One attempt on its way through the lanes. Times are aware; `None`: it did not come so far."""

    job: str
    """The job's key."""
    number: int
    """Of the attempt."""
    submitted_at: datetime
    accepted_at: datetime | None = None
    finished_at: datetime | None = None
    stored_at: datetime | None = None
    """When its video was stored for the first time."""
    ended_at: datetime | None = None
    end: Fact | None = None
    """What ended it without a video, as far as is known; `None`: nothing has."""
    adopted: bool = False
    """Its id became known long after the submit, perhaps: nobody saw when its rendering began."""


class Course:
    """What the facts of a run tell of times: give every record to `take`, in order."""

    def __init__(self) -> None:
        self.passages: list[Passage] = []
        """In the order of their submits."""
        self.troubles: Counter[tuple[str, Fact, str]] = Counter()
        """How often what went wrong, by the job's key, the fact, and its code, or its reason where it has none."""
        self.busy: list[tuple[datetime, datetime]] = []
        """From when until when facts were written, without a pause longer than `QUIET_S`."""
        self._latest: dict[str, Passage] = {}

    def take(self, record: Record) -> None:
        """Take in *record*; what is no fact tells nothing."""
        fact = _FACTS.get(record.type)
        if fact is None:
            return
        self._mark_busy(record.at)
        fields = record.fields
        if fact in TROUBLES:
            self.troubles[fields["job"], fact, fields.get("code") or fields["reason"]] += 1
        if record.type in (Fact.INTENT, REPAIRED):
            self._begin(record)
        if (move := _MOVES.get(fact)) is not None and (passage := self._latest.get(fields["job"])) is not None:
            move(passage, record)

    def _mark_busy(self, at: datetime) -> None:
        if not self.busy or at - self.busy[-1][1] > _QUIET:
            self.busy.append((at, at))
        elif at > self.busy[-1][1]:  # a clock that was put back makes nothing earlier
            self.busy[-1] = self.busy[-1][0], at

    def _begin(self, record: Record) -> None:
        """A new attempt; a repair may also tell the end of the one that is known."""
        job, number = record.fields["job"], record.fields["attempt"]
        if job not in self._latest or number > self._latest[job].number:
            self._latest[job] = Passage(job=job, number=number, submitted_at=record.at)
            self.passages.append(self._latest[job])


def read_course(run: Path) -> tuple[RunState, Course]:
    """What the ledger of *run* adds up to now, and its course, in one pass and without the lock: see `read_run`.

    Raises `UsageError` where there is no ledger, and `LedgerDamaged`.
    """
    path, state, course = ledger_of(run), RunState(), Course()

    def take(record: Record) -> None:
        state.apply(record)
        course.take(record)

    try:
        with path.open("rb") as file, garbage_left_alone():
            scan(file, path, take)
    except OSError as error:
        raise UsageError(f"{path}: the ledger cannot be read: {error}") from error
    return state, course


def _accept(passage: Passage, record: Record) -> None:
    passage.accepted_at, passage.adopted = record.at, record.type == Fact.ADOPTED
    passage.ended_at = passage.end = None


def _look(passage: Passage, _: Record) -> None:
    """What was given up is under way after all."""
    if passage.end is not None:
        passage.ended_at = passage.end = None


def _finish(passage: Passage, record: Record) -> None:
    _look(passage, record)
    passage.finished_at = passage.finished_at or record.at


def _store(passage: Passage, record: Record) -> None:
    passage.stored_at = passage.stored_at or record.at


def _end(passage: Passage, record: Record) -> None:
    passage.ended_at = passage.ended_at or record.at
    if passage.end in (None, Fact.STALLED, Fact.UNCERTAIN):  # a later fact says more than these
        passage.end = _FACTS[record.type]


_FACTS: Mapping[str, Fact] = {**{str(fact): fact for fact in Fact}, REPAIRED: Fact.UNCERTAIN}

_MOVES: Mapping[Fact, Callable[[Passage, Record], None]] = {
    Fact.ACCEPTED: _accept,
    Fact.ADOPTED: _accept,
    Fact.STATUS: _look,
    Fact.FINISHED: _finish,
    Fact.STORED: _store,
    **dict.fromkeys(
        (
            *(Fact.NOT_SENT, Fact.THROTTLED, Fact.TURNED_AWAY, Fact.REJECTED, Fact.UNCERTAIN, Fact.NOT_CREATED),
            *(Fact.FAILED, Fact.EXPIRED, Fact.LOST, Fact.STALLED, Fact.DROPPED),
        ),
        _end,
    ),
}
"""What a fact changes of the latest passage of its job (the others: nothing)."""
