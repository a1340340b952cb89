"""Signals to a real runner process: the first drains, the second leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

import pipeline
from pipeline.ledger.ledger import read_run
from pipeline.lifecycle import State
from tests.runner.gateway import Answer, Seen, answer
from tests.runner.night import HUNG_S, Night

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")]

HOME = str(Path(pipeline.__file__).parents[1])
NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


@asynccontextmanager
async def _runner(night: Night) -> AsyncIterator[Process]:
    """`vidbatch run` of five prompts against the night's gateway, in a process of its own."""
    path = night.outputs / "harbour.yaml"
    document = {
        "version": 1,
        "provider": {"profile": "sandbox", "base_url": night.base_url},
        "jobs": [{"id": f"job-{n}", "prompt": f"tug {n}"} for n in range(5)],
    }
    path.write_text(json.dumps(document), encoding="utf-8")  # JSON is YAML
    words = ["run", str(path), "--outputs", str(night.outputs), "--log-format", "json"]
    process = await anyio.open_process(
        [sys.executable, "-m", "pipeline", *words],
        env={**os.environ, "PYTHONPATH": HOME},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    async with process:
        with anyio.fail_after(HUNG_S):
            yield process


async def _said(process: Process, word: str) -> None:
    """Read what the runner says until *word* is in it."""
    assert process.stderr is not None
    text = ""
    async for piece in TextReceiveStream(process.stderr):
        text += piece
        if word in text:
            return
    raise AssertionError(f"the runner ended without saying '{word}': {text}")


def _hold_first_post(night: Night) -> tuple[anyio.Event, anyio.Event]:
    """The first POST is taken and not answered yet; events for when it came, and to let it be answered."""
    came, go_on = anyio.Event(), anyio.Event()

    def hold(seen: Seen) -> Answer:
        came.set()
        return replace(answer(night.gateway.sell(seen)), hold=go_on)

    night.gateway.once("submit", hold)
    return came, go_on


@pytest.mark.parametrize("name", NAMES)
async def test_the_first_signal_waits_for_the_open_post_and_writes_its_answer_down(night: Night, name: str) -> None:
    came, go_on = _hold_first_post(night)
    async with _runner(night) as process:
        await came.wait()
        process.send_signal(getattr(signal, name))
        await _said(process, "interrupted")
        assert process.returncode is None
        go_on.set()
        assert await process.wait() == 130
    state = read_run(night.folder)
    assert len(night.gateway.of("submit")) == 1
    assert (state.counts[State.IN_FLIGHT], state.counts[State.PENDING]) == (1, 4)
    assert state.counts[State.UNCERTAIN] == state.counts[State.SUBMITTING] == 0


async def test_the_second_signal_leaves_at_once_and_the_open_post_is_uncertain(night: Night) -> None:
    came, go_on = _hold_first_post(night)
    async with _runner(night) as process:
        await came.wait()
        process.send_signal(signal.SIGINT)
        await _said(process, "interrupted")
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130
    assert read_run(night.folder).counts[State.SUBMITTING] == 1
    go_on.set()
    async with _runner(night) as process:
        assert await process.wait() == 4
    state = read_run(night.folder)
    assert (state.counts[State.UNCERTAIN], state.counts[State.STORED]) == (1, 4)
    assert len(night.gateway.of("submit")) == 5
