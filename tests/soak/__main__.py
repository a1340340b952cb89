"""`python -m tests.soak [NAME …] [--size N] [--seed S]`: the long proofs, each with its figures.

Without a name, all of them at their full size. The last figures stand in docs/reliability.md.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

import tests.soak
from tests.soak.proof import Script


def scripts() -> dict[str, Script]:
    """The proofs of this package, by name."""
    names = (found.name for found in iter_modules(tests.soak.__path__) if found.name not in ("__main__", "proof"))
    modules = (import_module(f"tests.soak.{name}") for name in names if not name.startswith("test_"))
    return {module.__name__.rpartition(".")[2]: cast(Script, module) for module in modules if hasattr(module, "prove")}


def main() -> int:
    """Run them and print what they came to; 1 where something was wrong."""
    known = scripts()
    listing = "\n".join(f"  {name:<12} {script.WHAT} ({script.SIZE:,})" for name, script in known.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak",
        description=f"{__doc__}\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", metavar="NAME", nargs="*", choices=[*known, []], help="which of them; all without")
    parser.add_argument("--size", type=int, help="how large, where not the full size")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    args = parser.parse_args()
    wrong = 0
    for name in args.names or known:
        script, began_s = known[name], time.monotonic()
        size = script.SIZE if args.size is None else args.size
        sys.stdout.write(f"== {name} --size {size} --seed {args.seed}\n")
        sys.stdout.flush()
        proof = script.prove(size=size, seed=args.seed)
        sys.stdout.write(f"{proof}\ntook {time.monotonic() - began_s:.0f} s\n\n")
        sys.stdout.flush()
        wrong += bool(proof.faults)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
