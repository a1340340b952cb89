"""The report that a bug of ours leaves behind: enough to find it, and nothing that is secret."""

from __future__ import annotations

import os
import platform
import shlex
import tempfile
import traceback
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pipeline.cli.redact import redact, redact_words, secrets_of
from pipeline.cli.streams import say
from pipeline.disk import DISK
from pipeline.version import __version__


def report(error: BaseException, words: Sequence[str]) -> None:
    """Write the report of *error* to standard error and, where there is room, to a file."""
    at = datetime.now(UTC)
    text = crash_report(error, words, at=at, environ=os.environ)
    say("vidbatch: this is a bug of ours, sorry. What the ledger holds is safe: the same command goes on from there.\n")
    say(text)
    path = keep(text, at=at, folders=_folders())
    if path is not None:
        say(f"This report is in {path}; please attach it when you tell us about it.")


def crash_report(error: BaseException, words: Sequence[str], *, at: datetime, environ: Mapping[str, str]) -> str:
    """What a maintainer needs to know: versions, the command *words*, the traceback. Secrets in *environ* are out."""
    rows = {
        "vidbatch": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "command": shlex.join(["vidbatch", *redact_words(words)]),
    }
    head = "\n".join(f"{name:<9} {value}" for name, value in rows.items())
    return redact(f"{head}\n\n{''.join(traceback.format_exception(error))}", secrets_of(environ))


def keep(text: str, *, at: datetime, folders: Iterable[Path]) -> Path | None:
    """Write *text* into the first of *folders* that takes it; `None` where none does."""
    for folder in folders:
        path = folder / f"vidbatch-crash-{at:%Y%m%dT%H%M%SZ}-{os.getpid()}.txt"
        with suppress(OSError):
            DISK.write_whole(path, text.encode("utf-8", "backslashreplace"))
            return path
    return None


def _folders() -> Iterable[Path]:
    yield Path()
    with suppress(OSError):
        yield Path(tempfile.gettempdir())
