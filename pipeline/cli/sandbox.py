"""`vidbatch sandbox`: the sandbox gateway on a port of its own."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.model import JSON
from pipeline.sandbox.settings import DEFAULT_KEY, KEY_ENV, Settings

NAME = "sandbox"
HELP = "serve the sandbox gateway on a port"

EPILOG = """\
examples:
  vidbatch sandbox                                     on port 8700, two seconds a video
  vidbatch sandbox --render-s 20 90 --in-flight-max 2  slow and narrow, as a gateway can be
  vidbatch sandbox --render-s 0 --film-bytes 4096      as fast as it gets, for benchmarks
  vidbatch sandbox --faults faults.yaml                as bad as that file says; docs/sandbox.md has the words"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `vidbatch sandbox`."""
    parser.epilog = EPILOG
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
    from pipeline.sandbox.serve import serve

    key = _key(args.key_env)
    if key is None and not is_loopback(args.host):
        raise UsageError(f"--host {args.host} can be reached by others: set a key of your own in {KEY_ENV} first")
    settings = Settings().changed(_wishes(args))

    def on_listening(base_url: str) -> None:
        print(f"The sandbox listens on {base_url}; its book and films are in {args.folder}.")
        print(f"In a manifest:   provider: {{profile: sandbox, base_url: {base_url}}}")
        if key is None:
            print(f"In the shell:    export {KEY_ENV}={DEFAULT_KEY}")
        else:
            print(f"Its key is the one in {args.key_env or KEY_ENV}; a run reads it from {KEY_ENV}.")
        print("Ctrl-C ends it.", flush=True)

    try:
        serve(args.folder, settings, key or DEFAULT_KEY, host=args.host, port=args.port, on_listening=on_listening)
    except KeyboardInterrupt:  # uvicorn has ended in good order, and hands the signal on
        return 0
    return 0


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
