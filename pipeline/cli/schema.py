"""`vidbatch schema`: the JSON Schemas, for editors and other programs."""

from __future__ import annotations

import argparse

from pipeline.cli.arguments import not_known
from pipeline.errors import UsageError

NAME = "schema"
HELP = "print a JSON Schema, for editors and other programs"

_SUFFIX = ".schema.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", default="manifest", help="which one (default: manifest)")
    parser.add_argument("--list", action="store_true", help="print the names of all schemas, one a line")
    parser.epilog = """\
examples:
  vidbatch schema > manifest.schema.json    for an editor that completes and checks YAML
  vidbatch schema --list                    what else there is"""


def command(args: argparse.Namespace) -> int:
    from pipeline.paths import schemas_folder

    folder = schemas_folder()
    names = sorted(path.name.removesuffix(_SUFFIX) for path in folder.iterdir() if path.name.endswith(_SUFFIX))
    if args.list:
        print("\n".join(names))
        return 0
    if args.name not in names:
        raise UsageError(not_known("schema", args.name, names))
    print((folder / f"{args.name}{_SUFFIX}").read_text(encoding="utf-8").rstrip("\n"))
    return 0
