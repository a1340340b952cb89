"""What a provider that was started anew answers for: that its list does not show a sale any more, and nothing tells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pipeline.ledger.state import JobState
from pipeline.lifecycle import Fact
from tests.simulation.provider import Sale
from tests.simulation.sequence import Sequence

SLACK_S = 180.0
"""A witness that is nearly as old as videos are kept, or that has only just come home, need not be asked for."""

Record = dict[str, Any]


def misled(sequence: Sequence, job: JobState) -> int:
    """How often the list proved that a submit of *job* made nothing, after it had forgotten what that made."""
    return sum(
        1 for at, sale in _conclusions(sequence, job) if _has_forgotten(sale, at) and not _tells(sequence, sale, at)
    )


def _conclusions(sequence: Sequence, job: JobState) -> Iterator[tuple[int, Sale]]:
    """Every sale of which a list said that it was none, and where in the ledger that is."""
    key = ""
    for at, record in enumerate(sequence.records):
        if record.get("job") != job.key:
            continue
        if record["t"] == Fact.INTENT:
            key = record["key"]
        elif record["t"] == Fact.NOT_CREATED and record["how"].startswith("list:"):
            yield from ((at, sale) for sale in sequence.sales_of(job) if sale.key == key)


def _has_forgotten(sale: Sale, at: int) -> bool:
    return sale.unlisted_after is not None and sale.unlisted_after <= at


def _tells(sequence: Sequence, sale: Sale, at: int) -> bool:
    """Whether a video at home, from before *sale* and young enough to be listed, was gone from the list as well."""
    if not sale.known or any(lived.course.jump_s for lived in sequence.lived):
        return False  # only what was being rendered was lost; or clocks that were set tell no ages
    now = _moment(sequence.records[at])
    for own in sequence.provider.book.values():
        if own.key and own.sold_s < sale.sold_s and _has_forgotten(own, at):
            intent, home = _life(sequence.records[:at], own)
            slack, kept = timedelta(seconds=SLACK_S), timedelta(seconds=sequence.provider.house.keeps_s)
            if intent is not None and home is not None and now - intent < kept - slack and now - home > slack:
                return True
    return False


def _life(records: list[Record], sale: Sale) -> tuple[datetime | None, datetime | None]:
    """When its submit began and when it came home, if it is there at the end of *records*."""
    intent = next((one for one in records if one["t"] == Fact.INTENT and one["key"] == sale.key), None)
    if intent is None:
        return None, None
    latest = [one for one in records if one.get("job") == intent["job"] and one["t"] != "plan"][-1]
    return _moment(intent), _moment(latest) if latest["t"] == Fact.STORED else None


def _moment(record: Record) -> datetime:
    return datetime.fromisoformat(record["at"])
