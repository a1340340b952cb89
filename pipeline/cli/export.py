"""`vidbatch export`: the jobs of a run in a format of others, or its videos as a dataset."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cli.arguments import any_states, count
from pipeline.cli.files import check_apart, check_new, write_file
from pipeline.cli.streams import say
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.ledger.replay import RunState
    from pipeline.views.dataset.shape import Shape
    from pipeline.views.rows import Row

NAME = "export"
HELP = "write the jobs of a run, or its videos as a dataset, for others to read"

EPILOG = """\
Jobs that the format cannot say are left out, and told on standard error: a dataset takes stored videos only.

examples:
  vidbatch export outputs/harbour openai-batch again.jsonl --state failed,expired
  vidbatch export outputs/harbour parquet harbour.parquet --where group=coast
  vidbatch export outputs/harbour videofolder harbour-set --split train=0.9,test=0.1 --split-by prompt
  vidbatch export outputs/harbour videofolder harbour-set --split test:group=night --where orphaned=false
  vidbatch export outputs/harbour webdataset harbour-tars --shard-mb 500"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from pipeline.views.formats import FORMATS

    known = "; ".join(f"{name}: {what}" for name, what in FORMATS.items())
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder such as outputs/harbour")
    parser.add_argument("format", metavar="FORMAT", choices=tuple(FORMATS), help=known)
    parser.add_argument("dest", metavar="DEST", type=Path, help="the file or, for a dataset, the folder to write")
    parser.add_argument(
        "--state", metavar="STATE,...", type=any_states, default=frozenset(), help="only jobs in one of these states"
    )
    parser.add_argument(
        "--where",
        metavar="COND",
        action="append",
        default=[],
        help="only jobs of which this holds, such as group=coast",
    )
    parser.add_argument("--force", action="store_true", help="replace what an earlier export wrote to DEST")
    _add_dataset(parser.add_argument_group("datasets"))
    parser.epilog = EPILOG


def _add_dataset(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--split",
        metavar="RULE",
        action="append",
        help="train=0.9,test=0.1: by lot; NAME:COND, such as test:group=night: those of which it holds",
    )
    group.add_argument("--seed", metavar="N", type=int, help="of the lot (default 0)")
    group.add_argument("--split-by", metavar="FIELD", help="one lot for all videos with the same value of this field")
    group.add_argument(
        "--metadata",
        choices=("jsonl", "csv", "parquet"),
        help="the form of the tables (videofolder: jsonl, webdataset: parquet)",
    )
    group.add_argument("--with-cost", action="store_true", default=None, help="tell what the videos cost, too")
    group.add_argument(
        "--link",
        choices=("hard", "copy", "symlink"),
        help="videofolder: how videos get there (default: hard, and copied where that cannot be)",
    )
    group.add_argument("--check", action="store_true", default=None, help="videofolder: hash also what is only linked")
    group.add_argument("--shard-mb", metavar="N", type=count, help="webdataset: megabytes a tar (default 1024)")


def command(args: argparse.Namespace) -> int:
    from pipeline.ledger.ledger import read_run
    from pipeline.views.export import FILES, choose
    from pipeline.views.where import parse

    _check_options(args)
    if str(args.dest) == "-":
        kind = "file" if args.format in FILES else "folder"
        raise UsageError(f"DEST: nothing is written to standard output: name a {kind}")
    conditions = [parse(text) for text in args.where]
    write: Callable[..., None] = _write_file if args.format in FILES else _write_folder
    if args.format in FILES and not args.force:
        check_new(args.dest, "name another file, or allow it with --force")
    state = read_run(args.run)
    check_apart(args.dest, args.run)
    write(args, state, choose(state, args.state, conditions))
    return 0


_OF_DATASETS = ("split", "seed", "split_by", "metadata", "with_cost")
_OF_ONE = ("link", "check", "shard_mb")


def _check_options(args: argparse.Namespace) -> None:
    """Whether each option that was given has a meaning in the format. Raises `UsageError`."""
    from pipeline.views.export import FOLDERS

    dataset = FOLDERS.get(args.format)
    known = {*_OF_DATASETS, *dataset.options} if dataset else set()
    for option in (*_OF_DATASETS, *_OF_ONE):
        if getattr(args, option) is not None and option not in known:
            flag = "--" + option.replace("_", "-")
            raise UsageError(f"{flag}: {args.format} has no use for it")


def _write_file(args: argparse.Namespace, state: RunState, rows: Sequence[Row]) -> None:
    from pipeline.text import listing, plain, plural
    from pipeline.views.export import FILES

    found = FILES[args.format].of(state, rows)
    for reason, ids in found.left_out.items():
        say(f"left out, because {reason} and {args.format} cannot say that: {plain(listing(ids))}")
    if not found.jobs:
        raise UsageError(f"{args.run}: there is nothing to export; {args.dest} was not written")
    write_file(args.dest, found.parts())
    print(f"{plain(str(args.dest))}: {plural(len(found.jobs), 'job')}")


def _write_folder(args: argparse.Namespace, state: RunState, rows: Sequence[Row]) -> None:
    from pipeline.text import plain, plural
    from pipeline.views.dataset.draft import drafting
    from pipeline.views.export import FOLDERS, source_of

    run = args.run if args.run.is_dir() else args.run.parent
    shape = _shape(args)
    with drafting(args.dest, force=args.force) as draft:
        _tell_choice(rows)
        source = source_of(state, run, rows, shape)
        if not source.videos:
            raise UsageError(f"{args.run}: there is no stored video to export; {args.dest} was not written")
        notes = FOLDERS[args.format].make(draft, source, shape)
    for note in notes:
        say(note)
    told = ", ".join(f"{part.split} {len(part.samples):,}" for part in source.parts)
    for split in shape.splits.names:
        if all(part.split != split for part in source.parts):
            say(f"no video fell into the split {split}: it is not there")
    print(f"{plain(str(args.dest))}: {plural(source.videos, 'video')} ({told})")


def _tell_choice(rows: Sequence[Row]) -> None:
    from pipeline.text import plural
    from pipeline.views.export import without_video

    if others := without_video(rows):
        states = ", ".join(f"{count:,} {state}" for state, count in others.items())
        say(f"left out, having no stored video: {plural(sum(others.values()), 'job')} ({states})")
    if orphaned := sum(row.orphaned and bool(row.path) for row in rows):
        say(
            f"{plural(orphaned, 'video')} among them that the manifest no longer asks for (an edited prompt, an entry "
            "that is gone): the column 'orphaned' tells which, --where orphaned=false leaves them out"
        )


def _shape(args: argparse.Namespace) -> Shape:
    """The dataset that the arguments describe. Raises `UsageError`."""
    from pipeline.views.dataset.bring import Link
    from pipeline.views.dataset.shape import SHARD_MB, Shape
    from pipeline.views.dataset.splits import splits_of

    def given(name: str, default: Any) -> Any:
        value = getattr(args, name)
        return default if value is None else value

    return Shape(
        splits=splits_of(args.split or (), seed=given("seed", 0), by=given("split_by", "")),
        link=Link(given("link", Link.HARD)),
        check=given("check", False),
        metadata=given("metadata", ""),
        shard_bytes=given("shard_mb", SHARD_MB) * 10**6,
        with_cost=given("with_cost", False),
    )
