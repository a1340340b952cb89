"""`vidbatch export`: the jobs of a run in a format of others, from its ledger alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.cli.arguments import any_states
from pipeline.cli.files import check_new, write_file
from pipeline.cli.streams import say
from pipeline.errors import UsageError

NAME = "export"
HELP = "write the jobs of a run in a format that others read"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from pipeline.views.export import FORMATS

    known = "; ".join(f"{name}: {form.help}" for name, form in FORMATS.items())
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder such as outputs/harbour")
    parser.add_argument("format", metavar="FORMAT", choices=tuple(FORMATS), help=known)
    parser.add_argument("dest", metavar="DEST", type=Path, help="the file to write")
    parser.add_argument(
        "--state", metavar="STATE,...", type=any_states, default=frozenset(), help="only jobs in one of these states"
    )
    parser.add_argument("--force", action="store_true", help="write over a file that is there already")
    parser.epilog = """\
Jobs that the format cannot say are left out, and named on standard error.

examples:
  vidbatch export outputs/harbour openai-batch harbour.jsonl
  vidbatch export outputs/harbour openai-batch again.jsonl --state failed,expired"""


def command(args: argparse.Namespace) -> int:
    from pipeline.ledger.ledger import read_run
    from pipeline.text import listing, plain, plural
    from pipeline.views.export import export

    if not args.force:
        check_new(args.dest, "name another file, or allow it with --force")
    found = export(read_run(args.run), args.format, args.state)
    for reason, ids in found.left_out.items():
        say(f"left out, because {reason} and {args.format} cannot say that: {plain(listing(ids))}")
    if not found.jobs:
        raise UsageError(f"{args.run}: there is nothing to export; {args.dest} was not written")
    write_file(args.dest, found.parts())
    print(f"{plain(str(args.dest))}: {plural(len(found.jobs), 'job')}")
    return 0
