"""One job's whole story: what was asked for, what came of it, and every record of it in order. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from datetime import datetime
from decimal import Decimal

from pipeline.ledger.history import Histories, History
from pipeline.ledger.records import Record, stamp
from pipeline.ledger.replay import RunState
from pipeline.model import JSON
from pipeline.text import WIDTH, byte_size, duration, money, plain, plural, wrap
from pipeline.views.rows import Row, row_of
from pipeline.views.telling import words_of
from pipeline.views.where import text_of

_LABEL = 9
_WAITED = 13
"""Columns of the time since the record before."""


def show_text(found: Histories) -> str:
    """The jobs that were found, for people."""
    jobs = [_job_text(history, found) for history in found.jobs]
    if len(jobs) > 1:
        name = plain(found.jobs[0].job.id)
        jobs.insert(0, f"{len(jobs)} jobs have had the id {name}, each asking for another video")
    return "\n\n".join(jobs)


def show_document(found: Histories) -> dict[str, JSON]:
    """The same for programs: the records as they are in the ledger, and what they add up to."""
    header = found.state.header
    return {
        "run": header.name if header else "",
        "provider": header.provider if header else "",
        "currency": header.currency if header else "",
        "jobs": [_job_document(history, found.state) for history in found.jobs],
        "repairs": [_record_document(record) for record in found.repairs],
    }


def _job_document(history: History, state: RunState) -> dict[str, JSON]:
    row = row_of(history.job, state)
    told = {field.name: _as_json(getattr(row, field.name)) for field in fields(Row)}
    return {**told, "render_s": row.render_s, "records": [_record_document(record) for record in history.records]}


def _record_document(record: Record) -> dict[str, JSON]:
    return {"n": record.n, "t": record.type, "at": stamp(record.at), **record.fields}


def _as_json(value: object) -> JSON:
    match value:
        case datetime():
            return stamp(value)
        case Decimal():
            return float(value)
        case Mapping():
            return {str(name): _as_json(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_as_json(inner) for inner in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _as_json(asdict(value))
        case None | bool() | int() | float():
            return value
        case _:
            return str(value)


def _job_text(history: History, found: Histories) -> str:
    row = row_of(history.job, found.state)
    asked, came = _lines(_asked(row)), _lines(_came(row))
    parts = [_heading(row), "\n".join([*asked, *came]), "\n".join(_story(history, found))]
    return "\n\n".join(parts)


def _heading(row: Row) -> str:
    if not row.submits:
        cost = "nothing was paid for it"
    elif row.cost is None:
        cost = f"{plural(row.submits, 'submit')}, at a price that is not known"
    else:
        cost = f"{money(row.cost, row.currency)} for {plural(row.submits, 'submit')}"
    reason = f": {plain(row.reason)}" if row.reason else ""
    return wrap(f"{plain(row.id)}: {row.state}{reason}; {cost}", WIDTH, indent="  ", cut=False)


def _asked(row: Row) -> Iterator[tuple[str, str]]:
    """What was asked for."""
    yield "key", row.key
    yield "prompt", row.prompt
    yield "asked", f"{row.model}, {row.size}, {row.seconds:g} s, take {row.take}"
    yield "group", row.group
    notes = {name: value for name, value in row.meta.items() if name not in row.axes or row.axes[name] != value}
    for label, mapping in (("params", row.params), ("axes", row.axes), ("meta", notes)):
        yield label, ", ".join(f"{name} = {text_of(value)}" for name, value in mapping.items())
    if row.source:
        yield "source", f"{row.source} ({row.link})"
    yield "image", row.reference
    yield "at", f"{row.provider} ({row.origin})" if row.origin else row.provider


def _came(row: Row) -> Iterator[tuple[str, str]]:
    """What came of it."""
    yield "video", row.video_id + (" (deleted there since)" if row.deleted_remote else "")
    if row.render_s is not None:
        yield "rendered", f"in {_waited(row.render_s)}"
    if row.path:
        yield "file", f"{row.path}, {byte_size(row.bytes or 0)}"
    yield "sha256", row.sha256
    yield "differs", "; ".join(row.differs.values())
    yield "pictures", ", ".join(f"{name} {path}" for name, path in row.variants.items())
    if row.expires_at is not None and not row.path and row.video_id:
        yield "kept", f"by the provider until {row.expires_at:%Y-%m-%d %H:%M:%S} UTC"


def _lines(told: Iterator[tuple[str, str]]) -> Iterator[str]:
    """What there is to say, each with its label; nothing is cut."""
    below = " " * _LABEL
    for label, words in told:
        if shown := plain(words):
            yield wrap(shown, WIDTH, first=f"{label:<{_LABEL}}", indent=below, cut=False)


def _story(history: History, found: Histories) -> Iterator[str]:
    """Every record, with its time and how long after the one before it was."""
    currency = found.state.header.currency if found.state.header else ""
    before: datetime | None = None
    for record in _in_order(history, found):
        if before is None or record.at.date() != before.date():
            yield f"{record.at:%Y-%m-%d}, times in UTC"
        waited = "" if before is None else f"+{_waited((record.at - before).total_seconds())}"
        start = f"  {record.at:%H:%M:%S}{waited:>{_WAITED}}  "
        yield wrap(_words(record, found, currency), WIDTH, first=start, indent=" " * len(start), cut=False)
        before = record.at


def _in_order(history: History, found: Histories) -> list[Record]:
    return sorted([*history.records, *found.repairs], key=lambda record: record.n)


def _words(record: Record, found: Histories, currency: str) -> str:
    if record in found.repairs:
        return f"the ledger was repaired: {plain(record.fields['text'])}, and what they said is not known any more"
    return words_of(record, currency)


def _waited(seconds: float) -> str:
    return f"{seconds:.1f} s" if abs(seconds) < 60 else duration(seconds)
