"""What a stored video was found to be when it was decoded, as a note of the ledger keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pipeline.model import JSON

SECONDS_APART: Final = 0.5
"""No encoder meets a length to the frame: up to here it is as asked for, or as its index says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """What is in a video, after it was decoded to its end, or as far as that went. `None`: it does not say."""

    seconds: float
    """From its first frame to the end of its last, as decoded."""
    size: str
    """`WIDTHxHEIGHT`; empty: there is no picture."""
    frames: int
    """So many were decoded."""
    frame_rate: float | None
    """Frames a second, on average."""
    codec: str
    """FFmpeg's name of it, such as `h264`."""
    audio: str
    """So is this; empty: it has no sound."""
    silent: bool | None
    """Whether its sound stays below -60 dBFS throughout; `None`: it has none."""
    decodes: bool | None
    """Whether all of it could be decoded, picture and sound; `None`: nobody here can tell, as `problems` say why."""
    c2pa: bool
    """Whether it says by C2PA data where it comes from."""
    problems: tuple[str, ...] = ()
    """What is wrong with it, in words that follow on its name; empty: it is sound."""

    def as_fields(self) -> dict[str, JSON]:
        """The object that stands in a note."""
        told = {name: getattr(self, name) for name in _KINDS}
        return {**told, "problems": list(self.problems)}


NOT_DECODED: Final = Media(
    seconds=0.0,
    size="",
    frames=0,
    frame_rate=None,
    codec="",
    audio="",
    silent=None,
    decodes=False,
    c2pa=False,
)
"""Of a video that no decoder could even begin with."""

_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "seconds": (float, int),
    "size": (str,),
    "frames": (int,),
    "frame_rate": (float, int, NoneType),
    "codec": (str,),
    "audio": (str,),
    "silent": (bool, NoneType),
    "decodes": (bool, NoneType),
    "c2pa": (bool,),
}
"""What each field but `problems` may be, as `json` reads it."""

if _KINDS.keys() | {"problems"} != {field.name for field in fields(Media)}:
    raise AssertionError("a field of Media is not in the table")


def media_of(told: Mapping[str, Any]) -> Media:
    """The `Media` whose `as_fields` *told* is; a field that it does not know is passed over.

    Raises `KeyError` and `TypeError`.
    """
    for name, kinds in _KINDS.items():
        if type(told[name]) not in kinds:
            raise TypeError(f"'{name}' cannot be like that")
    problems = told["problems"]
    if type(problems) is not list or not all(type(problem) is str for problem in problems):
        raise TypeError("'problems' are words")
    return Media(**{name: told[name] for name in _KINDS}, problems=tuple(problems))
