"""What every benchmark stands on: a manifest of many rows, commands as children, and a table."""

from __future__ import annotations

import atexit
import csv
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one child cost."""

    wall_s: float
    cpu_s: float
    rss_mib: float
    """The most that any child has held so far (`getrusage` knows no less)."""
    said: str
    """What it wrote to its standard output."""


def write_rows(path: Path, count: int) -> None:
    """A CSV manifest of *count* different prompts."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "prompt", "group"])
        for n in range(count):
            rows.writerow([f"row-{n}", prompt(n), f"g{n % 10}"])


def prompt(n: int) -> str:
    """The prompt of row *n*."""
    return f"A tug pulls barge {n} through the harbour at dawn, 35mm film"


@cache
def _bytecode() -> str:
    """A folder for compiled modules, as an installed package has them, wherever Python is told not to write any."""
    folder = tempfile.mkdtemp(prefix="vidbatch-bytecode-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def vidbatch(words: Sequence[str], environment: Mapping[str, str] = os.environ) -> Spent:
    """Run `vidbatch` with *words*, as `python` does."""
    return python("pipeline", words, environment)


def python(module: str, words: Sequence[str], environment: Mapping[str, str] = os.environ) -> Spent:
    """Run *module* with *words* as a child of its own; its exit code must be 0. Its modules are compiled once."""
    kept = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=ROOT,
        env={**kept, "PYTHONPYCACHEPREFIX": _bytecode()},
        capture_output=True,
        check=False,
    )
    wall_s, after = time.perf_counter() - began_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"{module} {' '.join(words)} ended with {done.returncode}:\n{done.stderr.decode()}")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(wall_s=wall_s, cpu_s=cpu_s, rss_mib=after.ru_maxrss / 1024, said=done.stdout.decode())


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table as Markdown writes it."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
