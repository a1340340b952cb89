"""`vidbatch run`: make the videos of a manifest. The same command again resumes."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.arguments import amount
from pipeline.cli.choice import add_choice, choice_of, read_manifest, words_of
from pipeline.cli.colour import issue_for, plan_for
from pipeline.cli.confirm import agrees, homecoming, is_terminal, question
from pipeline.cli.errors import INTERRUPTED
from pipeline.cli.streams import say

if TYPE_CHECKING:
    from pipeline.api import Outcome
    from pipeline.cli import summary
    from pipeline.cli.notify import Herald
    from pipeline.cli.notify.targets import Target
    from pipeline.cli.observers.watcher import Watcher
    from pipeline.ledger.state import JobState
    from pipeline.model import Manifest
    from pipeline.outlook import Outlook
    from pipeline.runner.board import Board

NAME = "run"
HELP = "make the videos of a manifest; run again to resume"

EPILOG = """\
MANIFEST may also be a run folder: what was run there last then goes on from the copies that it keeps, within the
limits that it was run with, a --budget among them.

examples:
  vidbatch run first.yaml                        make what is missing
  vidbatch run prompts.csv --provider NAME       a CSV cannot say who makes the videos
  vidbatch run first.yaml --only 'coast*' --limit 3
  vidbatch run first.yaml --retry failed,expired buy again what ended without a video

Ctrl-C once: no new submits, open ones are answered, then it ends. Twice: it ends at once."""

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_choice(parser)
    parser.add_argument("--dry-run", action="store_true", help="show the plan and send nothing")
    parser.add_argument(
        "--confirm-above",
        metavar="AMOUNT",
        type=amount,
        help="on a terminal, ask before submitting what costs more (default: the manifest's, or 10)",
    )
    parser.add_argument("--yes", action="store_true", help="never ask")
    parser.add_argument(
        "--strict-media",
        action="store_true",
        help="what comes and is not as asked for, or broken, has failed, and is put aside (extra media)",
    )
    parser.add_argument(
        "--notify",
        metavar="URL|COMMAND",
        action="append",
        default=[],
        help="tell it at the end, and when it needs a person; may be given several times (see also VIDBATCH_NOTIFY)",
    )
    parser.add_argument("--no-report", action="store_true", help="write no gallery at the end")
    parser.add_argument("--quiet", action="store_true", help="say only what needs a person")
    parser.add_argument(
        "--log-format", choices=("text", "json"), default="text", help="json: one event a line on standard error"
    )
    parser.epilog = EPILOG


def command(args: argparse.Namespace) -> int:
    if args.dry_run:
        from pipeline.cli.plan import show_plan

        return show_plan(args, as_json=False)
    from pipeline.cli.notify import targets_for

    targets = targets_for(args.notify)
    manifest = read_manifest(args)
    _warn(manifest, choice_of(args).outputs / manifest.name)
    order = _order(manifest, args)
    if order is None:
        say("vidbatch: not confirmed; nothing was sent")
        return INTERRUPTED
    return _run(order, args, targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What a run is told to do."""

    outlook: Outlook
    asks: bool
    """A person is there, who is asked about what is dear."""
    agreed: bool
    """This person was asked about what it buys, and said yes."""
    declined: int = 0
    """So many videos this person did not want bought."""


def _order(manifest: Manifest, args: argparse.Namespace) -> _Order | None:
    """Say what is to be done, and ask whether it may where it costs much; `None`: there is nothing that may be.

    A no is to buying: what is bought comes home all the same. Raises what the run would refuse with.
    """
    from pipeline import api
    from pipeline.ledger.ledger import utc_now
    from pipeline.providers.retirement import retirement
    from pipeline.text import plain
    from pipeline.views.plan import head_text

    choice = choice_of(args)
    outlook = api.admit(manifest, choice)
    asks = not args.yes and outlook.bills and is_terminal(sys.stdin) and is_terminal(sys.stderr)
    if not args.quiet and args.log_format == "text":
        say(plan_for(sys.stderr, head_text(outlook)))
        if note := retirement(manifest.profile, api.origin_of(manifest), utc_now().date()):
            say(f"note: {plain(note)}")
    asked = question(outlook) if asks else ""
    if agrees(asked, sys.stdin, sys.stderr):
        return _Order(outlook=outlook, asks=asks, agreed=bool(asked))
    declined = len(outlook.plan.submits)
    outlook = api.admit(manifest, replace(choice, buys=False))
    if words := homecoming(outlook):
        say(words)
        return _Order(outlook=outlook, asks=asks, agreed=False, declined=declined)
    return None


