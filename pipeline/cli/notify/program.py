"""A notice to a command: its JSON on standard input, without a shell, without our keys, and not for ever."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process

from pipeline.cli.notify.post import Undelivered

LIMIT_S: Final = 60.0
LAST_WORDS_S: Final = 0.5
"""What a command has said is read so long after its end; whatever it left running may hold the pipe for ever."""
OUTPUT_BYTES_MAX: Final = 16_384
EVENT: Final = "VIDBATCH_EVENT"


class Program:
    """One command, run once for each notice."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], *, limit_s: float = LIMIT_S) -> None:
        self._words = list(words)
        self._environment = environment
        self._limit_s = limit_s
        self._pid: int | None = None
        """Of the one that is running: its group is called the same."""
        self._abandoned = False

    async def tell(self, body: bytes, event: str) -> str:
        """Run it with *body* on its standard input; returns what it said. Raises `Undelivered`."""
        if self._abandoned:
            return ""
        try:
            process = await anyio.open_process(
                self._words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**self._environment, EVENT: event},
                start_new_session=True,  # Ctrl-C is for the run; and so that all of it can be ended together
            )
        except OSError as error:
            raise Undelivered(f"it does not start: {error.strerror or error}") from error
        self._pid = process.pid
        try:
            return await self._heard(process, body)
        finally:
            if process.returncode is None:
                self._end()
            self._pid = None
            with anyio.CancelScope(shield=True):
                await process.aclose()

    def abandon(self) -> None:
        """Be done with it now, from whatever thread."""
        self._abandoned = True
        self._end()

    async def _heard(self, process: Process, body: bytes) -> str:
        said, all_said = bytearray(), anyio.Event()
        with anyio.move_on_after(self._limit_s):
            async with anyio.create_task_group() as pipes:
                assert process.stdin is not None
                assert process.stdout is not None
                pipes.start_soon(_write, process.stdin, body)
                pipes.start_soon(_read, process.stdout, said, all_said)
                await process.wait()
                with anyio.move_on_after(LAST_WORDS_S):
                    await all_said.wait()
                pipes.cancel_scope.cancel()
        text = said.decode("utf-8", "replace")
        code = process.returncode
        if code is None:
            raise Undelivered(_with(text, f"it took more than {self._limit_s:g} s, and was ended"))
        if code != 0:
            raise Undelivered(_with(text, f"signal {-code} ended it" if code < 0 else f"it ended with {code}"))
        return text

    def _end(self) -> None:
        if self._pid is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._pid, signal.SIGKILL)
            else:
                os.kill(self._pid, signal.SIGTERM)  # Windows: TerminateProcess


async def _write(pipe: ByteSendStream, body: bytes) -> None:
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):  # it need not read it
        await pipe.send(body)
    with suppress(OSError):
        await pipe.aclose()


async def _read(pipe: ByteReceiveStream, said: bytearray, all_said: anyio.Event) -> None:
    """Its output to the end, of which no more is kept than a log bears."""
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        while True:
            said += (await pipe.receive())[: OUTPUT_BYTES_MAX - len(said)]
    all_said.set()


def _with(text: str, reason: str) -> str:
    """*reason*, and the last thing it said."""
    lines = text.strip().splitlines()
    return f"{reason}: {lines[-1]}" if lines else reason
