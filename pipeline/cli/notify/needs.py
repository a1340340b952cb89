"""Which of a run's notices are told to whoever is away, and when. Touches no clock: the caller brings the time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from pipeline.progress import Kind, Notice

EVERY_S: Final = 600.0
"""No two messages of one kind within so long: what comes meanwhile is told together."""
OUTAGE_S: Final = 600.0
"""So long nobody has answered before that is told: most outages are over by then."""
_NOT_TOLD: Final = frozenset({Kind.ANSWERED, Kind.ENDING})
"""The one is good news, and after the other comes the run's own end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a person is to hear now, of one kind."""

    kind: Kind
    messages: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Heard:
    notice: Notice
    at_s: float

    def is_over(self, answered: Notice) -> bool:
        return self.notice.kind is Kind.OUTAGE and self.notice.lane == answered.lane


@dataclass(slots=True, kw_only=True)
class Needs:
    """What has been heard and not told yet."""

    every_s: float = EVERY_S
    outage_s: float = OUTAGE_S
    _heard: list[_Heard] = field(default_factory=list)
    _told_s: dict[Kind, float] = field(default_factory=dict)

    def note(self, notice: Notice, now_s: float) -> None:
        """Take *notice* in, which came at *now_s* on the monotonic clock."""
        if notice.kind is Kind.ANSWERED:
            self._heard = [heard for heard in self._heard if not heard.is_over(notice)]
        elif notice.urgent and notice.kind not in _NOT_TOLD:
            self._heard.append(_Heard(notice, now_s))

    def due(self, now_s: float) -> Iterator[Need]:
        """What is to be told at *now_s*; it is told once."""
        for kind in list(dict.fromkeys(heard.notice.kind for heard in self._heard)):
            if now_s < self._due_s(kind):
                continue
            told = [heard.notice.message for heard in self._heard if heard.notice.kind is kind]
            self._heard = [heard for heard in self._heard if heard.notice.kind is not kind]
            self._told_s[kind] = now_s
            yield Need(kind=kind, messages=told)

    def _due_s(self, kind: Kind) -> float:
        first_s = min(heard.at_s for heard in self._heard if heard.notice.kind is kind)
        patience_s = self.outage_s if kind is Kind.OUTAGE else 0.0
        return max(first_s + patience_s, self._told_s.get(kind, float("-inf")) + self.every_s)
