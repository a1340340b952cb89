"""`python -m benchmarks.throughput`: a thousand rows through vidbatch, beside the openai SDK, in alternating rounds.

Both speak to the same sandbox in a process of its own: render time 0 (or as given), a plain film of 4 KiB, no list.
Ours is the real command line, from its start to its exit, every fsync included. The SDK's time is that of its loop
alone: no start of an interpreter, no ledger, no fsync.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import anyio
import httpx
import yaml

from benchmarks import sdk
from benchmarks.ground import table, vidbatch
from pipeline import api
from pipeline.prepare import Choice
from pipeline.sandbox.embedded import Embedded, embedded
from pipeline.sandbox.settings import KEY_ENV

FILM_BYTES = 4096
WARM_ROWS = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--at-once", type=int, default=100)
    parser.add_argument("--slots", type=int, default=4, help="POSTs at once; the sandbox profile's own number")
    parser.add_argument("--downloads", type=int, default=8)
    parser.add_argument("--render-s", type=float, default=0.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        anyio.run(_measure, args, Path(folder))


async def _measure(args: argparse.Namespace, folder: Path) -> None:
    options = {"render_s": args.render_s, "film": {"constant_bytes": FILM_BYTES}}
    rounds: list[tuple[float, float, float]] = []
    async with embedded(folder / "sandbox", options) as server:
        warm = argparse.Namespace(**{**vars(args), "rows": WARM_ROWS})
        await anyio.to_thread.run_sync(_Contest(warm, folder / "warm", server).command_line)  # compiles
        for n in range(args.rounds):
            contest = _Contest(args, folder / f"round-{n}", server)
            ours_s = await anyio.to_thread.run_sync(contest.command_line)
            theirs_s = await anyio.to_thread.run_sync(contest.sdk)
            inside_s = await contest.in_process()
            rounds.append((ours_s, theirs_s, inside_s))
            print(f"round {n + 1}: ours {ours_s:.2f} s, SDK {theirs_s:.2f} s, in process {inside_s:.2f} s", flush=True)
        await _check_book(server, WARM_ROWS + 3 * args.rows * args.rounds)
    print(_report(args, rounds))


class _Contest:
    """One round: the same prompts, three ways."""

    def __init__(self, args: argparse.Namespace, folder: Path, server: Embedded) -> None:
        self._server = server
        self._folder = folder
        self._prompts = [f"A tug pulls barge {n} through the harbour at dawn, 35mm film" for n in range(args.rows)]
        self._at_once: int = args.at_once
        self._environment = {**os.environ, KEY_ENV: server.key}
        self._manifest = folder / "tugs.yaml"
        folder.mkdir()
        self._manifest.write_text(yaml.safe_dump(self._document(args)), encoding="utf-8")

    def _document(self, args: argparse.Namespace) -> object:
        # YAML, because a CSV cannot say how many at once; it takes longer to read, which is on us.
        return {
            "version": 1,
            "provider": {"profile": "sandbox", "base_url": self._server.base_url},
            "limits": {
                "in_flight": args.at_once,
                "submits_per_minute": 60_000,
                "submit_slots": args.slots,
                "downloads": args.downloads,
            },
            "jobs": [{"id": f"row-{n}", "prompt": prompt} for n, prompt in enumerate(self._prompts)],
        }

    def command_line(self) -> float:
        """`vidbatch run`, from its start to its exit."""
        outputs = self._folder / "command"
        spent = vidbatch(["run", str(self._manifest), "--outputs", str(outputs), "--quiet"], self._environment)
        self._check(outputs)
        return spent.wall_s

    def sdk(self) -> float:
        """The SDK, its loop alone."""
        files = self._folder / "sdk"
        files.mkdir()
        took_s = sdk.run(self._server.base_url, self._server.key, self._prompts, files, self._at_once)
        self._check(files)
        return took_s

    async def in_process(self) -> float:
        """`pipeline.run`, with the manifest read already."""
        outputs = self._folder / "inside"
        manifest, world = api.load(self._manifest), api.World(environment=self._environment)
        began_s = time.perf_counter()
        await api.run(manifest, Choice(outputs=outputs), world=world)
        took_s = time.perf_counter() - began_s
        self._check(outputs)
        return took_s

    def _check(self, folder: Path) -> None:
        sizes = [path.stat().st_size for path in folder.rglob("*.mp4")]
        if sizes != [FILM_BYTES] * len(self._prompts):
            raise SystemExit(f"{folder}: {len(sizes)} films, and {len(self._prompts)} were to be made")


async def _check_book(server: Embedded, creates: int) -> None:
    """No create was sent twice, by whomever."""
    url = server.base_url.removesuffix("/v1") + "/debug/book"
    async with httpx.AsyncClient(trust_env=False, headers={"authorization": f"Bearer {server.key}"}) as client:
        book = (await client.get(url, timeout=60.0)).json()["entries"]
    if len(book) != creates:
        raise SystemExit(f"{len(book)} creates in the book, and {creates} were to be made")


def _report(args: argparse.Namespace, rounds: list[tuple[float, float, float]]) -> str:
    heads = ("round", "vidbatch run, videos/s", "SDK, videos/s", "ratio", "pipeline.run, videos/s", "ratio")
    rows: list[tuple[object, ...]] = [_row(str(n), args.rows, *times) for n, times in enumerate(rounds, start=1)]
    rows.append(_row("median", args.rows, *(statistics.median(column) for column in zip(*rounds, strict=True))))
    return table(heads, rows)


def _row(name: str, videos: int, ours_s: float, theirs_s: float, inside_s: float) -> tuple[object, ...]:
    rates = [f"{videos / taken_s:.0f}" for taken_s in (ours_s, theirs_s, inside_s)]
    return name, rates[0], rates[1], f"{theirs_s / ours_s:.2f}", rates[2], f"{theirs_s / inside_s:.2f}"


if __name__ == "__main__":
    main()
