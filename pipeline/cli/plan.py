"""`vidbatch plan`: what a run would do and why, what it would cost, where things would go. Sends nothing."""

from __future__ import annotations

import argparse
import json

from pipeline.cli.choice import add_choice, choice_of, read_manifest
from pipeline.cli.streams import say
from pipeline.errors import UsageError

NAME = "plan"
HELP = "show what a run would do, and what it would cost"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_choice(parser)
    parser.add_argument("--json", action="store_true", help="print the plan as one JSON document, with every job")


def command(args: argparse.Namespace) -> int:
    show_plan(args, as_json=args.json)
    return 0  # that a run would refuse is an answer, not a failure to answer


def show_plan(args: argparse.Namespace, *, as_json: bool) -> int:
    """Print the plan for what the arguments name, and why a run would refuse it; returns the exit code."""
    from pipeline import api
    from pipeline.text import plain
    from pipeline.views.plan import plan_document, plan_text

    manifest, choice = read_manifest(args), choice_of(args)
    outlook, refusal = api.plan_run(manifest, choice), api.obstacle(manifest, choice)
    if as_json:
        print(json.dumps({**plan_document(outlook), "refusal": refusal}, indent=2))
    else:
        print(plan_text(outlook))
    if refusal:
        say(f"vidbatch: a run would refuse this: {plain(refusal)}")
    return UsageError.exit_code if refusal else 0
