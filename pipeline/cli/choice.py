"""Arguments that `run` and `plan` share, and what they say."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.arguments import amount, count, ended_states, folder

if TYPE_CHECKING:
    from pipeline.manifest.load import Wishes
    from pipeline.model import Manifest
    from pipeline.prepare import Choice

_ALLOWANCES = ("--allow-unknown", "--allow-large", "--allow-outside", "--allow-retired", "--allow-moved")
LARGE = "let more than 100,000 jobs of an entry, 200,000 of a manifest and 64 MiB of data pass"


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Declare which jobs of which manifest, by which provider, to where."""
    parser.add_argument("manifest", metavar="MANIFEST", type=Path, help="a YAML, CSV or JSONL file, or a run folder")
    parser.add_argument("--only", metavar="GLOB", default="", help="only jobs whose id or group matches it")
    parser.add_argument("--limit", metavar="N", type=count, help="only the first N of them; the same N next time")
    parser.add_argument(
        "--retry",
        metavar="STATES",
        type=ended_states,
        default=frozenset(),
        help="buy again what ended in these states, such as failed,expired",
    )
    parser.add_argument("--budget", metavar="AMOUNT", type=amount, help="spend no more, earlier runs included")
    parser.add_argument("--in-flight", metavar="N", type=count, help="so many videos being rendered at once")
    parser.add_argument("--submits-per-minute", metavar="N", type=count, help="so many submits a minute")
    parser.add_argument(
        "--uncertain",
        choices=("hold", "resubmit"),
        default="hold",
        help="submits whose outcome nothing settles: hold them (default), or submit them again, perhaps paying twice",
    )
    parser.add_argument(
        "--max-duplicate-cost",
        metavar="AMOUNT",
        type=amount,
        help="with --uncertain resubmit: so much may be paid twice, earlier runs included",
    )
    parser.add_argument(
        "--outputs",
        metavar="DIR",
        type=folder,
        default="outputs",
        help="where run folders go (default: outputs)",
    )
    parser.add_argument(
        "--allow-retired", action="store_true", help="send to an address that was shut down, as the profile says"
    )
    parser.add_argument(
        "--allow-moved",
        action="store_true",
        help="what is home of a server on this machine is no rehearsal: the server has only moved",
    )
    add_reading(parser)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Declare how manifests are read."""
    parser.add_argument("--provider", metavar="NAME", default="", help="a profile's name or file, over the manifest's")
    parser.add_argument(
        "--set",
        dest="settings",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a setting or variable of every entry, over the manifest's; NAME=A,B makes an axis of it",
    )
    parser.add_argument("--fit", choices=("crop", "pad"), default="", help="bring reference images to their job's size")
    parser.add_argument(
        "--allow-unknown", action="store_true", help="let models, lengths and sizes pass that the profile does not list"
    )
    parser.add_argument("--allow-large", action="store_true", help=LARGE)
    parser.add_argument(
        "--allow-outside", action="store_true", help="let a manifest name files outside of its own folder"
    )


def wishes_of(args: argparse.Namespace) -> Wishes:
    """How the arguments want manifests to be read."""
    from pipeline.manifest.load import Wishes

    return Wishes(
        provider=args.provider,
        allow_unknown=args.allow_unknown,
        allow_large=args.allow_large,
        allow_outside=args.allow_outside,
        settings=tuple(args.settings),
        fit=args.fit,
    )


def read_manifest(args: argparse.Namespace) -> Manifest:
    """The manifest that the arguments name, by its file or by its run folder, read as they say.

    Raises `InvalidManifest` and `UsageError`.
    """
    from pipeline import api

    wishes = wishes_of(args)
    if args.manifest.is_dir():
        return read_kept(args.manifest, wishes)
    return _checked(api.load(args.manifest, wishes))


def read_kept(folder: Path, wishes: Wishes | None = None) -> Manifest:
    """What was run last in *folder*, from the copies that it keeps; what *wishes* state goes over how it was read."""
    from pipeline import api

    return _checked(api.load_kept(folder, wishes))


def _checked(manifest: Manifest) -> Manifest:
    from pipeline.cli.redact import holds_key

    holds_key(manifest.provider.api_key_env, *manifest.profile.key_env)
    return manifest


def choice_of(args: argparse.Namespace) -> Choice:
    """What the arguments say over the manifest."""
    from pipeline.limits import LimitsWish
    from pipeline.prepare import Choice

    return Choice(
        outputs=_outputs(args),
        only=args.only,
        limit=args.limit,
        retry=args.retry,
        uncertain=args.uncertain,
        max_duplicate_cost=args.max_duplicate_cost,
        limits=LimitsWish(
            in_flight=args.in_flight,
            submits_per_minute=args.submits_per_minute,
            budget=args.budget,
            confirm_above=getattr(args, "confirm_above", None),
        ),
        strict_media=getattr(args, "strict_media", False),
        allow_retired=args.allow_retired,
        allow_moved=args.allow_moved,
    )


def _outputs(args: argparse.Namespace) -> Path:
    """Where run folders go: a run folder that is named as the manifest stays where it is."""
    named: Path = args.manifest
    if not named.is_dir():
        return Path(args.outputs)
    real = named.resolve()
    return (named if named.name == real.name else real).parent


def words_of(args: argparse.Namespace) -> list[str]:
    """What must be typed after `vidbatch run` to mean this run again, its bounds included."""
    words = [str(args.manifest)]
    for option, value, default in (
        ("--provider", args.provider, ""),
        ("--outputs", Path("outputs") if args.manifest.is_dir() else args.outputs, Path("outputs")),
        ("--only", args.only, ""),
        ("--limit", args.limit, None),
        ("--budget", args.budget, None),
        ("--in-flight", args.in_flight, None),
        ("--submits-per-minute", args.submits_per_minute, None),
        ("--uncertain", args.uncertain, "hold"),
        ("--max-duplicate-cost", args.max_duplicate_cost, None),
        ("--confirm-above", getattr(args, "confirm_above", None), None),
    ):
        if value != default:
            words += [option, str(value)]
    for setting in args.settings:
        words += ["--set", setting]
    words += ["--fit", args.fit] if args.fit else []
    words += ["--strict-media"] if getattr(args, "strict_media", False) else []
    return [*words, *(flag for flag in _ALLOWANCES if getattr(args, flag[2:].replace("-", "_")))]
