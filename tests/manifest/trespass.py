"""`python -m tests.manifest.trespass FOLDER NAME…`: manifests in a folder, loaded one by one under observation.

Every file that is opened and every folder that is listed is reported by Python itself (`sys.addaudithook`), whoever in
the process does it. One JSON line a manifest: its issues, the time it took, and what was touched outside of the folder.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import pipeline
from pipeline import api
from pipeline.errors import InvalidManifest, UsageError

OWN = Path(pipeline.__file__).resolve().parents[1]
"""Where the profiles and the schemas are that come with vidbatch."""
LOOKS = frozenset({"open", "os.scandir", "os.listdir", "os.chdir", "glob.glob"})
MEMORY_BYTES_MAX = 1 << 30


def main(folder: str, *names: str) -> None:
    home = os.path.realpath(folder)
    touched: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in LOOKS and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if not Path(path).is_relative_to(home) and not Path(path).is_relative_to(OWN):
                touched.append(path)

    load(Path(home) / names[0])  # whatever is read at the first use: schemas, profiles, modules
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    sys.addaudithook(watch)
    for name in names:
        touched.clear()
        began_s, began_cpu_s = time.monotonic(), time.process_time()
        issues = load(Path(home) / name)
        said = {"name": name, "issues": issues, "touched": [*touched]}
        spent = {"wall_s": time.monotonic() - began_s, "cpu_s": time.process_time() - began_cpu_s}
        sys.stdout.write(json.dumps({**said, **spent}) + "\n")
        sys.stdout.flush()


def load(path: Path) -> list[str]:
    """What is wrong with the manifest at *path*, as `file:line:column code`."""
    try:
        api.load(path)
    except InvalidManifest as refused:
        return [f"{issue.position} {issue.code}" for issue in refused.issues]
    except UsageError as error:
        return [f"usage: {error}"]
    return []


if __name__ == "__main__":
    main(*sys.argv[1:])
