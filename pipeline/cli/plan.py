"""`vidbatch plan`: what a run would do and why, what it would cost, where things would go. Sends nothing."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.choice import add_choice, choice_of, read_kept, read_manifest
from pipeline.cli.colour import plan_for
from pipeline.cli.streams import say
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.model import JSON, Manifest
    from pipeline.prepare import Choice

NAME = "plan"
HELP = "show what a run would do, and what it would cost"

EPILOG = """\
MANIFEST may also be a run folder: what was run there last is then read from the copies that it keeps.

examples:
  vidbatch plan first.yaml                        what is new, changed, stored; money, time, paths
  vidbatch plan first.yaml --against before.yaml  what an edit changes, and what it costs
  vidbatch plan first.yaml --jobs > jobs.jsonl    every job, the same bytes on every machine
  vidbatch plan outputs/first                     the run in that folder, by its own copies"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_choice(parser)
    parser.add_argument(
        "--against",
        metavar="FILE",
        type=Path,
        help="compare with this manifest, or run folder as it was run, instead of with the ledger",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the plan as one JSON document, with every job")
    form.add_argument("--jobs", action="store_true", help="print the jobs alone, as JSON lines in the manifest's order")
    parser.epilog = EPILOG


def command(args: argparse.Namespace) -> int:
    if args.jobs and args.against:
        raise UsageError("--jobs lists one manifest, --against compares two: give one of them")
    if args.jobs:
        _show_jobs(args)
    elif args.against:
        _show_comparison(args)
    else:
        show_plan(args, as_json=args.json)
    return 0  # that a run would refuse is an answer, not a failure to answer


def show_plan(args: argparse.Namespace, *, as_json: bool) -> int:
    """Print the plan for what the arguments name, and why a run would refuse it; returns the exit code."""
    from pipeline import api
    from pipeline.ledger.ledger import utc_now
    from pipeline.providers.retirement import retirement
    from pipeline.text import plain
    from pipeline.views.plan import plan_document, plan_text

    manifest, choice = _read(args)
    outlook = api.plan_run(manifest, choice)
    refusal = api.obstacle(manifest, choice, outlook=outlook)
    if as_json:
        _print_json({**plan_document(outlook), "refusal": refusal})
    else:
        print(plan_for(sys.stdout, plan_text(outlook)))
    if refusal:
        say(f"vidbatch: a run would refuse this: {plain(refusal)}")
    note = retirement(manifest.profile, api.origin_of(manifest), utc_now().date())
    if note and note not in refusal:
        say(f"note: {plain(note)}")
    return UsageError.exit_code if refusal else 0


def _show_jobs(args: argparse.Namespace) -> None:
    from pipeline import api
    from pipeline.plan import choose
    from pipeline.providers.bills import priced_at
    from pipeline.providers.pricing import price_list
    from pipeline.views.jobs import job_lines

    manifest = _read(args)[0]
    jobs, profile = choose(manifest.jobs, only=args.only, limit=args.limit), manifest.profile
    profile = priced_at(profile, api.origin_of(manifest))
    sys.stdout.writelines(job_lines(jobs, price_list(profile, manifest.provider.price_per_second)))


def _show_comparison(args: argparse.Namespace) -> None:
    from pipeline.comparison import compare
    from pipeline.views.comparison import comparison_document, comparison_text

    found = compare(_read(args)[0], _other(args), only=args.only, limit=args.limit)
    name, against = str(args.manifest), str(args.against)
    if args.json:
        _print_json(comparison_document(found, name, against))
    else:
        print(plan_for(sys.stdout, comparison_text(found, name, against)))


def _read(args: argparse.Namespace) -> tuple[Manifest, Choice]:
    """The manifest that the arguments name, and what they say over it."""
    return read_manifest(args), choice_of(args)


def _other(args: argparse.Namespace) -> Manifest:
    """What `--against` names: a file is read as the arguments say, a run folder as it was run."""
    if args.against.is_dir():
        return read_kept(args.against)
    return read_manifest(argparse.Namespace(**{**vars(args), "manifest": args.against}))


def _print_json(document: dict[str, JSON]) -> None:
    json.dump(document, sys.stdout, indent=2)
    print()
