"""`vidbatch show`: one job's whole story, from the ledger alone."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

NAME = "show"
HELP = "tell all that happened to one job"

EPILOG = """\
examples:
  vidbatch show outputs/first fox                         by its id
  vidbatch show outputs/first 3f9a1c                      by the first digits of its key
  vidbatch show outputs/first videos/coast/fox.mp4        by its video"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder such as outputs/harbour")
    parser.add_argument("job", metavar="JOB", help="a job's id, the first digits of its key (6 or more), or its video")
    parser.add_argument("--json", action="store_true", help="print its records as they are, and what they add up to")
    parser.epilog = EPILOG


def command(args: argparse.Namespace) -> int:
    from pipeline.ledger.history import histories
    from pipeline.views.show import show_document, show_text

    found = histories(args.run, args.job)
    if args.json:
        json.dump(show_document(found), sys.stdout, indent=2)
        print()
    else:
        print(show_text(found))
    return 0
