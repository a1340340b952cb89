"""Events for programs: one JSON object a line. The field names are a contract, described in docs/cli.md."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import TextIO

from pipeline.cli.observers.watcher import Clean, Clock, Now, Watcher
from pipeline.model import JSON
from pipeline.progress import Event, Received
from pipeline.text import plain

RECEIVED_EVERY_S = 1.0
_FROM_OUTSIDE = frozenset({"reason", "message", "stopped"})
"""Fields that may carry a provider's words."""


class JsonLines(Watcher):
    """Every event, in order. Bytes received are added up by job and told once a second: chunks are many."""

    def __init__(self, stream: TextIO, *, clock: Clock, now: Now, clean: Clean = plain) -> None:
        self._stream = stream
        self._clock = clock
        self._now = now
        self._clean = clean
        self._received: Counter[str] = Counter()
        self._told_at = clock()

    def note(self, event: Event) -> None:
        if isinstance(event, Received):
            self._received[event.id] += event.bytes
            self.show()
        else:
            self._tell_received()
            self._tell(event)

    def show(self) -> None:
        if self._clock() - self._told_at >= RECEIVED_EVERY_S:
            self._tell_received()

    def finish(self) -> None:
        self._tell_received()

    def _tell_received(self) -> None:
        received, self._received = self._received, Counter()
        self._told_at = self._clock()
        for id_, count in received.items():
            self._tell(Received(id=id_, bytes=count))

    def _tell(self, event: Event) -> None:
        self._stream.write(json.dumps(as_json(event, self._now(), self._clean)) + "\n")
        self._stream.flush()


def as_json(event: Event, at: datetime, clean: Clean) -> dict[str, JSON]:
    """*event* as a JSON object: `time`, `event`, then its fields by name; money as text, so that no cent is lost."""
    named: dict[str, JSON] = {"time": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"}
    named["event"] = type(event).__name__.lower()
    for field in fields(event):
        value = getattr(event, field.name)
        named[field.name] = _plainly(clean(value) if field.name in _FROM_OUTSIDE else value)
    return named


def _plainly(value: object) -> JSON:
    match value:
        case Decimal():
            return f"{value:f}"
        case Mapping():
            return {str(name): count for name, count in value.items()}
        case bool() | int() | float() | None:
            return value
        case _:
            return str(value)
