"""`vidbatch validate`: every issue of one or several manifests, and nothing else. Nothing is sent."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.choice import add_reading, wishes_of
from pipeline.cli.files import check_new, write_file
from pipeline.cli.streams import say
from pipeline.errors import InvalidManifest, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipeline.manifest.document import Witness
    from pipeline.manifest.load import Wishes
    from pipeline.model import Issue, Manifest

NAME = "validate"
HELP = "report every issue of a manifest, and nothing else"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="manifests: YAML, CSV or JSONL")
    add_reading(parser)
    parser.add_argument(
        "--format",
        choices=["text", "json", "github"],
        default="text",
        help="json: one array of issues; github: annotations for a workflow of GitHub Actions (default: text)",
    )
    parser.add_argument(
        "--rejects",
        metavar="FILE",
        type=Path,
        help="write the rows of CSV and JSONL that are at fault, with the reasons, to this new CSV file",
    )
    parser.epilog = """\
Ends with 0 where there is no issue (warnings do not count), else with 2.

examples:
  vidbatch validate first.yaml
  vidbatch validate manifests/*.yaml --format json
  vidbatch validate birds.csv --rejects bad.csv        mend bad.csv, take its columns line and reason out, run it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A file, and what is to say about it."""

    path: Path
    job_count: int
    issues: Sequence[Issue]

    @property
    def sound(self) -> bool:
        return all(issue.warning for issue in self.issues)


def command(args: argparse.Namespace) -> int:
    from pipeline.manifest.rejects import Rejects

    wishes, rejects = wishes_of(args), None
    if args.rejects is not None:
        rejects = Rejects()
        check_new(args.rejects, "--rejects never overwrites: name another file, or remove it")
    checked = [check(path, wishes, rejects.witness if rejects else None) for path in args.files]
    _TELLERS[args.format](checked)
    if rejects is not None:
        _write_rejects(args.rejects, *rejects.table())
    return 0 if all(file.sound for file in checked) else UsageError.exit_code


def check(path: Path, wishes: Wishes, witness: Witness | None = None) -> Checked:
    """Every issue of the manifest at *path*; that it cannot be read is one, too."""
    from pipeline.manifest.load import load
    from pipeline.model import Issue, Position
    from pipeline.providers.catalogue import Catalogue

    known = Catalogue.of(os.environ)
    try:
        manifest = load(path, find_profile=known.find, profile_names=known.names(), wishes=wishes, witness=witness)
    except InvalidManifest as invalid:
        return Checked(path=path, job_count=0, issues=invalid.issues)
    except UsageError as error:
        unread = Issue(position=Position(file=str(path), line=1, column=1), message=str(error), code="unreadable")
        return Checked(path=path, job_count=0, issues=[unread])
    return Checked(path=path, job_count=len(manifest.jobs), issues=[*_retired(manifest, path), *manifest.warnings])


def _retired(manifest: Manifest, path: Path) -> Sequence[Issue]:
    """The warning that a run would be refused because it goes to an address that was shut down."""
    if not manifest.profile.retired:
        return ()
    from pipeline.api import origin_of
    from pipeline.ledger.ledger import utc_now
    from pipeline.model import Issue, Position
    from pipeline.providers.retirement import is_retired, retirement

    origin, today = origin_of(manifest), utc_now().date()
    if not is_retired(manifest.profile, origin, today):
        return ()
    position = manifest.provider.position or Position(file=str(path), line=1, column=1)
    words = retirement(manifest.profile, origin, today)
    return [Issue(position=position, message=words, path="provider", code="profile-retired", warning=True)]


def _tell(checked: Sequence[Checked]) -> None:
    import sys

    from pipeline.cli.colour import issue_for
    from pipeline.text import plain

    for file in checked:
        for issue in file.issues:
            print(issue_for(sys.stdout, issue))
        print(f"{plain(str(file.path))}: {verdict(file)}")


def _tell_as_json(checked: Sequence[Checked]) -> None:
    import json

    from pipeline.manifest.report import issue_json

    print(json.dumps([issue_json(issue) for file in checked for issue in file.issues], indent=2))


def _tell_as_commands(checked: Sequence[Checked]) -> None:
    from pipeline.manifest.report import issue_command

    for file in checked:
        for issue in file.issues:
            print(issue_command(issue))


_TELLERS: Mapping[str, Callable[[Sequence[Checked]], None]] = {
    "text": _tell,
    "json": _tell_as_json,
    "github": _tell_as_commands,
}


def _write_rejects(path: Path, table: str, count: int) -> None:
    from pipeline.text import plural

    if not count:
        say(f"{path}: not written, no row of data is at fault")
        return
    write_file(path, [table.encode("utf-8")])
    say(f"{path}: {plural(count, 'row')} to mend; without the columns line and reason it is a manifest")


def verdict(file: Checked) -> str:
    """How many jobs or issues a file holds: `6 jobs, no issues`, `12 issues, 1 warning`."""
    from pipeline.text import plural

    warnings = sum(1 + issue.more for issue in file.issues if issue.warning)
    issues = sum(1 + issue.more for issue in file.issues if not issue.warning)
    parts = [plural(issues, "issue")] if issues else [plural(file.job_count, "job"), "no issues"]
    return ", ".join([*parts, plural(warnings, "warning")] if warnings else parts)
