"""Examining videos in a process of its own, one after the other; it is started when first needed, and anew when lost.

Needs the extra `media`. Works under asyncio and trio.
"""

from __future__ import annotations

import base64
import json
import math
import os
import signal
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
_HANDED_ON: Final = frozenset(
    {
        *("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TMP", "TEMP", "TZ", "LANG", "LANGUAGE"),
        *(f"LC_{what}" for what in ("ALL", "COLLATE", "CTYPE", "MESSAGES", "MONETARY", "NUMERIC", "TIME")),
        *("PYTHONHOME", "PYTHONUTF8", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONPLATLIBDIR"),
        *("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"),
    }
)
"""The variables that the child gets: what Python needs. Whole names: a key's may begin in any way."""
_DECODERS_FAULTS: Final = frozenset({"SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE"})
"""What a decoder brings upon itself; any other end comes from outside: memory that ran out, a service that stops."""
_FAULT_OF: Final = {
    "disk": "the disk does not give it",
    "machine": "the machine has too little for it",
    "file": "the decoder cannot say",
}

_NONSENSE: Final = "the decoder's answer makes no sense"

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

    async def start(self) -> None:
        """As `Examiner.start`."""

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

    async def start(self) -> None:
        """Start the child now. Raises `NoExaminer`."""
        try:
            await self._at_work()
        except NoExaminer:
            await self.close()
            raise

    async def examine(self, path: Path, poster_width: int = 0) -> Examined:
        """Decode all of *path*; with a poster of at most this width, where it is not 0.

        A file that takes too long, or that the child dies of, is given to a fresh one; where that ends so, too, its
        problem is told, and `decodes` is `None`. Raises `NotExamined` where nothing can be said of the file, as where
        the disk does not give it or the child was ended from outside, and `NoExaminer`.
        """
        asked = {"path": str(path.absolute()), "poster": poster_width}
        try:
            answer = await self._ask_twice(asked)
        except _Fallen as fallen:
            if not fallen.by_the_file:
                raise NotExamined(str(fallen)) from fallen
            words = f"it could not be decoded: {fallen}, twice"
            return Examined(media=replace(NOT_DECODED, decodes=None, problems=(words,)))
        try:
            if "error" in answer:
                raise NotExamined(f"{_FAULT_OF[answer['of']]}: {answer['error']}")
            return Examined(media=media_of(answer["media"]), poster=base64.b64decode(answer["poster"]))
        except (KeyError, TypeError, ValueError) as error:
            await self.close()
            raise NotExamined(_NONSENSE) from error

    async def poster(self, path: Path, width_max: int = WIDTH_MAX) -> bytes:
        """The first frame of *path* that is not black (or the first), as a JPEG. Raises `NoPoster`, `NoExaminer`."""
        try:
            answer = await self._ask({"path": str(path.absolute()), "only_poster": width_max})
        except _Fallen as fallen:
            raise NoPoster(str(fallen)) from fallen
        try:
            picture = base64.b64decode(answer.get("poster", ""))
        except (TypeError, ValueError) as error:
            await self.close()
            raise NoPoster(_NONSENSE) from error
        if not picture:
            raise NoPoster(str(answer.get("error", "it has no frame")))
        return picture

    async def close(self) -> None:
        """End the child. Whoever asked it is not answered."""
        process, self._process, self._answers = self._process, None, None
        if process is not None:
            with anyio.CancelScope(shield=True):
                if process.returncode is None:
                    process.kill()
                await process.aclose()

    async def _ask_twice(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """As `_ask`, of a fresh child where the first one falls. Raises the second `_Fallen`."""
        try:
            return await self._ask(asked)
        except _Fallen as first:
            try:
                return await self._ask(asked)
            except _Fallen as second:
                second.by_the_file = second.by_the_file and first.by_the_file
                raise

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
            raise _Fallen(f"it took more than {self._limit_s:g} s", by_the_file=True) from None
        except _GONE as error:
            words = await self._last_words()
            raise _Fallen(f"the decoder died{words}", by_the_file=self._has_faulted()) from error
        finally:
            if not answered:
                await self.close()  # also where we are cancelled: an answer that comes late is another file's
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            await self.close()
            raise _Fallen(_NONSENSE, by_the_file=False)
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
        kept = {name: value for name, value in os.environ.items() if name.upper() in _HANDED_ON}
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

    def _has_faulted(self) -> bool:
        """Whether the child ended by its own doing, not by somebody else's."""
        code = self._process.returncode if self._process else None
        return code is not None and code < 0 and _signal_name(-code) in _DECODERS_FAULTS


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return ""


class _Fallen(Exception):
    """The child did not survive a file, or was ended over it."""

    def __init__(self, words: str, *, by_the_file: bool) -> None:
        super().__init__(words)
        self.by_the_file = by_the_file
        """Whether the file may be why; otherwise it is not known to be."""


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
