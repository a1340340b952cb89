"""Examining videos in a process of its own, one after the other; it is started when first needed, and anew when lost.

Needs the extra `media`. Works under asyncio and trio.
"""

from __future__ import annotations

import base64
import json
import math
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

import pipeline
from pipeline.errors import MissingExtra, PipelineError
from pipeline.ledger.media import NOT_DECODED, media_of
from pipeline.media.examine import Examined
from pipeline.media.poster import WIDTH_MAX

EXTRA: Final = "media"
LIMIT_S: Final = 120.0
"""A file has so long; a clip of a minute in 4K takes some tens of seconds on one slow core."""
START_S_MAX: Final = 60.0
"""A cold start on a busy machine."""
ANSWER_BYTES_MAX: Final = 4 << 20
_HANDED_ON: Final = ("PATH", "LD_LIBRARY_PATH", "PYTHON", "LANG", "LC_", "TMP", "TEMP", "TZ", "SYSTEMROOT")
"""Beginnings of the names of the variables that the child gets: what Python needs, and no provider's key."""

_GONE: Final = (
    anyio.EndOfStream,
    anyio.IncompleteRead,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.DelimiterNotFound,
)
"""What the streams of a process raise that is gone."""


class NoExaminer(PipelineError):
    """The process that examines does not start; nothing can be said of any file."""


class NotExamined(Exception):
    """Nothing could be said of this file, by no fault of its own; the message says why."""


class NoPoster(Exception):
    """No picture could be made of this file; the message says why."""


class Examines(Protocol):
    """What a run needs of an examiner."""

    async def examine(self, path: Path, poster_width: int = 0) -> Examined:
        """As `Examiner.examine`."""


def is_at_hand() -> bool:
    """Whether videos can be examined here: the extra `media` is installed."""
    return find_spec("av") is not None


def demand(purpose: str) -> None:
    """Raise `MissingExtra` where *purpose* cannot be served."""
    if not is_at_hand():
        raise MissingExtra(EXTRA, purpose)


class Examiner:
    """One child, and what is asked of it. One at a time asks; several of these use several cores."""

    def __init__(self, *, limit_s: float = LIMIT_S, program: Sequence[str] = ("-m", "pipeline.media.child")) -> None:
        self._limit_s = limit_s
        self._program = program
        self._process: Process | None = None
        self._answers: BufferedByteReceiveStream | None = None

    @property
    def pid(self) -> int | None:
        """Of the child, where there is one."""
        return self._process.pid if self._process else None

    async def examine(self, path: Path, poster_width: int = 0) -> Examined:
        """Decode all of *path*; with a poster of at most this width, where it is not 0.

        A file that takes too long, or that the child dies of, has its verdict, too. Raises `NotExamined` where the disk
        could not give it, and `NoExaminer`.
        """
        try:
            answer = await self._ask({"path": str(path.absolute()), "poster": poster_width})
        except _Fallen as fallen:
            return Examined(media=replace(NOT_DECODED, problems=(f"it could not be decoded: {fallen}",)))
        if "error" in answer:
            raise NotExamined(answer["error"])
        return Examined(media=media_of(answer["media"]), poster=base64.b64decode(answer["poster"]))

    async def poster(self, path: Path, width_max: int = WIDTH_MAX) -> bytes:
        """The first frame of *path* that is not black (or the first), as a JPEG. Raises `NoPoster`, `NoExaminer`."""
        try:
            answer = await self._ask({"path": str(path.absolute()), "only_poster": width_max})
        except _Fallen as fallen:
            raise NoPoster(str(fallen)) from fallen
        if picture := base64.b64decode(answer.get("poster", "")):
            return picture
        raise NoPoster(answer.get("error", "it has no frame"))

    async def close(self) -> None:
        """End the child. Whoever asked it is not answered."""
        process, self._process, self._answers = self._process, None, None
        if process is not None:
            with anyio.CancelScope(shield=True):
                if process.returncode is None:
                    process.kill()
                await process.aclose()

    async def _ask(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What the child answers. Raises `_Fallen`, and `NoExaminer`; then there is no child any more."""
        answered = False
        try:
            process, answers = await self._at_work()
            with anyio.fail_after(self._limit_s):
                assert process.stdin is not None
                await process.stdin.send(json.dumps(asked).encode("ascii") + b"\n")
                line = await answers.receive_until(b"\n", ANSWER_BYTES_MAX)
            answered = True
        except TimeoutError:
            raise _Fallen(f"it took more than {self._limit_s:g} s") from None
        except _GONE as error:
            raise _Fallen(f"the decoder died of it{await self._last_words()}") from error
        finally:
            if not answered:
                await self.close()  # also where we are cancelled: an answer that comes late is another file's
        document: dict[str, Any] = json.loads(line)
        return document

    async def _at_work(self) -> tuple[Process, BufferedByteReceiveStream]:
        """The child, started where there is none. Raises `NoExaminer`."""
        if self._process is not None and self._answers is not None:
            return self._process, self._answers
        try:
            with anyio.CancelScope(shield=True):  # cut off in between, there would be a child that nobody knows
                self._process = await self._start()
            assert self._process is not None
            assert self._process.stdout is not None
            self._answers = BufferedByteReceiveStream(self._process.stdout)
            with anyio.fail_after(START_S_MAX):
                await self._answers.receive_until(b"\n", ANSWER_BYTES_MAX)
        except TimeoutError:
            raise NoExaminer(f"no answer in {START_S_MAX:g} s") from None
        except (OSError, *_GONE) as error:
            raise NoExaminer(f"it does not start{await self._last_words()}") from error
        return self._process, self._answers

    async def _start(self) -> Process:
        # -P: a file in the current folder never stands in for a module. Our own place is named instead, so that the
        # child is the same vidbatch as we are, installed or not.
        home = str(Path(pipeline.__file__).parents[1])
        path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
        kept = {name: value for name, value in os.environ.items() if name.upper().startswith(_HANDED_ON)}
        return await anyio.open_process(
            [sys.executable, "-P", *self._program, str(math.ceil(self._limit_s) + 5)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**kept, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C is for the run
        )

    async def _last_words(self) -> str:
        """How the child ended, for whoever asks why it does not answer."""
        if self._process is None:
            return ""
        with anyio.move_on_after(1.0):
            await self._process.wait()
        code = self._process.returncode
        if code is None:
            return ""
        return f" (signal {-code})" if code < 0 else f" (exit code {code})"


class _Fallen(Exception):
    """The child did not survive a file, or was ended over it."""


@asynccontextmanager
async def examiner() -> AsyncIterator[Examiner | None]:
    """An examiner whose child ends with the block; `None` where the extra is not installed."""
    if not is_at_hand():
        yield None
        return
    one = Examiner()
    try:
        yield one
    finally:
        await one.close()
