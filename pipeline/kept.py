"""What a run folder keeps of a manifest: an index of its files, how it was read and within which limits it was run,
and the files as a library.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from pipeline.disk import words_of
from pipeline.errors import UsageError
from pipeline.limits import LimitsWish
from pipeline.manifest.fields import shown
from pipeline.manifest.files import BadFile
from pipeline.manifest.patterns import Pattern, is_pattern
from pipeline.model import JSON, Manifest, SourceFile
from pipeline.pictures import CROP, PAD
from pipeline.text import plain

FORMAT = 2
"""A new statement that an older vidbatch must not ignore, for it would buy something else or more, is a new format."""
_FORMATS: Final = (1, FORMAT)
"""What is read; the first holds no limits."""

_STATED: Final[Mapping[str, type]] = {
    **dict.fromkeys(("provider", "fit"), str),
    **dict.fromkeys(("allow_unknown", "allow_large", "allow_outside"), bool),
    "settings": list,
}
"""What may be stated over a manifest, and as what; a newer vidbatch may know more."""
_AMOUNTS: Final = frozenset({"budget", "confirm_above"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """A file as a manifest called it, and where its copy is."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One version of a manifest that was run, as it was read."""

    name: str
    """What the manifest's file was called."""
    manifest: KeptFile
    files: Mapping[str, KeptFile]
    """What it read, by the names that it has in the manifest."""
    profile: tuple[SourceFile, ...] = ()
    """The files of a person's own that its profile was read from, and where their copies are."""
    reading: Mapping[str, JSON]
    """What was stated over it: `Manifest.reading`."""
    limits: LimitsWish
    """What it and the command line asked of the limits."""


def index_of(manifest: Manifest, places: Sequence[str]) -> bytes:
    """The index of *manifest*, whose files are kept at *places*, one each, and then its profile's.

    The same reading gives the same bytes.
    """
    own, *others = [
        {"name": file.name, "sha256": file.sha256, "kept": place}
        for file, place in zip((*manifest.files, *manifest.profile.files), places, strict=True)
    ]
    count = len(manifest.files) - 1
    limits = {name: str(n) if isinstance(n, Decimal) else n for name, n in manifest.limits.stated().items()}
    index = {
        "format": FORMAT,
        "manifest": own,
        "files": others[:count],
        **({"profile": others[count:]} if others[count:] else {}),
        "reading": dict(manifest.reading),
        "limits": limits,
    }
    return json.dumps(index, indent=1, sort_keys=True).encode("ascii") + b"\n"


def read_index(path: Path, sha256: str) -> Kept:
    """The index at *path*. Raises `UsageError` where it is none of ours, or not the one with this digest."""
    try:
        content = path.read_bytes()
        index: Any = json.loads(content)
        if index["format"] not in _FORMATS:
            raise UsageError(
                f"{path}: its format is {index['format']}, and this vidbatch knows {FORMAT}: use a newer one"
            )
        own = index["manifest"]
        kept = Kept(
            name=_text(own["name"]),
            manifest=_file(path, own),
            files={_text(file["name"]): _file(path, file) for file in index["files"]},
            profile=tuple(_of_profile(path, file) for file in index.get("profile", ())),
            reading=_reading(index["reading"]),
            limits=_limits(index["limits"] if index["format"] == FORMAT else {}),
        )
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {words_of(error)}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{path} is no index of a manifest that was run: {error}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UsageError(f"{path} is not what the run wrote: name the manifest's own file instead")
    return kept


def read_again(then: Mapping[str, JSON], now: Mapping[str, JSON]) -> dict[str, JSON]:
    """What was stated *then*, and over it what is stated *now*: of the `settings`, those of the same names."""
    said, stated = then.get("settings", []), now.get("settings", [])
    assert isinstance(said, list), "a list of texts"
    assert isinstance(stated, list), "a list of texts"
    named: dict[str, list[JSON]] = {}
    for setting in stated:
        named.setdefault(_name(setting), []).append(setting)
    settings = [setting for old in said for setting in named.pop(_name(old), [old])]
    return {**then, **now, "settings": [*settings, *(setting for same in named.values() for setting in same)]}


class KeptLibrary:
    """The files that a manifest read when it was run, under the names that it has for them."""

    def __init__(self, files: Mapping[str, KeptFile]) -> None:
        self._files = files

    def read(self, name: str, *, bytes_max: int) -> bytes:
        path = self.find(name)
        try:
            content = path.read_bytes()
        except OSError as error:
            words = f"the run folder's copy of '{plain(name)}' cannot be read: {words_of(error)}"
            raise BadFile("missing-file", words) from error
        if hashlib.sha256(content).hexdigest() != self._files[name].sha256:
            raise BadFile("missing-file", f"the run folder's copy of '{plain(name)}' is not what was read then")
        if len(content) > bytes_max:
            raise BadFile("too-large", f"'{plain(name)}' is larger than {bytes_max:,} bytes")
        return content

    def find(self, name: str) -> Path:
        try:
            return self._files[name].path
        except KeyError:
            raise BadFile("missing-file", f"the run folder keeps no file '{plain(name)}'") from None

    def names(self, pattern: str) -> Sequence[str]:
        if not is_pattern(pattern):
            return [pattern]
        try:
            found = sorted(filter(Pattern(pattern).names, self._files))
        except ValueError as error:
            raise BadFile("too-deep", f"'{plain(pattern)}': {error}") from error
        if not found:
            raise BadFile("missing-file", f"the run folder keeps no file that '{plain(pattern)}' names")
        return found


def _file(index: Path, entry: Mapping[str, Any]) -> KeptFile:
    kept = _text(entry["kept"])
    if ".." in Path(kept).parts or Path(kept).is_absolute():
        raise ValueError(f"'{plain(kept)}' leaves the folder")
    return KeptFile(path=index.parent / kept, sha256=_text(entry["sha256"]))


def _of_profile(index: Path, entry: Mapping[str, Any]) -> SourceFile:
    kept = _file(index, entry)
    return SourceFile(name=_text(entry["name"]), sha256=kept.sha256, path=kept.path)


def _reading(stated: Any) -> dict[str, JSON]:
    known = dict(stated)
    for name, kind in _STATED.items():
        if name in known and type(known[name]) is not kind:
            raise TypeError(f"'{name}' is no {kind.__name__}")
    if known.get("fit", "") not in ("", CROP, PAD):
        raise ValueError("'fit' is crop or pad")
    for setting in known.get("settings", ()):
        _text(setting)
    return known


def _limits(stated: Any) -> LimitsWish:
    """The opposite of `LimitsWish.stated`, but for amounts, which are texts."""
    known = dict(stated)
    for name, value in known.items():
        if name in _AMOUNTS:
            known[name] = _amount(name, value)
        elif type(value) not in (int, float) or not value > 0:
            raise ValueError(f"'{name}' is no number above 0")
    return LimitsWish(**known)


def _amount(name: str, value: Any) -> Decimal:
    try:
        amount = Decimal(_text(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise ValueError(f"'{name}' is no amount")
    return amount


def _text(value: Any) -> str:
    """*value*, which is a text that can name a file. Raises `TypeError` and `ValueError`."""
    if not isinstance(value, str):
        raise TypeError(f"{shown(value)} is no text")
    if "\0" in value:
        raise ValueError(f"'{plain(value)}' holds a zero byte")
    return value


def _name(setting: JSON) -> str:
    """What a setting, `NAME=VALUE`, sets."""
    return str(setting).partition("=")[0].strip()
