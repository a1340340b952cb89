"""`python -m benchmarks.manifest`: large manifests are checked, expanded and planned, without sending anything.

Required of a million jobs, as rows of a CSV or as 1,000 prompts x 1,000 cells: < 60 s and < 1.5 GB. Of 20,000 entries
in YAML: < 3 s. `--jobs N` measures with other numbers; the requirements are then not judged.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ground import Spent, table, vidbatch, write_rows

JOBS = 1_000_000
ENTRIES = 20_000
CELLS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One manifest, and what its plan may take."""

    name: str
    jobs: int
    file: str
    write: Callable[[Path, int], None]
    wall_s_max: float
    rss_mib_max: float


def write_cells(path: Path, jobs: int) -> None:
    """A YAML manifest of so many jobs: entries with a matrix of 1,000 cells, of a setting, a variable and a param."""
    path.write_text("".join(_cells(jobs // CELLS)), encoding="utf-8")


def _cells(prompts: int) -> Iterator[str]:
    yield "defaults: {model: sketch, size: 1280x720}\nvars: {style: 35mm film}\njobs:\n"
    for n in range(prompts):
        yield (
            f"  - id: tug{n}\n    group: g{n % 10}\n"
            f"    prompt: A tug pulls barge {n} through the harbour, {{{{ lens }}}} lens, {{{{ style }}}}\n"
            "    matrix:\n      params.seed: {range: [1, 100]}\n"
            "      lens: [wide, long, macro, fish, tele]\n      seconds: [4, 8]\n"
        )


def write_entries(path: Path, entries: int) -> None:
    """A YAML manifest of so many entries, each with an id, a group, a length and a template."""
    rows = (
        f"  - id: tug-{n}\n    group: g{n % 10}\n    seconds: {4 + n % 3 * 4}\n"
        f"    prompt: A tug pulls barge {n} through the harbour at dawn, {{{{ style }}}}\n"
        for n in range(entries)
    )
    path.write_text("".join(["vars: {style: 35mm film}\njobs:\n", *rows]), encoding="utf-8")


CASES = (  # the smaller first: the system tells the peak of the largest child so far
    Case(
        name="entries in YAML",
        jobs=ENTRIES,
        file="entries.yaml",
        write=write_entries,
        wall_s_max=3,
        rss_mib_max=1_500,
    ),
    Case(
        name="prompts x 1,000 cells",
        jobs=JOBS,
        file="cells.yaml",
        write=write_cells,
        wall_s_max=60,
        rss_mib_max=1_500,
    ),
    Case(name="rows of a CSV", jobs=JOBS, file="rows.csv", write=write_rows, wall_s_max=60, rss_mib_max=1_500),
)


def main() -> int:
    """Measure and print; 1 where a bound is passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=0, help="so many of each instead")
    args = parser.parse_args()
    vidbatch(["plan", "manifests/quickstart.yaml"])  # compiles the modules
    with tempfile.TemporaryDirectory() as folder:
        measured = [(case, _planned(case, args.jobs or case.jobs, Path(folder))) for case in CASES]
    rows = [
        (case.name, f"{args.jobs or case.jobs:,}", f"{spent.wall_s:.1f}", f"{spent.cpu_s:.1f}", f"{spent.rss_mib:.0f}")
        for case, spent in measured
    ]
    print(table(("vidbatch plan", "jobs", "wall s", "cpu s", "peak MiB"), rows))
    return 0 if args.jobs else int(_too_much(measured))


def _planned(case: Case, jobs: int, folder: Path) -> Spent:
    path = folder / case.file
    case.write(path, jobs)
    return vidbatch(["plan", str(path), "--provider", "sandbox", "--allow-large", "--outputs", str(folder / "outputs")])


def _too_much(measured: Sequence[tuple[Case, Spent]]) -> bool:
    return any(spent.wall_s > case.wall_s_max or spent.rss_mib > case.rss_mib_max for case, spent in measured)


if __name__ == "__main__":
    sys.exit(main())
