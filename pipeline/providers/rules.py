"""What a profile's `problems` may not say: that a submit made nothing, where it may have made a video. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from pipeline.manifest.wording import Fault
from pipeline.providers.meanings import DOUBTFUL, SUBMITS

_Rule: TypeAlias = Mapping[str, Any]

_WORDS = ("code", "text")
_OF_THE_MOMENT = (401, 403, 404, 408, 409, 429)
"""As any 5xx: a proxy, a key or a minute may be to blame, and not the video."""
_FINAL = ("failed", "gone")
_GIVEN_UP = "would be given up for good"
_PAID_TWICE = "such a submit would be sent again, or given up as made nothing, although it may have made a video"


def unsound(rules: Sequence[_Rule | None]) -> Iterator[Fault]:
    """What is wrong with each of *rules*; `None` stands for one that has no form, and is not judged."""
    for place, rule in enumerate(rules):
        if rule is not None and (fault := _unsound(rule)) is not None:
            yield fault.below(("problems", place))


def _unsound(rule: _Rule) -> Fault | None:
    statuses = _several(rule.get("http", ()))
    words = next((name for name in _WORDS if name in rule), "")
    if not statuses and not words:
        return _fault("a rule needs 'http', 'code' or 'text'; without one it is said of every answer")
    success = next((status for status in statuses if status < 300), 0)
    if success and not words:
        return _fault(f"every {success} would be read so: state the 'code' or 'text' beside it", "http")
    return _unsound_of_submits(rule, statuses, words) or _unsound_at_the_end(rule, statuses, words)


def _unsound_of_submits(rule: _Rule, statuses: Sequence[int], words: str) -> Fault | None:
    if rule["means"] == "trouble" or not _is_said_of_submits(rule):
        return None
    if not statuses:
        other = "state the 'http' beside it, or with 'to' the calls other than submits"
        return _fault(f"{other}: with a 5xx, too, {_PAID_TWICE}", words)
    doubtful = next((status for status in statuses if status >= 500 or status in DOUBTFUL), 0)
    if doubtful and not words:
        return _fault(f"state the 'code' or 'text' beside it: of every {doubtful} {_PAID_TWICE}", "http")
    return None


def _unsound_at_the_end(rule: _Rule, statuses: Sequence[int], words: str) -> Fault | None:
    """A paid video is given up by such a rule."""
    if rule["means"] not in _FINAL:
        return None
    if not statuses:
        return _fault(f"state the 'http' beside it: with a 502, too, a paid video {_GIVEN_UP}", words)
    passing = next((status for status in statuses if status >= 500 or status in _OF_THE_MOMENT), 0)
    if passing and not words:
        return _fault(f"state the 'code' or 'text' beside it: by every {passing} a paid video {_GIVEN_UP}", "http")
    return None


def _is_said_of_submits(rule: _Rule) -> bool:
    return "to" not in rule or not set(_several(rule["to"])).isdisjoint(SUBMITS)


def _several(raw: Any) -> Sequence[Any]:
    """One or many, as they may be written."""
    return raw if isinstance(raw, list | tuple) else (raw,)


def _fault(message: str, *path: str) -> Fault:
    return Fault(path=path, code="bad-form", message=message)