def _run(order: _Order, args: argparse.Namespace, targets: Sequence[Target]) -> int:
    """Carry it out, and say what it came to; returns the exit code."""
    import anyio

    from pipeline.cli.ending import ended_like_ctrl_c
    from pipeline.cli.gallery import write_gallery
    from pipeline.cli.notify import Herald
    from pipeline.cli.observers.choose import choose_observer, run_log
    from pipeline.cli.observers.watcher import Several
    from pipeline.storage import RunFolder

    screen = choose_observer(quiet=args.quiet, log_format=args.log_format, stream=sys.stderr, clock=time.monotonic)
    log = run_log(RunFolder(order.outlook.folder).log)
    with (
        ended_like_ctrl_c() as heed_again,
        Several([screen, log]) as watcher,
        Herald(targets, clock=time.monotonic, observer=watcher, log=log) as herald,
    ):
        outcome = anyio.run(_attended, order, Several([watcher, herald]), herald)
        heed_again()
        gallery = "" if args.no_report else write_gallery(outcome, watcher)
        return _report(outcome, order, args, gallery, herald)


async def _attended(order: _Order, watcher: Watcher, herald: Herald) -> Outcome:
    """The run, with an ear for signals and a beat for the screen beside it."""
    import anyio

    from pipeline import api
    from pipeline.cli.observers.watcher import keep_beating

    boards: list[Board] = []
    async with anyio.create_task_group() as beside:
        beside.start_soon(_listen, boards, watcher, herald)
        beside.start_soon(keep_beating, watcher)
        outcome = await api.run(
            order.outlook.manifest,
            order.outlook.choice,
            observer=watcher,
            outlook=order.outlook,
            agreed=order.agreed,
            asks=order.asks,
            on_board=boards.append,
        )
        beside.cancel_scope.cancel()
    return outcome


async def _listen(boards: list[Board], watcher: Watcher, herald: Herald) -> None:
    """The first signal drains the run, the second leaves at once; before the lanes started, any signal leaves."""
    import anyio

    heeded = [one for one in SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]  # nohup has hang-ups ignored
    with anyio.open_signal_receiver(*heeded) as signals:
        async for _ in signals:
            if not boards:
                raise KeyboardInterrupt
            if boards[0].interrupted:
                watcher.close()
                herald.abandon()
                sys.stderr.write("left at once; submits without an answer will be listed as uncertain\n")
                sys.stderr.flush()
                os._exit(130)  # the ledger is sound at every moment: nothing is owed to it
            boards[0].interrupt()


def _warn(manifest: Manifest, folder: Path) -> None:
    for issue in manifest.warnings:
        sys.stderr.write(f"{issue_for(sys.stderr, issue)}\n")
    own = Path(manifest.files[0].name).suffix.lower()  # .json: our index of what was kept
    for other in sorted({kept.suffix for kept in folder.glob("manifests/*.*")} - {own, ".json"}):
        sys.stderr.write(f"warning: {folder} also holds what a {other} manifest of this name asked for\n")


