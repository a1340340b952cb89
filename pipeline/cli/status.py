"""`vidbatch status`: where a run stands, from its ledger alone; a runner may be at work meanwhile."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.arguments import count
from pipeline.cli.colour import status_for
from pipeline.cli.streams import as_file, columns_of, say
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.ledger.replay import RunState
    from pipeline.views.rows import Row
    from pipeline.views.survey import Circumstances, Survey

NAME = "status"
HELP = "show where a run stands"
WATCH_EVERY_S = 2.0
_WATCH_EVERY_S_MAX = 86_400.0

EPILOG = """\
examples:
  vidbatch status outputs/first                             states, money, pace, what waits and what is stuck
  vidbatch status outputs/first --watch                     the same, refreshed, while a run goes on elsewhere
  vidbatch status outputs/first --where state=failed        these jobs, one a line
  vidbatch status outputs/first --where 'cost>2' --csv      these jobs, with all that is known of each
  vidbatch status outputs/first --json                      one document for programs

A condition is FIELD=VALUE, != (several values with commas, * and ? in them), FIELD~TEXT, !~, or FIELD<VALUE, <=, >, >=.
Fields are id, state, group, model, seconds, size, prompt, cost, reason, ..., and the names of axes, meta and params."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder such as outputs/harbour")
    parser.add_argument(
        "--where",
        metavar="COND",
        action="append",
        default=[],
        help="only the jobs of which this is true, such as state=failed; may be given several times",
    )
    parser.add_argument("--limit", metavar="N", type=count, help="with --where: no more than N jobs")
    parser.add_argument(
        "--watch",
        metavar="SECONDS",
        nargs="?",
        const=WATCH_EVERY_S,
        type=_seconds,
        help="show it anew every so many seconds (2 if none are given), until nobody works on it",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one document, as `vidbatch schema status` says")
    form.add_argument("--csv", action="store_true", help="print the jobs as CSV, with all that is known of each")
    parser.epilog = EPILOG


def command(args: argparse.Namespace) -> int:
    from pipeline.ledger.ledger import read_run, utc_now
    from pipeline.views.status import status_text

    _check(args)
    if args.watch is not None:
        from pipeline.cli.watch import watch

        return watch(args.run, interval_s=args.watch)
    state, now = read_run(args.run), utc_now()
    if args.json:
        _print_document(args, state, now)
    elif args.csv:
        _print_csv(_rows(args, state))
    elif args.where or args.limit:
        _print_table(_rows(args, state), len(state.jobs), now)
    else:
        seen, around = _looked_over(args.run, state, now)
        print(status_for(sys.stdout, status_text(state, seen, around)))
    return 0


def _check(args: argparse.Namespace) -> None:
    """Raise `UsageError` for what does not go together."""
    from pipeline.views.where import parse

    if args.watch is not None and (args.where or args.limit or args.json or args.csv):
        raise UsageError("--watch shows the whole run: leave out --where, --limit, --json and --csv")
    for condition in args.where:
        parse(condition)  # before a long ledger is read


def _looked_over(run: Path, state: RunState, now: datetime) -> tuple[Survey, Circumstances]:
    from pipeline.cli.circumstances import circumstances_of
    from pipeline.ledger.place import ledger_of
    from pipeline.ledger.presence import presence
    from pipeline.views.survey import survey

    around = circumstances_of(run, state, presence(ledger_of(run)))
    return survey(state, around, now=now), around


def _rows(args: argparse.Namespace, state: RunState) -> list[Row]:
    """The jobs that are asked for."""
    from pipeline.views.rows import rows_of
    from pipeline.views.where import chosen, parse, unmet

    rows, conditions = list(rows_of(state)), [parse(text) for text in args.where]
    found = chosen(rows, conditions)
    for words in unmet(rows, conditions):
        say(f"note: {words}")
    return found[: args.limit]


def _print_document(args: argparse.Namespace, state: RunState, now: datetime) -> None:
    from pipeline.views.status import standing_document, status_document

    keys = [row.key for row in _rows(args, state)] if args.where or args.limit else None
    standing = standing_document(state, *_looked_over(args.run, state, now))
    json.dump({**status_document(state, keys), "standing": standing}, sys.stdout, indent=2)
    print()


def _print_csv(rows: list[Row]) -> None:
    from pipeline.views.flat import csv_lines

    as_file(sys.stdout)
    sys.stdout.writelines(csv_lines(rows))


def _print_table(rows: list[Row], total: int, now: datetime) -> None:
    from pipeline.text import plural
    from pipeline.views.flat import table_lines

    for line in table_lines(rows, now=now, width=columns_of(sys.stdout)):
        print(line)
    say(f"{len(rows):,} of {plural(total, 'job')}")


def _seconds(text: str) -> float:
    """A type of argument: a length of time above 0."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _WATCH_EVERY_S_MAX:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of seconds; name the run before --watch")
    return seconds
