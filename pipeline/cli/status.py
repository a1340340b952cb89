"""`vidbatch status`: where a run stands, from its ledger alone; a runner may be at work meanwhile."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

NAME = "status"
HELP = "show where a run stands"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder such as outputs/harbour")
    parser.add_argument("--json", action="store_true", help="print one document, as `vidbatch schema status` says")


def command(args: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from pipeline.ledger.ledger import read_run
    from pipeline.views.status import status_document, status_text

    state = read_run(args.run)
    if args.json:
        print(json.dumps(status_document(state), indent=2))
    else:
        folder = args.run if args.run.is_dir() else args.run.parent
        print(status_text(state, folder, now=datetime.now(UTC)))
    return 0
