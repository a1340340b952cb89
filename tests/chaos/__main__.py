"""`python -m tests.chaos kill|term --kills N --jobs N --seed S`: a night of accidents of any size, with its figures."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.chaos.driver import KILL, TERM
from tests.chaos.night import have


def main() -> int:
    """Go through it and print what it came to; 1 where something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("what", choices=("kill", "term"), help="kill -9, or SIGTERM")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    args = parser.parse_args()
    number = KILL if args.what == "kill" else TERM
    with tempfile.TemporaryDirectory() as folder:
        report = have(Path(folder), jobs=args.jobs, hits=args.kills, number=number, seed=args.seed)
    sys.stdout.write(f"{report}\n")
    wrong = bool(report.verdict.faults) or len(report.verdict.uncertain) > (
        report.uncertain_max if number is KILL else 0
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