def _report(outcome: Outcome, order: _Order, args: argparse.Namespace, gallery: str, herald: Herald) -> int:
    """Say what the run came to, here and abroad; returns the exit code. A no at the question is an interrupt."""
    from pipeline.cli import summary

    left = outcome.interrupted or order.declined > 0
    code = summary.exit_code(outcome.counts, bool(outcome.stopped), left, bool(outcome.unjudged))
    told = _for_people(outcome, order.declined, args, gallery)
    if args.log_format == "text" and not (args.quiet and code == 0):
        print(summary.summary(told))
    commands = [command for command, _ in summary.next_commands(told)]
    herald.say_ended(summary.heading(told), exit_code=code, commands=commands)
    return code


def _for_people(outcome: Outcome, declined: int, args: argparse.Namespace, gallery: str) -> summary.Outcome:
    from pipeline.cli import summary
    from pipeline.ledger.deviation import deviating
    from pipeline.ledger.ledger import utc_now
    from pipeline.plan import Action
    from pipeline.prepare import still_waiting

    waiting = still_waiting(outcome.outlook, outcome.state, now := utc_now())
    return summary.Outcome(
        run=outcome.outlook.manifest.name,
        folder=str(outcome.outlook.folder),
        gallery=gallery,
        words=words_of(args),
        jobs=[_row(outcome.state.jobs[key], outcome, waiting) for key in outcome.concerned],
        spent=outcome.state.spent,
        unpriced=outcome.state.unpriced,
        currency=outcome.outlook.currency,
        budget=outcome.outlook.limits.budget,
        retention_s=outcome.outlook.manifest.profile.retention_s,
        stored_before=len(outcome.outlook.plan.of(Action.STORED)),
        elapsed_s=outcome.elapsed_s,
        stopped=outcome.stopped,
        interrupted=outcome.interrupted,
        bills=outcome.outlook.bills,
        declined=declined,
        retry=args.retry,
        waiting=len(waiting),
        settled_by_key=_settled_by_key(outcome, now),
        held_by_ceiling=_held_by_ceiling(outcome, now),
        deleted=outcome.deleted,
        places=(outcome.narrowed_to, outcome.outlook.limits.in_flight) if outcome.narrowed_to else None,
        deviating=deviating((outcome.state.jobs[key] for key in outcome.concerned), outcome.state),
        unjudged=outcome.unjudged,
    )


def _row(job: JobState, outcome: Outcome, waiting: Mapping[str, str]) -> summary.JobRow:
    """A job as the summary tells of it: of what was not submitted for want of a source, that is the reason."""
    from pipeline.cli.summary import JobLine
    from pipeline.lifecycle import State
    from pipeline.runner.wording import awaited_words

    reason = waiting.get(job.key, "")
    if not reason and job.state is State.PENDING and not (job.reason or outcome.stopped or outcome.interrupted):
        reason = awaited_words(job, outcome.state.jobs)
    return JobLine(id=job.id, state=job.state, cost=job.cost, reason=reason) if reason else job


def _settled_by_key(outcome: Outcome, now: datetime) -> int:
    """How many stay uncertain only because this run was to buy nothing, and so repeated no key."""
    from pipeline.doubts import has_living_key
    from pipeline.lifecycle import State

    if outcome.outlook.choice.buys:
        return 0
    profile, jobs = outcome.outlook.manifest.profile, map(outcome.state.jobs.__getitem__, outcome.concerned)
    return sum(job.state is State.UNCERTAIN and has_living_key(job, profile, now) for job in jobs)


def _held_by_ceiling(outcome: Outcome, now: datetime) -> int:
    """How many are uncertain still only because --max-duplicate-cost was reached."""
    from functools import partial

    from pipeline.chains import standing
    from pipeline.doubts import doubts

    if outcome.stopped or outcome.interrupted:
        return 0  # whether the ceiling would have held them was not found out
    outlook, header = outcome.outlook, outcome.state.header
    profile, ceiling, origin = outlook.manifest.profile, outlook.max_duplicate_cost, header.origin if header else ""
    on_time = partial(standing, now=now, origin=origin, retention_s=profile.retention_s)
    return doubts(outlook.plan, outcome.state, profile, ceiling, origin, now=now, standing_of=on_time).over_ceiling
