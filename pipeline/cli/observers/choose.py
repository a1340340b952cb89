"""Which observer fits: by the flags of the command line, then by what standard error is."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TextIO

from pipeline.cli.observers.watcher import Clean, Clock, Now, Watcher
from pipeline.cli.redact import redact, secrets_of
from pipeline.text import plain


def utc_now() -> datetime:
    return datetime.now(UTC)


def choose_observer(*, quiet: bool, log_format: str, stream: TextIO, clock: Clock, now: Now = utc_now) -> Watcher:
    """The observer for `--quiet`, for `--log-format json`, for a terminal, or for anything else, in this order.

    *stream* is where it shows: standard error, so that standard output is left to results.
    """
    from pipeline.cli.observers.json_lines import JsonLines
    from pipeline.cli.observers.lines import Lines, Quiet

    clean = without_secrets()
    if quiet:
        return Quiet(stream, clean=clean)
    if log_format == "json":
        return JsonLines(stream, clock=clock, now=now, clean=clean)
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        return Lines(stream, clock=clock, clean=clean)
    from pipeline.cli.observers.bars import Bars

    return Bars(stream, clock=clock, clean=clean)


def run_log(path: Path, *, now: Now = utc_now) -> Watcher:
    """The observer that appends to the log at *path*, made with mode 0600."""
    from pipeline.cli.observers.log import RunLog

    return RunLog(path, now=now, clean=without_secrets())


def without_secrets() -> Clean:
    """What makes a provider's text fit to be shown: no steering characters, no key of the environment."""
    return partial(_clean, secrets=secrets_of(os.environ))


def _clean(text: str, *, secrets: tuple[str, ...]) -> str:
    return redact(plain(text), secrets)
