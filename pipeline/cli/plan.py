"""`vidbatch plan`: what a run would do and why, what it would cost, where things would go. Sends nothing."""

from __future__ import annotations

import argparse
import json

from pipeline.cli.choice import add_choice, choice_of, read_manifest

NAME = "plan"
HELP = "show what a run would do, and what it would cost"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_choice(parser)
    parser.add_argument("--json", action="store_true", help="print the plan as one JSON document, with every job")


def command(args: argparse.Namespace) -> int:
    show_plan(args, as_json=args.json)
    return 0


def show_plan(args: argparse.Namespace, *, as_json: bool) -> None:
    """Print the plan for what the arguments name."""
    from pipeline import api
    from pipeline.views.plan import plan_document, plan_text

    outlook = api.plan_run(read_manifest(args), choice_of(args))
    print(json.dumps(plan_document(outlook), indent=2) if as_json else plan_text(outlook))
