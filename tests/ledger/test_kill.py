"""A real writer, killed for real: what it was told is durable is there."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from pipeline.ledger.ledger import Ledger, read_run
from pipeline.lifecycle import State
from tests.ledger.histories import clock, key

WRITER = """
import sys
from pathlib import Path
import anyio
from pipeline.ledger.ledger import Ledger
from pipeline.lifecycle import Fact, State
from tests.ledger.histories import key, live, opened, planned

async def main(first):
    with opened(Path(sys.argv[1])) as ledger:
        ledger.settle_crash()
        async def one(number):
            planned(ledger, number)
            for fact in (Fact.INTENT, Fact.ACCEPTED, Fact.STATUS, Fact.FINISHED, Fact.STORED):
                live(ledger, number, fact)
                await ledger.commit()
                print(number, ledger.state.jobs[key(number)].state, flush=True)
        async def lane(start):
            for number in range(start, start + 100_000, 4):
                await one(number)
        async with anyio.create_task_group() as group:
            for slot in range(4):
                group.start_soon(lane, first + slot)

anyio.run(main, int(sys.argv[2]))
"""

ORDER = [State.SUBMITTING, State.UNCERTAIN, State.IN_FLIGHT, State.FINISHED, State.STORED]


def killed_after(path: Path, lines: int, first: int) -> dict[int, State]:
    """Run the writer, kill it after it said so many lines; how far it said that each job had come."""
    command = [sys.executable, "-c", WRITER, str(path), str(first)]
    confirmed: dict[int, State] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for count, line in enumerate(writer.stdout, start=1):
            if count == lines:
                writer.kill()
            if line.endswith("\n"):
                number, state = line.split()
                confirmed[int(number)] = State(state)
    return confirmed


def test_after_twenty_kills_nothing_that_was_confirmed_is_missing(tmp_path: Path) -> None:
    path, chance = tmp_path / "ledger.jsonl", random.Random(20)
    everything: dict[int, State] = {}
    for turn in range(20):
        confirmed = killed_after(path, chance.randint(1, 120), first=turn * 1_000_000)
        there = read_run(path)
        for number, state in confirmed.items():
            assert ORDER.index(there.jobs[key(number)].state) >= ORDER.index(state)
        with Ledger.open(path, now=clock()) as ledger:
            left_open = ledger.settle_crash()
        assert len(left_open) <= 4, "a submit slot leaves one open attempt at most"
        everything |= confirmed

    final = read_run(path)
    assert final.counts[State.SUBMITTING] == 0
    for number, state in everything.items():
        assert ORDER.index(final.jobs[key(number)].state) >= ORDER.index(state)
