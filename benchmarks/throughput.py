"""`python -m benchmarks.throughput`: a CSV of a thousand rows through vidbatch, beside the openai SDK, in turns.

Both speak to the same sandbox in a process of its own: render time 0 (or as given), a plain film of 4 KiB. Both are
timed twice, and alike: as commands, from start to exit, and by what is done once all is imported and read: the SDK's
loop, and `pipeline.run`. Ours syncs every intent, id and film; the SDK has no ledger and syncs nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import anyio
import anyio.to_thread
import httpx

from benchmarks.ground import python, table, vidbatch, write_rows
from pipeline import api
from pipeline.limits import LimitsWish
from pipeline.manifest.load import Wishes
from pipeline.prepare import Choice
from pipeline.sandbox.embedded import Embedded, embedded
from pipeline.sandbox.settings import KEY_ENV

FILM_BYTES = 4096
SUBMITS_PER_MINUTE = 100_000
"""More than anybody makes: the rate is not what is measured."""
WARM_ROWS = 5


class Round(NamedTuple):
    """How long each took, in seconds."""

    command_s: float
    sdk_command_s: float
    run_s: float
    sdk_loop_s: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--at-once", type=int, default=100)
    parser.add_argument("--render-s", type=float, default=0.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        anyio.run(_measure, args, Path(folder))


async def _measure(args: argparse.Namespace, folder: Path) -> None:
    options = {"render_s": args.render_s, "film": {"constant_bytes": FILM_BYTES}}
    async with embedded(folder / "sandbox", options) as server:
        await _Contest(WARM_ROWS, args.at_once, folder / "warm", server).round()  # compiles
        rounds: list[Round] = []
        for n in range(args.rounds):
            rounds.append(await _Contest(args.rows, args.at_once, folder / f"round-{n}", server).round())
            print(f"round {n + 1}: {rounds[-1]}", flush=True)
        await _check_book(server, 3 * (WARM_ROWS + args.rows * args.rounds))
    print(_report(args.rows, rounds))


class _Contest:
    """One round: the same prompts, three times."""

    def __init__(self, rows: int, at_once: int, folder: Path, server: Embedded) -> None:
        self._rows = rows
        self._at_once = at_once
        self._folder = folder
        self._environment = {
            **os.environ,
            "VIDBATCH_SANDBOX_URL": server.base_url,
            KEY_ENV: server.key,
            "OPENAI_BASE_URL": server.base_url,
            "OPENAI_API_KEY": server.key,
        }
        folder.mkdir()
        self._manifest = folder / "tugs.csv"
        write_rows(self._manifest, rows)

    async def round(self) -> Round:
        """The command line, the SDK, and ours in process, one after the other."""
        command_s = await anyio.to_thread.run_sync(self._command)
        sdk_command_s, sdk_loop_s = await anyio.to_thread.run_sync(self._sdk)
        run_s = await self._run()
        return Round(command_s=command_s, sdk_command_s=sdk_command_s, run_s=run_s, sdk_loop_s=sdk_loop_s)

    def _command(self) -> float:
        """`vidbatch run`, from its start to its exit."""
        outputs = self._folder / "command"
        limits = ["--in-flight", str(self._at_once), "--submits-per-minute", str(SUBMITS_PER_MINUTE)]
        words = ["run", str(self._manifest), "--provider", "sandbox", *limits, "--outputs", str(outputs), "--quiet"]
        spent = vidbatch(words, self._environment)
        self._check(outputs)
        return spent.wall_s

    def _sdk(self) -> tuple[float, float]:
        """The SDK's script from its start to its exit, and its loop alone."""
        files = self._folder / "sdk"
        files.mkdir()
        spent = python("benchmarks.sdk", [str(self._rows), str(files), str(self._at_once)], self._environment)
        self._check(files)
        return spent.wall_s, float(spent.said)

    async def _run(self) -> float:
        """`pipeline.run`, with the manifest read already."""
        manifest = api.load(self._manifest, Wishes(provider="sandbox"))
        limits = LimitsWish(in_flight=self._at_once, submits_per_minute=SUBMITS_PER_MINUTE)
        choice = Choice(outputs=self._folder / "inside", limits=limits)
        began_s = time.perf_counter()
        await api.run(manifest, choice, world=api.World(environment=self._environment))
        took_s = time.perf_counter() - began_s
        self._check(choice.outputs)
        return took_s

    def _check(self, folder: Path) -> None:
        sizes = [path.stat().st_size for path in folder.rglob("*.mp4")]
        if sizes != [FILM_BYTES] * self._rows:
            raise SystemExit(f"{folder}: {len(sizes)} films, and {self._rows} were to be made")


async def _check_book(server: Embedded, creates: int) -> None:
    """No create was sent twice, by whomever."""
    url = server.base_url.removesuffix("/v1") + "/debug/book"
    async with httpx.AsyncClient(trust_env=False, headers={"authorization": f"Bearer {server.key}"}) as client:
        book = (await client.get(url, timeout=60.0)).json()["entries"]
    if len(book) != creates:
        raise SystemExit(f"{len(book)} creates in the book, and {creates} were to be made")


def _report(rows: int, rounds: list[Round]) -> str:
    heads = ("videos/s", "vidbatch run", "SDK's script", "ratio", "pipeline.run", "SDK's loop", "ratio")
    middle = Round(*(statistics.median(column) for column in zip(*rounds, strict=True)))
    named = [*((f"round {n}", one) for n, one in enumerate(rounds, start=1)), ("median", middle)]
    return table(heads, [(name, *_rates(rows, one)) for name, one in named])


def _rates(rows: int, took: Round) -> list[str]:
    pairs = ((took.command_s, took.sdk_command_s), (took.run_s, took.sdk_loop_s))
    return [
        cell
        for ours_s, sdk_s in pairs
        for cell in (f"{rows / ours_s:.0f}", f"{rows / sdk_s:.0f}", f"{sdk_s / ours_s:.2f}")
    ]


if __name__ == "__main__":
    main()
