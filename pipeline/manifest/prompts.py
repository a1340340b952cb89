"""Prompt files: text beside the manifest, never outside its folder. One of the two places where files are read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.manifest.fields import shown
from pipeline.model import SourceFile

BYTES_MAX = 2**20


class NoPrompt(ValueError):
    """A prompt file that cannot be used; the message says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    text: str = ""
    fault: tuple[str, str] | None = None
    kept: SourceFile | None = None


class PromptFiles:
    """The prompt files of a manifest in *folder*, each read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, _Read] = {}

    def text(self, name: str) -> str:
        """What the file *name* holds, without its last newline. Raises `NoPrompt`."""
        known = self._read.get(name)
        if known is None:
            known = self._read[name] = self._fetch(name)
        if known.fault is not None:
            raise NoPrompt(*known.fault)
        return known.text

    def files(self) -> Sequence[SourceFile]:
        """What was read, to be kept with the run."""
        return [known.kept for known in self._read.values() if known.kept is not None]

    def _fetch(self, name: str) -> _Read:
        try:
            return _read(self._folder, name)
        except NoPrompt as fault:
            return _Read(fault=(fault.code, str(fault)))


def _read(folder: Path, name: str) -> _Read:
    try:
        home = folder.resolve()
        path = (home / name).resolve()
        if not path.is_relative_to(home):
            raise NoPrompt("outside-folder", f"'{shown(name)}' is outside the manifest's folder")
        if not path.is_file():
            raise NoPrompt("missing-file", f"there is no file '{shown(name)}' beside the manifest")
        with path.open("rb") as file:
            content = file.read(BYTES_MAX + 1)
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        raise NoPrompt("missing-file", f"'{shown(name)}' cannot be read: {shown(error)}") from error
    except ValueError as error:
        if isinstance(error, NoPrompt):
            raise
        raise NoPrompt("missing-file", f"'{shown(name)}' is no file name") from error
    if len(content) > BYTES_MAX:
        raise NoPrompt("too-large", f"'{shown(name)}' is larger than {BYTES_MAX // 2**20} MiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"'{shown(name)}' is not UTF-8 (byte {error.start}); save it as UTF-8"
        raise NoPrompt("wrong-encoding", message) from None
    text = text.replace("\r\n", "\n").removesuffix("\n")
    digest = hashlib.sha256(content).hexdigest()
    return _Read(text=text, kept=SourceFile(name=name, sha256=digest, content=content))
