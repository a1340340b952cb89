"""`vidbatch report`: the gallery of a run, from its ledger and its files; a runner may be at work meanwhile."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.streams import say

if TYPE_CHECKING:
    from pipeline.posters import Posters
    from pipeline.report import Report

NAME = "report"
HELP = "write the gallery of a run: one page that opens from disk"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder such as outputs/harbour")
    parser.add_argument(
        "--where",
        metavar="COND",
        action="append",
        default=[],
        help="only the jobs of which this is true, such as state=stored; may be given several times",
    )
    parser.add_argument("--no-posters", action="store_true", help="make no stills; those that are there are shown")
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    parser.epilog = """\
The page is RUN/report/index.html. It needs no server and no network, and shows what was known when it was written.

examples:
  vidbatch report outputs/harbour --open
  vidbatch report outputs/harbour --where group=coast --where state=stored"""


def command(args: argparse.Namespace) -> int:
    import anyio

    from pipeline.text import plain, plural

    report = anyio.run(_written, args)
    _say_posters(report.posters)
    print(f"{plain(str(report.path))}: {plural(report.cards, 'video')}")
    if args.open:
        _open(report.path)
    return 0


async def _written(args: argparse.Namespace) -> Report:
    from tqdm import tqdm

    from pipeline.ledger.place import ledger_of
    from pipeline.report import write_report
    from pipeline.storage import RunFolder
    from pipeline.views.where import parse

    conditions = [parse(text) for text in args.where]
    folder = RunFolder(ledger_of(args.run).parent)
    with tqdm(desc="posters", unit="", leave=False, disable=None, file=sys.stderr) as bar:

        def told(tried: int, total: int) -> None:
            bar.total = total
            bar.update(tried - bar.n)

        return await write_report(folder, conditions, posters_s=0 if args.no_posters else math.inf, told=told)


def _say_posters(posters: Posters) -> None:
    """Why videos have no poster: they are shown all the same, only slower."""
    from pipeline.media.examiner import EXTRA, is_at_hand
    from pipeline.text import listing, plain, plural

    for why, ids in posters.failed.items():
        say(f"note: no poster of {plain(listing(ids))}: {plain(why)}")
    if posters.left and not is_at_hand():
        say(f"note: {plural(posters.left, 'video')} without a poster; pip install 'vidbatch[{EXTRA}]' makes them")
    elif posters.left:
        say(f"note: {plural(posters.left, 'video')} without a poster: {plain(posters.stopped)}")


def _open(path: Path) -> None:
    import webbrowser

    if not webbrowser.open(path.resolve().as_uri()):
        say("note: there is no browser here to open it with")
