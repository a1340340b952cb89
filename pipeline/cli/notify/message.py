"""What a notice says: one JSON object, as `schemas/notify.schema.json` describes it. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from pipeline.cli.notify.needs import Need
from pipeline.cli.observers.tally import Tally
from pipeline.cli.observers.watcher import Clean
from pipeline.lifecycle import State
from pipeline.model import JSON
from pipeline.progress import Ended, Kind
from pipeline.text import fit, plural, spent_money
from pipeline.version import __version__

MESSAGES_MAX: Final = 5
TEXT_WIDTH_MAX: Final = 300
_HARMLESS: Final = str.maketrans({"<": "‹", ">": "›", "@": "＠"})
"""Chats take `<!channel>` and `@everyone` for a call to all: a provider's words shall not be one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a run stands, as far as a notice tells of it."""

    run: str
    folder: str
    provider: str
    currency: str
    counts: Mapping[State, int]
    spent: Decimal
    unpriced: int
    elapsed_s: float

    @classmethod
    def of(cls, tally: Tally, now_s: float) -> Standing:
        """By what was observed until *now_s* of a run that has started."""
        started = tally.started
        assert started is not None
        return cls(
            run=started.run,
            folder=started.folder,
            provider=started.provider,
            currency=started.currency,
            counts=dict(tally.counts),
            spent=tally.spent,
            unpriced=tally.unpriced,
            elapsed_s=tally.elapsed_s(now_s),
        )

    def at_end(self, ended: Ended) -> Standing:
        """The same, by the run's own last word."""
        counts = {state: ended.counts.get(state, 0) for state in State}
        return replace(self, counts=counts, spent=ended.spent, unpriced=ended.unpriced, elapsed_s=ended.elapsed_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One notice."""

    event: str
    """`ended` or `needs_person`."""
    standing: Standing
    message: str
    at: datetime
    kind: Kind | None = None
    """What it needs a person for; `None` at the end."""
    exit_code: int | None = None
    """`None` before the end."""
    stopped: str = ""
    interrupted: bool = False
    next: Sequence[str] = ()

    def as_bytes(self, clean: Clean) -> bytes:
        """The JSON object; *clean* takes out of texts what nobody else is to read."""
        return json.dumps(self._as_json(clean)).encode("ascii")

    def _as_json(self, clean: Clean) -> dict[str, JSON]:
        standing, lines = self.standing, [clean(line) for line in self.message.split("\n")]
        return {
            "event": self.event,
            "kind": None if self.kind is None else str(self.kind),
            "text": _line(standing, lines),
            "message": "\n".join(lines),
            "run": clean(standing.run),
            "folder": clean(standing.folder),
            "provider": clean(standing.provider),
            "exit_code": self.exit_code,
            "counts": {str(state): count for state, count in standing.counts.items()},
            "spent": float(standing.spent),
            "unpriced": standing.unpriced,
            "currency": standing.currency,
            "stopped": clean(self.stopped),
            "interrupted": self.interrupted,
            "elapsed_s": round(standing.elapsed_s, 3),
            "next": [clean(command) for command in self.next],
            "time": f"{self.at:%Y-%m-%dT%H:%M:%SZ}",
            "version": __version__,
        }


def needs_person(need: Need, standing: Standing, at: datetime) -> Message:
    """A run that goes on, and needs somebody."""
    shown, more = need.messages[:MESSAGES_MAX], len(need.messages) - MESSAGES_MAX
    lines = [*shown, *([f"and {plural(more, 'more notice')}"] if more > 0 else ())]
    command = "resolve" if need.kind is Kind.UNCERTAIN else "status"
    return Message(
        event="needs_person",
        kind=need.kind,
        standing=standing,
        message="\n".join(lines),
        at=at,
        stopped=need.messages[-1] if need.kind is Kind.STOPPED else "",
        next=[shlex.join(["vidbatch", command, standing.folder])],
    )


def _line(standing: Standing, lines: Sequence[str]) -> str:
    """All of it in a line that chats show."""
    what = lines[0] if lines[0].startswith(f"{standing.run}: ") else f"{standing.run}: {lines[0]}"
    short = fit(what, TEXT_WIDTH_MAX)
    spent = f"{spent_money(standing.spent, standing.currency, standing.unpriced)} spent"
    end = "" if short.endswith(f" {spent}") else f"; {spent}"  # the word of a budget that is used up says it, too
    return f"vidbatch {short}{'…' if short != what else ''}{end}".translate(_HARMLESS)
