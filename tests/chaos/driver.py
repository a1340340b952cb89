"""A real runner process that is hit at random moments, and started again until nothing is left to do."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pipeline
from pipeline.sandbox.embedded import Embedded
from pipeline.sandbox.settings import KEY_ENV

HOME = str(Path(pipeline.__file__).parents[1])
SLOTS = 4
BYTES_A_JOB = 1400
"""About what one job adds to a ledger: only to spread the hits over the whole run."""
AT_START = 0.1
"""The share of hits that fall anywhere in a start, before the first record."""
START_S = 1.0
HUNG_S = 120.0
STARTING = b"<frozen site>"
"""Python itself ends with 1 where it is interrupted before it has run a line of ours, and shows where it was."""


@dataclass(slots=True, kw_only=True)
class Driver:
    """One manifest, one folder, one gateway that outlives every runner."""

    folder: Path
    server: Embedded
    jobs: int
    chance: random.Random
    live: int = 0
    """Hits that met a runner at work."""
    moments: list[int] = field(default_factory=list)
    """How long the ledger was at each hit, in bytes."""
    drains_s: list[float] = field(default_factory=list)
    """From each live hit to the runner's end."""
    codes: list[int] = field(default_factory=list)
    """What the runners that were hit ended with."""

    @property
    def run_folder(self) -> Path:
        return self.folder / "night"

    @property
    def _ledger_bytes(self) -> int:
        try:
            return (self.run_folder / "ledger.jsonl").stat().st_size
        except FileNotFoundError:
            return 0

    def write_manifest(self) -> None:
        """So many prompts, each its own."""
        document = {
            "version": 1,
            "name": "night",
            "provider": {"profile": "sandbox", "base_url": self.server.base_url},
            "limits": {"in_flight": 16, "submits_per_minute": 60_000, "submit_slots": SLOTS, "downloads": 4},
            "jobs": [{"id": f"job-{n}", "prompt": f"tug {n} at dawn"} for n in range(self.jobs)],
        }
        (self.folder / "night.yaml").write_text(json.dumps(document), encoding="utf-8")  # JSON is YAML

    def vidbatch(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another command on this run, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "pipeline", *words],
            env=self._environment,
            capture_output=True,
            encoding="utf-8",
            timeout=HUNG_S,
            check=False,
        )

    def finish(self) -> int:
        """A last run that nobody hits; its exit code."""
        return self.again().returncode

    def again(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The same run, with *words* added, to its end."""
        return self.vidbatch(*self._run_words, *words)

    def hit(self, number: int, hits_left: int) -> bool:
        """Start a runner and send it signal *number* at a random moment; whether it was at work then."""
        began_bytes, said = self._ledger_bytes, self.folder / "stderr.txt"
        with said.open("wb") as stderr:
            runner = subprocess.Popen(
                [sys.executable, "-m", "pipeline", *self._run_words],
                env=self._environment,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
        self._await_moment(runner, began_bytes, hits_left)
        at_work = runner.poll() is None
        if at_work:
            self.moments.append(self._ledger_bytes)
            runner.send_signal(number)
        hit_s = time.monotonic()
        code = runner.wait(timeout=HUNG_S)
        self.codes.append(-number if code == 1 and STARTING in said.read_bytes() else code)
        if at_work:
            self.drains_s.append(time.monotonic() - hit_s)
        self.live += at_work
        return at_work

    def _await_moment(self, runner: subprocess.Popen[bytes], began_bytes: int, hits_left: int) -> None:
        """Until the ledger has grown by a random share of what is left of it, and a random blink longer."""
        chance = self.chance
        if chance.random() < AT_START:
            _pause(runner, chance.uniform(0.0, START_S))
            return
        left = max(self.jobs * BYTES_A_JOB - began_bytes, 0)
        until_bytes = began_bytes + chance.uniform(1, 1.6 * left / (hits_left + 1))
        given_up_s = time.monotonic() + HUNG_S
        while runner.poll() is None and self._ledger_bytes < until_bytes and time.monotonic() < given_up_s:
            time.sleep(0.0005)
        _pause(runner, chance.uniform(0.0, 0.02))

    @property
    def _run_words(self) -> tuple[str, ...]:
        return ("run", str(self.folder / "night.yaml"), "--outputs", str(self.folder), "--quiet")

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": HOME, KEY_ENV: self.server.key}


def _pause(runner: subprocess.Popen[bytes], wait_s: float) -> None:
    try:
        runner.wait(timeout=wait_s)
    except subprocess.TimeoutExpired:
        return


KILL = (signal.SIGKILL,)
POLITE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
