"""`python -m pipeline.sandbox FOLDER SETTINGS`: the child process of `embedded`.

Not for people: they have `vidbatch sandbox`. SETTINGS is a JSON object, the key comes in VIDBATCH_SANDBOX_KEY. One line
of JSON on stdout says where it listens; it ends when its stdin does, so it never outlives who started it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.sandbox.serve import serve
from pipeline.sandbox.settings import KEY_ENV, Settings


def _announce(url: str) -> None:
    sys.stdout.write(json.dumps({"base_url": url}) + "\n")
    sys.stdout.flush()


def main(folder: str, settings: str) -> int:
    """Serve; the exit code."""
    try:
        serve(
            Path(folder),
            Settings().changed(json.loads(settings)),
            os.environ[KEY_ENV],
            on_listening=_announce,
            until_closed=sys.stdin.fileno(),
        )
    except PipelineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
