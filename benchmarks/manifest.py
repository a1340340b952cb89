"""`python -m benchmarks.manifest`: a CSV of 100,000 rows is checked and planned. Required: < 15 s and < 500 MB."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.ground import table, vidbatch, write_rows

WALL_S_MAX = 15.0
RSS_MIB_MAX = 500.0


def main() -> int:
    """Measure and print; 1 where a bound is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tugs.csv"
        write_rows(path, args.rows)
        outputs = ["--outputs", str(Path(folder) / "outputs")]
        checked = vidbatch(["validate", str(path), "--provider", "sandbox"])
        planned = vidbatch(["plan", str(path), "--provider", "sandbox", *outputs])
    rows = [
        (name, f"{args.rows:,}", f"{spent.wall_s:.1f}", f"{spent.cpu_s:.1f}", f"{spent.rss_mib:.0f}")
        for name, spent in (("validate", checked), ("plan", planned))
    ]
    print(table(("command", "rows", "wall s", "cpu s", "peak MiB"), rows))
    return int(planned.wall_s > WALL_S_MAX or planned.rss_mib > RSS_MIB_MAX)


if __name__ == "__main__":
    sys.exit(main())
