"""`vidbatch sandbox`: the sandbox gateway on a port of its own."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UsageError
from pipeline.model import JSON
from pipeline.sandbox.settings import DEFAULT_KEY, KEY_ENV

if TYPE_CHECKING:
    from pipeline.profile import Profile

NAME = "sandbox"
HELP = "serve the sandbox gateway on a port"

EPILOG = """\
examples:
  vidbatch sandbox                                     on port 8700, two seconds a video
  vidbatch sandbox --render-s 20 90 --in-flight-max 2  slow and narrow, as a gateway can be
  vidbatch sandbox --render-s 0 --film-bytes 4096      as fast as it gets, for benchmarks
  vidbatch sandbox --faults faults.yaml                as bad as that file says; docs/sandbox.md has the words
  vidbatch sandbox --profile ./gateway.yaml            in the place of the server that the profile tells of"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `vidbatch sandbox`."""
    parser.epilog = EPILOG
    parser.add_argument(
        "--profile",
        default="sandbox",
        metavar="NAME|PATH",
        help="answer as the server of that provider does (default: as itself)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; beyond this machine only with a key set")
    parser.add_argument("--port", type=int, default=8700, help="0 takes any free one (default: 8700)")
    parser.add_argument(
        "--folder", type=Path, default=Path("outputs/.sandbox"), help="its book and films (default: outputs/.sandbox)"
    )
    parser.add_argument("--render-s", type=float, nargs="+", metavar="S", help="render time, or least and most")
    parser.add_argument("--retention-s", type=float, metavar="S", help="how long a film can be downloaded")
    parser.add_argument("--rate-per-minute", type=int, metavar="N", help="creates within any minute")
    parser.add_argument("--in-flight-max", type=int, metavar="N", help="videos being rendered at once")
    parser.add_argument("--no-list", action="store_true", help="do not offer GET /v1/videos")
    parser.add_argument("--honour-keys", action="store_true", help="one job for a repeated Idempotency-Key")
    parser.add_argument("--list-lag-s", type=float, metavar="S", help="how old a video is before the list has it")
    parser.add_argument("--clock-skew-s", type=float, metavar="S", help="how fast its clock is; below 0 it is slow")
    parser.add_argument("--faults", type=Path, metavar="FILE", help="what it does wrong on demand, in YAML or JSON")
    parser.add_argument("--film-bytes", type=int, metavar="N", help="plain films of exactly N bytes, for benchmarks")
    parser.add_argument("--key-env", metavar="NAME", help=f"the variable that holds its key (default: {KEY_ENV})")


def command(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    from pipeline.loopback import is_loopback
    from pipeline.sandbox.serve import require_extra, serve

    require_extra()
    from pipeline.cli.profiles import profile_named
    from pipeline.sandbox.dress import dress_of

    profile = profile_named(args.profile, os.environ)
    key = _key(args.key_env)
    if not is_loopback(args.host):
        _check_closed(args.host, key, profile)
    dress = dress_of(profile)
    settings = dress.settings().changed(_wishes(args))

    about_key = _about_key(profile, args.key_env or KEY_ENV, is_default=key is None)

    def on_listening(base_url: str) -> None:
        print(f"The sandbox listens on {base_url}; its book and films are in {args.folder}.")
        print(f"In a manifest:   provider: {{profile: {args.profile}, base_url: {base_url}}}")
        print(about_key)
        if not profile.embedded:
            print("To rehearse:     vidbatch run MANIFEST --outputs outputs/rehearsal   # apart from what is paid for")
        print("Ctrl-C ends it.", flush=True)

    try:
        key = key or DEFAULT_KEY
        serve(args.folder, settings, key, host=args.host, port=args.port, on_listening=on_listening, dress=dress)
    except KeyboardInterrupt:  # uvicorn has ended in good order, and hands the signal on
        return 0
    return 0


def _check_closed(host: str, key: str | None, profile: Profile) -> None:
    """Raises `UsageError` where others could reach it without a key of its owner's."""
    if not profile.wire.auth.header:
        raise UsageError(f"--host {host} can be reached by others, and as {profile.name} it asks for no key")
    if key is None:
        raise UsageError(f"--host {host} can be reached by others: set a key of your own in {KEY_ENV} first")


def _about_key(profile: Profile, variable: str, *, is_default: bool) -> str:
    """How a run gets at its key."""
    if not profile.wire.auth.header:
        return "It asks for no key."
    read_from = profile.key_env[0] if profile.key_env else ""
    if not read_from:
        value = DEFAULT_KEY if is_default else f"the one in {variable}"
        return f"Its key is {value}: put it into a variable, and name that as provider.api_key_env."
    if is_default:
        return f"In the shell:    export {read_from}={DEFAULT_KEY}"
    return f"Its key is the one in {variable}; a run reads it from {read_from}."


def _key(variable: str | None) -> str | None:
    """The key that was set; `None` where there is none and none was named."""
    key = os.environ.get(variable or KEY_ENV)
    if variable is not None and not key:
        raise UsageError(f"--key-env: the variable {variable} is not set")
    return key or None


def _faults(path: Path | None) -> JSON:
    if path is None:
        return None
    from pipeline.sandbox.fault_file import read_fault_file

    return read_fault_file(path)


def _wishes(args: argparse.Namespace) -> dict[str, JSON]:
    """The settings that were given on the command line."""
    wishes: dict[str, JSON] = {
        "render_s": args.render_s if args.render_s is None or len(args.render_s) > 1 else args.render_s[0],
        "retention_s": args.retention_s,
        "rate_per_minute": args.rate_per_minute,
        "in_flight_max": args.in_flight_max,
        "film": None if args.film_bytes is None else {"constant_bytes": args.film_bytes},
        "lists": False if args.no_list else None,
        "honours_keys": True if args.honour_keys else None,
        "list_lag_s": args.list_lag_s,
        "clock_skew_s": args.clock_skew_s,
        "faults": _faults(args.faults),
    }
    return {name: wish for name, wish in wishes.items() if wish is not None}
