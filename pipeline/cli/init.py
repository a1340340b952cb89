"""`vidbatch init`: a manifest to start from."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from pipeline.errors import UsageError

NAME = "init"
HELP = "write a starter manifest"

STARTER_YAML = """\
# A manifest: what to make. `vidbatch plan` shows what it comes to, `vidbatch run` makes it.
version: 1
name: {name}                  # the videos land in outputs/{name}/

provider: sandbox             # renders small real videos on this machine, without a key and for nothing;
                              # `vidbatch profiles` lists the others

defaults:                     # for every job that does not say otherwise
  seconds: 4                  # `vidbatch profiles sandbox` lists what there is, `model: …` too
  size: 1280x720

vars:                         # your own words, for {{{{ … }}}} in prompts
  style: 35mm film, soft morning light

# limits:
#   in_flight: 4              # videos being rendered at once
#   budget: 20.00             # no submit takes the run beyond this

jobs:
  - id: harbour
    prompt: "A heron on a harbour wall at dawn, {{{{ style }}}}"

  - id: lighthouse
    prompt: "Waves against a lighthouse, {{{{ style }}}}"
    seconds: 8
    size: 720x1280
"""

STARTER_CSV = """\
id,prompt,seconds,size
harbour,"A heron on a harbour wall at dawn, 35mm film",4,1280x720
lighthouse,"Waves against a lighthouse, 35mm film",8,720x1280
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE", nargs="?", type=Path, help="where to write it (default: first.yaml, or first.csv)"
    )
    parser.add_argument("--csv", action="store_true", help="write a CSV of prompts instead of YAML")
    parser.epilog = """\
examples:
  vidbatch init                   writes first.yaml
  vidbatch init birds.csv         a name that ends in .csv makes a CSV, as --csv does"""


def command(args: argparse.Namespace) -> int:
    path: Path = args.file or Path("first.csv" if args.csv else "first.yaml")
    csv = args.csv or path.suffix.lower() == ".csv"
    _write_new(path, STARTER_CSV if csv else STARTER_YAML.format(name=_name(path)))
    quoted = shlex.quote(str(path))
    print(f"wrote {path}; next:\n  vidbatch plan {quoted}\n  vidbatch run {quoted}")
    return 0


def _name(path: Path) -> str:
    from pipeline.naming import slug

    return slug(path.stem)


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already and stays as it is; name another file: vidbatch init FILE") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
