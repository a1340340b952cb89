"""`python -m benchmarks.start`: how long `vidbatch --help` takes with compiled bytecode. Required: < 0.12 s."""

from __future__ import annotations

import argparse
import statistics
import sys

from benchmarks.ground import table, vidbatch

WALL_S_MAX = 0.12


def main() -> int:
    """Measure and print; 1 where the bound is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=15)
    args = parser.parse_args()
    vidbatch(["--help"])  # compiles
    spent = [vidbatch(["--help"]) for _ in range(args.times)]
    walls_s = [one.wall_s for one in spent]
    middle_s = statistics.median(walls_s)
    cpu_s = statistics.median(one.cpu_s for one in spent)
    row = ("vidbatch --help", args.times, f"{min(walls_s):.3f}", f"{middle_s:.3f}", f"{cpu_s:.3f}")
    print(table(("command", "times", "fastest s", "median s", "cpu s, median"), [row]))
    return int(min(walls_s) > WALL_S_MAX)


if __name__ == "__main__":
    sys.exit(main())
