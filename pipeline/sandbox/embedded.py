"""A sandbox of one's own: started on a free loopback port, ended with whoever started it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

import anyio
from anyio.abc import Process

import pipeline
from pipeline.disk import DISK, FILE_MODE
from pipeline.errors import PipelineError
from pipeline.model import JSON
from pipeline.sandbox.serve import require_extra
from pipeline.sandbox.settings import KEY_ENV, Settings

START_S_MAX: Final = 30.0
"""A cold start on a busy machine, and the wait for a predecessor that is just ending."""
END_S_MAX: Final = 5.0
_HANDED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "PYTHON", "LANG", "LC_", "TMP", "TEMP", "TZ", "SYSTEMROOT")
"""Beginnings of the names of the variables that the child gets: what Python needs, and no provider's key."""


class SandboxFailed(PipelineError):
    """The embedded sandbox did not start."""


LastWords: TypeAlias = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """Where it is, and the key that it takes."""

    base_url: str
    key: str = field(repr=False)
    ended: LastWords = field(repr=False)
    """Waits until it ends by itself, which it should not, and tells its last words."""


@asynccontextmanager
async def embedded(folder: Path, options: Mapping[str, JSON]) -> AsyncIterator[Embedded]:
    """A running sandbox over *folder*, with *options* as settings (see `Settings`); it ends with the block.

    Its jobs stay in the folder, so the next one over the same folder still has them. What it has to say is in
    `sandbox.log` there. Runs under asyncio and trio. Raises `MissingExtra`, `UsageError` for an option that cannot be,
    `SandboxFailed`.
    """
    require_extra()
    settings = Settings().changed(options)
    key = secrets.token_urlsafe(24)
    DISK.make_folder(folder)
    process = await _start(folder, settings, key)
    try:
        base_url = await _where(process, folder)
        yield Embedded(base_url=base_url, key=key, ended=partial(_ended, process, folder))
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process)


def has_book(folder: Path) -> bool:
    """Whether a sandbox has been at work in *folder*, and what it sold is still known there."""
    return (folder / "book.jsonl").is_file()


async def _start(folder: Path, settings: Settings, key: str) -> Process:
    # -P: a file in the current folder never stands in for a module. Our own place is named instead, so that the child
    # is the same vidbatch as we are, installed or not.
    home = str(Path(pipeline.__file__).parents[1])
    path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    log = os.open(folder / "sandbox.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    try:
        return await anyio.open_process(
            [sys.executable, "-P", "-m", "pipeline.sandbox", str(folder), json.dumps(settings.as_json())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**_environment(os.environ), "PYTHONPATH": path, KEY_ENV: key},
            start_new_session=True,  # Ctrl-C is for the run, which drains; the sandbox answers it till then
        )
    finally:
        os.close(log)


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in ours.items() if name.upper().startswith(_HANDED_ON)}


async def _where(process: Process, folder: Path) -> str:
    assert process.stdout is not None
    line = b""
    with anyio.move_on_after(START_S_MAX):
        try:
            while not line.endswith(b"\n"):
                line += await process.stdout.receive()
        except anyio.EndOfStream:
            line = b""
    if not line.endswith(b"\n"):
        said = _last_words(folder) or f"no answer in {START_S_MAX:g} s"
        raise SandboxFailed(f"the sandbox did not start: {said}")
    return str(json.loads(line)["base_url"])


async def _ended(process: Process, folder: Path) -> str:
    code = await process.wait()
    return _last_words(folder) or (f"signal {-code} ended it" if code < 0 else f"its exit code is {code}")


def _last_words(folder: Path) -> str:
    """The last line of its log; empty where there is none."""
    said = (folder / "sandbox.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return said[-1] if said else ""


async def _end(process: Process) -> None:
    """Close its stdin, on which it ends by itself; if it does not, end it."""
    assert process.stdin is not None
    await process.stdin.aclose()
    with anyio.move_on_after(END_S_MAX):
        await process.wait()
    if process.returncode is None:
        process.kill()
    await process.aclose()
