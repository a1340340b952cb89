"""Files that a command writes where the user says: whole or not at all, and never over another one without leave."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from pipeline.disk import DISK, words_of
from pipeline.errors import UsageError


def check_new(path: Path, advice: str) -> None:
    """Refuse a *path* that is taken, with *advice*, or that cannot be written. Raises `UsageError`."""
    if os.path.lexists(path):
        raise UsageError(f"{path} is there already and stays as it is; {advice}")
    if not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written: there is no folder {path.parent}")


def write_file(path: Path, parts: Iterable[bytes]) -> None:
    """Make *path* hold *parts*, one after the other, in one step at the end. Raises `UsageError`."""
    try:
        DISK.write_blocks(path, parts)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {words_of(error)}") from error
