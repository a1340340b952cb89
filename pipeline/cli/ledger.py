"""`vidbatch ledger verify|repair`: whether a run's ledger is sound, and what to do where it is not."""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "ledger"
HELP = "verify or repair a run's ledger"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    acts = parser.add_subparsers(dest="act", metavar="verify|repair", required=True)
    for name, summary in (
        ("verify", "read the whole ledger and say what it adds up to; changes nothing"),
        ("repair", "write a sound ledger in place of a damaged one, which is kept beside it"),
    ):
        act = acts.add_parser(name, help=summary, description=summary)
        act.add_argument("run", metavar="RUN", type=Path, help="a run folder, such as outputs/harbour, or its ledger")


def command(args: argparse.Namespace) -> int:
    return _verify(args.run) if args.act == "verify" else _repair(args.run)


def _verify(run: Path) -> int:
    from pipeline.ledger.repair import verify
    from pipeline.text import plural, spent_money

    verified = verify(run)
    state, extent = verified.state, verified.extent
    print(f"{verified.path}: {plural(state.records, 'record')}, {plural(len(state.jobs), 'job')}")
    for name, count in state.counts.items():
        if count:
            print(f"  {name:<12} {count:>8,}")
    if state.header is not None:
        print(f"spent, or perhaps spent: {spent_money(state.spent, state.header.currency, state.unpriced)}")
    if extent.torn:
        print(
            f"torn tail: {plural(len(extent.torn), 'byte')} after line {extent.lines} are no whole record. Nobody "
            "acted upon them; the next run keeps them aside and goes on. (A runner may be writing them just now.)"
        )
    print("sound")
    return 0


def _repair(run: Path) -> int:
    from pipeline.ledger.repair import repair
    from pipeline.text import listing, plain, plural

    done = repair(run)
    if done.aside is None:
        print(f"{done.path}: sound, with {plural(done.kept, 'record')}; nothing was changed")
        return 0
    print(f"{done.path}: {plural(done.kept, 'record')} kept, {plural(done.lost, 'record')} lost")
    print(f"the damaged ledger is kept in {done.aside.name}")
    if done.doubted:
        print(f"now uncertain, since what they paid may have been lost: {listing([plain(j.id) for j in done.doubted])}")
        print(f"look at the provider's console, then: vidbatch resolve {run}")
    if done.lost > 1:
        print(
            "If a job's plan was lost together with its submit, the next run takes that job for a new one: look at "
            "`vidbatch plan` first. What is new there and was not before may have been paid for already."
        )
    return 0
