"""Where a run's ledger is: the names in a run folder that belong to it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pipeline.errors import UsageError

LEDGER_NAME = "ledger.jsonl"


def ledger_of(run: Path) -> Path:
    """The ledger that *run* names: a run folder, or the ledger itself. Raises `UsageError` where there is none."""
    path = run / LEDGER_NAME if run.is_dir() else run
    if not path.is_file():
        raise UsageError(f"{run}: there is no ledger here; name a run folder such as outputs/harbour")
    if path.name != LEDGER_NAME and not _begins_like_a_ledger(path):
        raise UsageError(f"{run}: this is no ledger; name a run folder such as outputs/harbour")
    return path


def _begins_like_a_ledger(path: Path) -> bool:
    """Whether a file of another name may be one: a copy, or what a repair kept."""
    with path.open("rb") as file:
        return file.read(5) in (b"", b'{"n":')


def set_aside(path: Path, kind: str, at: datetime, suffix: str = "") -> Path:
    """A free name beside the ledger at *path* for bytes that are kept: `ledger.torn-20261122T190000Z`."""
    stem = f"{path.stem}.{kind}-{at:%Y%m%dT%H%M%SZ}"
    names = (f"{stem}{f'-{count}' if count else ''}{suffix}" for count in range(1000))
    return next(free for name in names if not (free := path.with_name(name)).exists())
