"""`vidbatch resolve`: jobs whose submit had an unknown outcome, and a person's finding about them.

Nothing is sent, but for what `--drop` asks of a provider that can end a video.
"""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.ledger.replay import RunState
    from pipeline.ledger.resolve import Unknown
    from pipeline.ledger.spill import Spilled
    from pipeline.ledger.state import JobState
    from pipeline.lifecycle import Fact
    from pipeline.profile import Profile

NAME = "resolve"
HELP = "settle jobs whose submit had an unknown outcome"
EPILOG = """\
examples:
  vidbatch resolve outputs/harbour                             list what is uncertain, and what each may have cost
  vidbatch resolve outputs/harbour fox --adopt video_68e1      the console shows this video: fetch it
  vidbatch resolve outputs/harbour fox --not-created           the console shows none: the next run submits it again
  vidbatch resolve outputs/harbour 'coast-*' --resubmit        submit again, perhaps paying twice
  vidbatch resolve outputs/harbour fox --drop                  give it up; a provider that can, is asked to end it
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder, such as outputs/harbour, or its ledger")
    parser.add_argument(
        "jobs", metavar="JOB", nargs="*", help="a job's id, a glob on ids, or the first digits of its key"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--adopt", metavar="ID", help="the video exists under this id: the next run fetches it")
    how.add_argument("--not-created", action="store_true", help="it made nothing: the next run submits it again")
    how.add_argument("--resubmit", action="store_true", help="not known, submit again all the same: may pay twice")
    how.add_argument("--drop", action="store_true", help="give the job up")
    parser.add_argument(
        "--keep-remote", action="store_true", help="with --drop: the provider is not asked to end or delete its video"
    )


def command(args: argparse.Namespace) -> int:
    from pipeline.ledger.resolve import resolve
    from pipeline.ledger.spill import spill_folders
    from pipeline.text import plain

    fact = _fact(args)
    if fact is None:
        if args.jobs:
            raise UsageError(
                f"say what became of {', '.join(args.jobs)}: --adopt ID, --not-created, --resubmit or --drop"
            )
        return _list(args.run)
    if not args.jobs:
        raise UsageError("name the jobs this is true of; without an option, this command lists them")
    if args.keep_remote and not args.drop:
        raise UsageError("--keep-remote says what --drop is not to do: give both")
    jobs = resolve(args.run, args.jobs, fact, video_id=args.adopt or "", spills=spill_folders(os.environ))
    for job in jobs:
        print(f"{plain(job.id)}: {job.state}")
    sent = args.drop and not args.keep_remote and _end_videos(args.run, jobs)
    print(f"{'' if sent else 'nothing was sent; '}the next `vidbatch run` goes on from here")
    return 0


def _end_videos(run: Path, jobs: Sequence[JobState]) -> bool:
    """Ask for the end of the dropped jobs' videos, and say what came of it; whether anything was said."""
    if not any(job.video_id for job in jobs):
        return False
    import anyio

    from pipeline.cancel import end_videos, why_not
    from pipeline.errors import InvalidManifest
    from pipeline.launch import World
    from pipeline.text import plain

    folder = run if run.is_dir() else run.parent
    try:
        told = anyio.run(end_videos, folder, jobs, World(environment=os.environ))
    except (UsageError, InvalidManifest) as error:
        print(f"the drop stands, and the provider was not asked to end its video: {plain(why_not(error))}")
        return True
    for job in jobs:
        if words := told.get(job.key):
            print(f"{plain(job.id)}: {plain(words)}")
    if told:
        print("whether that changes what is charged is not known: it stays counted as spent")
    return bool(told)


def _fact(args: argparse.Namespace) -> Fact | None:
    from pipeline.lifecycle import Fact

    said = {
        Fact.ADOPTED: args.adopt is not None,
        Fact.NOT_CREATED: args.not_created,
        Fact.RESUBMIT: args.resubmit,
        Fact.DROPPED: args.drop,
    }
    return next((fact for fact, is_said in said.items() if is_said), None)


def _list(run: Path) -> int:
    from pipeline.api import profile_of
    from pipeline.ledger.ledger import read_run
    from pipeline.ledger.resolve import unknowns
    from pipeline.ledger.spill import spill_folders, spilled
    from pipeline.text import plural

    state = read_run(run)
    found = unknowns(state)
    if not found:
        print("no job is uncertain")
        return 0
    currency = state.header.currency if state.header else ""
    print(f"{plural(len(found), 'submit')} of unknown outcome: perhaps accepted and billed, perhaps nothing was made.")
    profile = profile_of(state, run)
    if profile is not None and any(_is_settled_next(state, unknown, profile) for unknown in found):
        print("The next `vidbatch run` asks the provider first, if it lists its videos or honours keys, and settles by")
        print("itself what can be proven.")
    print("Look at the provider's console, then say what became of each:\n")
    known = spilled(state, spill_folders(os.environ))
    for unknown in found:
        row = known.get(unknown.key)
        print("\n".join(_lines(run, unknown, currency) if row is None else _settled_lines(row)) + "\n")
    return 0


def _is_settled_next(state: RunState, unknown: Unknown, profile: Profile) -> bool:
    """Whether the next run will try to settle it by itself."""
    from pipeline.policy.unknown import settles

    return state.header is not None and unknown.origin == state.header.origin and settles(profile, None)


def _settled_lines(row: Spilled) -> list[str]:
    """What is said of a job whose outcome is known, and only the ledger was not told: the disk failed."""
    from pipeline.text import plain

    if not row.video_id:
        return [f"{plain(row.id)}  it made nothing: the next run submits it again"]
    return [f"{plain(row.id)}  its id is known, {plain(row.video_id)}: the next run adopts it"]


def _lines(run: Path, unknown: Unknown, currency: str) -> list[str]:
    from pipeline.text import money, plain

    price = "at an unknown price" if unknown.price is None else f"for {money(unknown.price, currency)}"
    kept = f", kept there until about {unknown.expires_at:%Y-%m-%d %H:%M} UTC" if unknown.expires_at else ""
    start = f"  vidbatch resolve {shlex.quote(str(run))} {unknown.name}"
    return [
        f"{plain(unknown.id)}  submitted {unknown.submitted_at:%Y-%m-%d %H:%M:%S} UTC {price}{kept}",
        f"  {plain(unknown.reason)}",
        f"{start} --adopt ID",
        f"{start} --not-created",
        f"{start} --resubmit",
        f"{start} --drop",
    ]
