"""The mark in every folder that an export made: it says whose the folder is, and in the end what was put there.

A folder without it is somebody else's. In one that has it, what it does not list is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

MARK: Final = ".vidbatch-export"
_TEXT: Final = "made by vidbatch export, which replaces this folder as a whole when it is told to (--force)\n"


def mark(names: Iterable[str] = ()) -> bytes:
    """The text of it in a folder of the files *names* (below the folder, with `/`); none yet: in a draft."""
    return (_TEXT + "".join(f"{name}\n" for name in sorted(names))).encode()


def is_marked(folder: Path) -> bool:
    """Whether an export made *folder*. A link is nobody's."""
    return not folder.is_symlink() and not (folder / MARK).is_symlink() and (folder / MARK).is_file()


def unlisted(folder: Path) -> str:
    """The first name below the marked *folder* that the export did not put there; empty: there is none.

    Raises `OSError` where it cannot be read.
    """
    ours = {MARK, *(folder / MARK).read_text("utf-8", "replace").split("\n")[1:]} - {""}
    folders = {above.as_posix() for name in ours for above in Path(name).parents}
    for here, below, files in os.walk(folder, onerror=_fail):
        root = Path(here).relative_to(folder)
        for path in ((root / name).as_posix() for name in below):
            if path not in (ours if (folder / path).is_symlink() else folders):
                return path
        for path in ((root / name).as_posix() for name in files):
            if path not in ours:
                return path
    return ""


def _fail(error: OSError) -> None:
    raise error
