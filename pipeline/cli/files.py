"""Files that a command writes where the user says: whole or not at all, and never over another one without leave."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.disk import DISK, words_of
from pipeline.errors import UsageError
from pipeline.ledger.place import LEDGER_NAME, ledger_of


def check_new(path: Path, advice: str) -> None:
    """Refuse a *path* that is taken, with *advice*, or that cannot be written. Raises `UsageError`."""
    if os.path.lexists(path):
        raise UsageError(f"{path} is there already and stays as it is; {advice}")
    if not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written: there is no folder {path.parent}")


def check_apart(path: Path, run: Path) -> None:
    """Refuse a *path* that is in the folder of a run, that folder itself, or one around *run*. Raises `UsageError`.

    It is looked for where it really is, and where its name is, if it is a link; with `..` as the system takes it, and
    as a person does.
    """
    ledger = ledger_of(run)
    kept = [Path(os.path.realpath(own)) for own in (ledger, ledger.parent / "videos")]
    for place in _places(path):
        for above in (place, *place.parents):
            if (above / LEDGER_NAME).is_file() or _is_same(above, kept[1]):
                raise UsageError(f"{path} is in the folder of a run, {above}: name a place elsewhere")
        if any(_is_same(place, above) for own in kept for above in (own, *own.parents)):
            raise UsageError(f"{path} holds the run {run}: name a place elsewhere")


def _places(path: Path) -> Iterator[Path]:
    for said in (path, Path(os.path.abspath(path))):  # noqa: PTH100  `absolute` leaves `..` in it
        yield Path(os.path.realpath(said))
        yield Path(os.path.realpath(said.parent)) / said.name


def _is_same(one: Path, other: Path) -> bool:
    """Whether both are there, and the same: names may differ in case."""
    try:
        return one.samefile(other)
    except OSError:
        return False


def write_file(path: Path, parts: Iterable[bytes]) -> None:
    """Make *path* hold *parts*, one after the other, in one step at the end. Raises `UsageError`."""
    try:
        DISK.write_blocks(path, parts)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {words_of(error)}") from error
