"""What the sandbox does wrong on demand: the words there are, and which of them a request meets. Pure.

The form is in the manifest's schema (`provider.faults`); what each word does is in `misdeed` and `spoilt`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline.model import JSON

BEHAVE: Final = "behave"
"""The word of a script for a request that is answered as it should be."""

ERRORS: Final = ("500", "502", "503", "504", "520", "524")
WAITS: Final = ("429", "429_seconds", "429_date", "503_seconds")
NOT_MADE: Final = ("refused", "no_such_model", "no_money", *WAITS, *ERRORS, "reset_before", "no_answer_before")
MADE: Final = (*(f"{error}_after" for error in ERRORS), "reset_after", "no_answer", "no_id", "html")
"""Faults of a create that come after the entry in the book."""

_NOT_READY: Final = ("not_ready_400", "not_ready_404", "not_ready_409", "not_ready_200")
_NO_FILM: Final = (*WAITS, *ERRORS, "reset", "no_answer", *_NOT_READY, "gone", "redirect")
SPOILT: Final = (
    *("cut", "cut_reset", "cut_no_length", "stalled", "drip", "endless", "html", "empty"),
    *("wrong_etag", "wrong_range", "range_ignored", "416"),
)
"""Faults of a download that has begun with a film."""

FAILURES: Final = ("failed_null", "failed_text", "failed_object", "moderated")

WORDS: Final[Mapping[str, Sequence[str]]] = {
    "submit": (*NOT_MADE, *MADE),
    "poll": (*WAITS, *ERRORS, "reset", "no_answer", "html", "unknown", "broken", "odd_status"),
    "content": (*_NO_FILM, *SPOILT),
    "videos": (*FAILURES, "stuck", "expired", "odd_status"),
}
"""The faults by phase. `videos` is no phase of requests: it says what becomes of a share of the videos."""


class BadFaults(ValueError):
    """Faults that cannot be demanded, and where it says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """The faults of one phase."""

    chance: Mapping[str, float] = field(default_factory=dict)
    script: Sequence[str] = ()
    """For the first requests of the phase, one after the other."""
    each: Sequence[str] = ()
    """For the first requests of each wish (submit) or video (poll, content)."""

    def __bool__(self) -> bool:
        return bool(self.chance or self.script or self.each)

    def word(self, *, place: int, own_place: int, dice: float) -> str:
        """What the request at *place* of the phase meets, which is at *own_place* among those of its own wish or video.

        The script goes first, then `each`, then chance with *dice* from 0 to 1.
        """
        if place < len(self.script):
            return self.script[place]
        if own_place < len(self.each):
            return self.each[own_place]
        for word, chance in self.chance.items():
            dice -= chance
            if dice < 0:
                return word
        return BEHAVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """All faults that were asked for."""

    seed: int = 0
    """Another seed is another night."""
    retry_after_s: float = 1.0
    """What the faults that name a wait ask for."""
    redirect_to: str = ""
    """Where a redirected film lies; empty: on the sandbox's second port."""
    submit: Phase = field(default_factory=Phase)
    poll: Phase = field(default_factory=Phase)
    content: Phase = field(default_factory=Phase)
    videos: Phase = field(default_factory=Phase)
    document: Mapping[str, JSON] = field(default_factory=dict)
    """The form they were read from."""

    def __getitem__(self, name: str) -> Phase:
        """The phase of that name."""
        phase: Phase = getattr(self, name)
        return phase

    def dice(self, *who: object) -> tuple[float, float]:
        """Two numbers from 0 to 1 that follow from the seed and *who* alone: for whether, and for where."""
        digest = hashlib.blake2b(repr((self.seed, *who)).encode(), digest_size=16).digest()
        whether, where = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big")
        return whether / 2**64, where / 2**64


def read_faults(document: JSON) -> Faults:
    """The faults that *document* asks for. Raises `BadFaults` at the first that cannot be."""
    if document == {}:
        return Faults()
    from pipeline.manifest.chances import overfull
    from pipeline.manifest.document import dotted
    from pipeline.manifest.form import form

    for fault in form().judge_faults(document):
        place = dotted(fault.path)
        raise BadFaults(f"{place}: {fault.message}" if place else fault.message)
    assert isinstance(document, dict), "the form wants a mapping"
    for path, message in overfull(document):
        raise BadFaults(f"{dotted(path)}: {message}")
    stated: dict[str, Any] = dict(document)
    phases: dict[str, Any] = {name: _phase(stated.pop(name, {})) for name in WORDS}
    return Faults(**stated, **phases, document=document)


def _phase(stated: Mapping[str, Any]) -> Phase:
    return Phase(
        chance=stated.get("chance", {}),
        script=tuple(_played(stated.get("script", ()))),
        each=tuple(_played(stated.get("each", ()))),
    )


def _played(script: Sequence[str | Mapping[str, Any]]) -> Iterator[str]:
    """A script with its repetitions written out."""
    for step in script:
        if isinstance(step, str):
            yield step
        else:
            yield from [step["fault"]] * step.get("times", 1)
