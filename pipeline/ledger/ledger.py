"""The ledger of a run: facts in, durable before they are acted upon; the state they add up to, always at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Self

from pipeline.disk import DISK, Disk
from pipeline.errors import LedgerBroken, UsageError
from pipeline.ledger.fields import FORMAT, HEADER, NOTE, PLAN
from pipeline.ledger.journal import Journal
from pipeline.ledger.lock import hold
from pipeline.ledger.place import ledger_of, set_aside
from pipeline.ledger.records import Record, Value, check, encode, plain, to_the_millisecond
from pipeline.ledger.replay import RunState
from pipeline.ledger.reserve import Reserve
from pipeline.ledger.scan import Extent, replay
from pipeline.ledger.settle import cut_off
from pipeline.ledger.state import Header, JobState, wish_of
from pipeline.lifecycle import Fact
from pipeline.model import Job
from pipeline.version import __version__


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class Ledger:
    """All records of a run, with the sole right to add to them. `open` one; close it or use it in `with`.

    Every method that adds raises `ImpossibleFact` or `BadRecord` for what cannot be true (a bug of the caller), and
    then nothing has changed; and `LedgerBroken` once a commit has failed.
    """

    def __init__(self, state: RunState, journal: Journal, now: Callable[[], datetime], held: ExitStack) -> None:
        self.state = state
        """What all records add up to, the not yet durable ones included."""
        self._journal = journal
        self._now = now
        self._held = held

    @classmethod
    def open(
        cls, path: Path, *, now: Callable[[], datetime] = utc_now, disk: Disk = DISK, reserve: bool = False
    ) -> Self:
        """Lock, recover and replay the ledger at *path*, made if missing; its records are durable after this.

        With *reserve*, room is kept for what has to be written on a full disk: who buys something, asks for it.
        Raises `LedgerBusy`, `LedgerDamaged`, `LedgerBroken`, `NoRoom`, and `UsageError` for the format of a later
        version.
        """
        try:
            return cls._open(path, now, disk, reserve)
        except OSError as error:
            raise LedgerBroken(f"{path}: the ledger cannot be opened: {error}") from error

    @classmethod
    def _open(cls, path: Path, now: Callable[[], datetime], disk: Disk, reserve: bool) -> Self:
        with ExitStack() as held:
            disk.make_folder(path.parent)
            held.callback(hold(path, at=now(), disk=disk).release)
            state, extent = replay(path) if path.exists() else (RunState(), Extent(length=0, lines=0))
            aside = _keep_torn(path, extent, now(), disk)
            room = Reserve(path, disk)
            held.callback(room.release)
            if reserve:
                room.take()
            descriptor = disk.open_append(path)
            journal = Journal(path, descriptor, extent.length, disk, room)
            held.callback(journal.close)
            _mend_end(descriptor, extent, disk)
            disk.sync(descriptor)  # what a killed process wrote may be read and yet not be durable
            disk.sync_folder(path.parent)
            ledger = cls(state, journal, now, held.pop_all())
        if aside is not None:
            ledger.note(
                "torn_tail", f"{len(extent.torn)} bytes after line {extent.lines} were cut; kept in {aside.name}"
            )
            ledger.commit_now()
        return ledger

    def header(
        self, *, run: str, provider: str, origin: str, currency: str, name: str, retention_s: float | None = None
    ) -> None:
        """Say who runs this; before all else, and again whenever it changed (nothing is written where it did not).

        Durable when this returns: an older vidbatch must meet the format before it meets what it would take for
        damage. *run* (32 hex digits) is used for the first header only. Raises `UsageError` where money was spent in
        another currency, and `LedgerBroken`.
        """
        known = self.state.header
        if known is not None and known.currency not in ("", currency) and self.state.spent:
            raise UsageError(
                f"this run has spent {self.state.spent} {known.currency} and cannot go on in {currency}: "
                "give the manifest another name, or another --outputs"
            )
        header = Header(
            format=FORMAT,
            run=known.run if known else run,
            version=__version__,
            provider=provider,
            origin=origin,
            currency=currency,
            name=name,
            retention_s=retention_s,
        )
        if header != known:
            self._add(HEADER, {slot: getattr(header, slot) for slot in Header.__slots__})
            self.commit_now()

    def plan(self, job: Job, *, price: Decimal | None, path: str = "") -> bool:
        """Say what is owed, before its first intent. Whether anything was new: else nothing is written.

        *path* is where the video goes, below `videos/`; empty: the job's own.
        """
        path = path or job.path
        wish = wish_of(job)
        known = self.state.jobs.get(job.key)
        if known and known.is_planned_as(id=job.id, path=path, price=price, wish=wish):
            return False
        self._add(PLAN, {"job": job.key, "id": job.id, "price": price, "path": path, "wish": wish.as_fields()})
        return True

    def note(self, what: str, text: str) -> None:
        """Remember something about the run as a whole: a pause, a signal, a stop."""
        self._add(NOTE, {"what": what, "text": text})

    def record(self, fact: Fact, job: str, **fields: Value) -> None:
        """Add *fact* about the job with the key *job*; in `state` at once, durable after the next commit.

        *fields* are those of the record's type (`fields.FIELDS`); `Decimal` and `datetime` are stored as JSON.
        What the state knows may be left out: `attempt`, `price`, and the `origin` of an `INTENT` or `ADOPTED`. Long
        reasons and raw answers are cut.
        """
        self._add(fact, {"job": job, **self._known(fact, job), **fields})

    async def commit(self) -> None:
        """Return when all that was added so far is durable. Cancelling it loses nothing."""
        await self._journal.commit()

    def commit_now(self) -> None:
        """The same, blocking."""
        self._journal.commit_now()

    @property
    def squeezed(self) -> str:
        """Why the reserve had to be given up, in the system's words; empty while the disk has room."""
        return self._journal.squeezed

    def settle_crash(self) -> list[JobState]:
        """Mark the attempts that a crash left open as uncertain, durably. The jobs concerned, in plan order."""
        open_attempts = cut_off(self.state)
        for attempt in open_attempts:
            self.record(
                Fact.UNCERTAIN,
                attempt.job,
                attempt=attempt.attempt,
                phase=attempt.phase,
                reason=attempt.reason,
                price=attempt.price,
            )
        self.commit_now()
        return [self.state.jobs[attempt.job] for attempt in open_attempts]

    def close(self) -> None:
        """Let go of the file and the lock. What was not committed is not written."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _known(self, fact: Fact, job: str) -> dict[str, Value]:
        """The fields that need not be said."""
        if fact not in _COMPLETED:
            return {}
        state = self.state.job(job)
        if fact is Fact.INTENT:
            origin = self.state.header.origin if self.state.header else ""
            return {"attempt": state.attempt + 1, "origin": origin, "price": state.price}
        if fact is Fact.ADOPTED:
            return {"origin": state.origin}
        if fact is Fact.UNCERTAIN:
            return {"attempt": state.attempt, "price": state.attempts[-1].price if state.attempts else None}
        return {"attempt": state.attempt}

    def _add(self, kind: str, given: Mapping[str, Value]) -> None:
        self._journal.check()
        fields, at = plain(kind, given), to_the_millisecond(self._now())
        record = Record(self.state.records + 1, str(kind), at, fields)
        check(record)
        line = encode(record.n, record.type, at, fields)
        self.state.apply(record)
        self._journal.append(line)


def read_run(run: Path) -> RunState:
    """What the ledger of *run* (its folder, or the ledger itself) adds up to now, without the lock.

    A torn tail is left out: it may be a line that its writer is still writing. Raises `UsageError` where there is no
    ledger, and `LedgerDamaged`.
    """
    path = ledger_of(run)
    try:
        return replay(path)[0]
    except OSError as error:
        raise UsageError(f"{path}: the ledger cannot be read: {error}") from error


_COMPLETED = frozenset(
    {
        Fact.INTENT,
        Fact.NOT_SENT,
        Fact.THROTTLED,
        Fact.TURNED_AWAY,
        Fact.REJECTED,
        Fact.ACCEPTED,
        Fact.UNCERTAIN,
        Fact.ADOPTED,
    }
)
"""Facts about one attempt, of which the state knows some fields."""


def _keep_torn(path: Path, extent: Extent, at: datetime, disk: Disk) -> Path | None:
    if not extent.torn:
        return None
    aside = set_aside(path, "torn", at)
    disk.write_whole(aside, extent.torn)
    return aside


def _mend_end(descriptor: int, extent: Extent, disk: Disk) -> None:
    """Cut a torn tail; give a last line that lacks only its newline its newline."""
    if extent.torn:
        disk.truncate(descriptor, extent.length)
    elif extent.unended:
        disk.write(descriptor, b"\n")
