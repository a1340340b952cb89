"""The texts of prompt files."""

from __future__ import annotations

from pipeline.manifest.fields import shown
from pipeline.manifest.files import BadFile, Files

BYTES_MAX = 2**20


class PromptFiles:
    """The prompt files of a manifest, each decoded once."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._texts: dict[str, str] = {}

    def text(self, name: str) -> str:
        """What the file *name* holds, without its last newline. Raises `BadFile`."""
        known = self._texts.get(name)
        if known is None:
            known = self._texts[name] = _decoded(name, self._files.read(name, bytes_max=BYTES_MAX).content)
        return known


def _decoded(name: str, content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"'{shown(name)}' is not UTF-8 (byte {error.start}); save it as UTF-8"
        raise BadFile("wrong-encoding", message) from None
    return text.replace("\r\n", "\n").removesuffix("\n")
