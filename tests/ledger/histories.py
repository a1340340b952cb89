"""Histories of runs, small and whole, for the tests of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from pipeline.disk import DISK, Disk
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.records import Value
from pipeline.lifecycle import Fact
from pipeline.model import Job, Position

RUN = "0123456789abcdef0123456789abcdef"
ORIGIN = "http://127.0.0.1:8080/v1"
ELSEWHERE = "http://127.0.0.1:9/v1"
"""Where the provider answers later on."""
PRICE = Decimal("0.80")
BEGINNING = datetime(2026, 11, 22, 19, 0, tzinfo=UTC)

SAID: dict[Fact, dict[str, Value]] = {
    Fact.INTENT: {"body_sha256": "a" * 64, "key": "7f0c"},
    Fact.NOT_SENT: {"reason": "connection refused"},
    Fact.THROTTLED: {"reason": "slow down", "http": 429, "code": "rate_limit"},
    Fact.TURNED_AWAY: {"reason": "no such key", "http": 401},
    Fact.REJECTED: {"http": 400, "code": "bad_size", "reason": "this size is not known"},
    Fact.ACCEPTED: {
        "video_id": "video_1",
        "origin": ORIGIN,
        "http": 200,
        "request_id": "req_1",
        "raw": {"id": "video_1", "status": "queued"},
    },
    Fact.UNCERTAIN: {"phase": "sent", "reason": "the connection broke"},
    Fact.STATUS: {"word": "in_progress", "progress": 40},
    Fact.FINISHED: {"word": "completed", "expires_at": BEGINNING + timedelta(hours=2)},
    Fact.FAILED: {"reason": "it was too dark", "code": "moderation"},
    Fact.EXPIRED: {"reason": "it is gone"},
    Fact.LOST: {"reason": "nobody knows it"},
    Fact.STALLED: {"reason": "no end after an hour"},
    Fact.DOWNLOAD_FAILED: {"reason": "it was a web page"},
    Fact.STORED: {
        "path": "coast/fox.mp4",
        "bytes": 4096,
        "sha256": "b" * 64,
        "etag": '"e1"',
        "seconds": 8.0,
        "size": "1280x720",
    },
    Fact.MISSING: {"reason": "the file is gone"},
    Fact.UNFIT: {"reason": "it is 640x360, not 1280x720"},
    Fact.BLOCKED: {"reason": "its source failed"},
    Fact.UNBLOCKED: {"reason": "its source is stored"},
    Fact.ADOPTED: {"how": "list", "video_id": "video_9", "origin": ORIGIN},
    Fact.NOT_CREATED: {"how": "list"},
    Fact.RESUBMIT: {"how": "user"},
    Fact.RETRY: {"how": "--retry failed"},
    Fact.DROPPED: {"how": "user"},
}
"""A believable record of every fact."""

LIVES: tuple[tuple[Fact, ...], ...] = (
    (Fact.INTENT, Fact.ACCEPTED, Fact.STATUS, Fact.FINISHED, Fact.STORED, Fact.UNFIT),
    (Fact.INTENT, Fact.NOT_SENT, Fact.INTENT, Fact.THROTTLED, Fact.INTENT, Fact.TURNED_AWAY),
    (Fact.INTENT, Fact.UNCERTAIN, Fact.ADOPTED, Fact.STALLED, Fact.FAILED, Fact.RETRY),
    (Fact.INTENT, Fact.UNCERTAIN, Fact.NOT_CREATED, Fact.INTENT, Fact.REJECTED),
    (Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED, Fact.DOWNLOAD_FAILED, Fact.STORED, Fact.MISSING, Fact.EXPIRED),
    (Fact.BLOCKED, Fact.UNBLOCKED, Fact.INTENT, Fact.UNCERTAIN, Fact.RESUBMIT, Fact.INTENT, Fact.UNCERTAIN),
    (Fact.INTENT, Fact.ACCEPTED, Fact.LOST, Fact.DROPPED),
)
"""What may happen to one job each; every fact is in one of them."""


def key(number: int) -> str:
    """The key of the job with that number."""
    return f"{number:032x}"


def a_job(number: int, *, path: str = "") -> Job:
    return Job(
        key=key(number),
        id=f"job-{number}",
        prompt=f"a fox in the snow, number {number} ✓",
        model="sora-2",
        seconds=8,
        size="1280x720",
        params={"seed": number},
        axes={"animal": "fox"},
        path=path or f"coast/job-{number}.mp4",
        position=Position(file="first.yaml", line=number, column=1),
    )


def clock() -> Callable[[], datetime]:
    """A clock that moves on by a second whenever it is looked at."""
    seconds: Iterator[int] = iter(range(1_000_000))
    return lambda: BEGINNING + timedelta(seconds=next(seconds))


def opened(path: Path, disk: Disk = DISK) -> Ledger:
    """The ledger at *path*, with a header; closed where that cannot be written."""
    with ExitStack() as held:
        ledger = held.enter_context(Ledger.open(path, now=clock(), disk=disk))
        ledger.header(run=RUN, provider="sandbox", origin=ORIGIN, currency="USD", name="harbour", retention_s=7200)
        held.pop_all()
    return ledger


def moved(ledger: Ledger) -> None:
    """The provider is at another address from now on."""
    ledger.header(run=RUN, provider="sandbox", origin=ELSEWHERE, currency="USD", name="harbour", retention_s=7200)


def planned(ledger: Ledger, *numbers: int) -> None:
    for number in numbers:
        ledger.plan(a_job(number), price=PRICE)


def live(ledger: Ledger, number: int, *facts: Fact) -> None:
    """Let *facts* happen to a job, in order."""
    for fact in facts:
        fields = dict(SAID[fact])
        if "video_id" in fields:
            fields["video_id"] = f"video_{number}_{ledger.state.jobs[key(number)].attempt}"
        ledger.record(fact, key(number), **fields)


def fill(path: Path) -> list[bytes]:
    """Write a ledger of 50 records with every type in it; its lines."""
    with opened(path) as ledger:
        planned(ledger, *range(len(LIVES)))
        for number, life in enumerate(LIVES):
            live(ledger, number, *life)
        ledger.note("pause", "the provider asks for patience")
        while ledger.state.records < 50:
            ledger.note("filler", "…")
        ledger.commit_now()
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == 50
    return lines
