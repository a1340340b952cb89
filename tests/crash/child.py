"""`python -m tests.crash.child`: starts runners that may be killed, each a process of its own.

All that a run needs is imported once, by a run, and then forked: a line of JSON comes in (`outputs`, `base_url` and
where to die), a process runs the twenty jobs, and a line goes out with what became of it. This process has one thread
and no event loop by then, so that it may be forked.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio

from tests.crash.deadly import DeadlyDisk, Point
from tests.crash.runs import QuickDisk, Town, a_town
from tests.crash.shop import Shop

PID, COUNTS, TRACE = "runner.pid", "runner.counts", "runner.trace"
"""Files that a runner leaves in its outputs folder."""


def main() -> None:
    """Serve until there are no more lines."""
    anyio.run(_warm_up)
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join()
    for line in sys.stdin:
        code = start(json.loads(line))
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


async def _warm_up() -> None:
    """Import what is imported late, once for all."""
    with tempfile.TemporaryDirectory() as outputs:
        async with a_town() as town:
            await town.run(Path(outputs), QuickDisk())


def start(order: Mapping[str, Any]) -> int:
    """Run it in a child process; its exit code, negative for a signal."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    outputs = Path(order["outputs"])
    code = 70
    try:
        code = _run(outputs, order)
    except BaseException:  # noqa: BLE001  whatever it is, the parent is to read it
        (outputs / TRACE).write_text(traceback.format_exc(), encoding="utf-8")
    os._exit(code)


def _run(outputs: Path, order: Mapping[str, Any]) -> int:
    (outputs / PID).write_text(str(os.getpid()), encoding="ascii")
    disk = DeadlyDisk(Point(**order["point"]) if order["point"] else None)
    town = Town(shop=Shop(), base_url=order["base_url"])
    anyio.run(town.run, outputs, disk)
    (outputs / COUNTS).write_text(json.dumps(disk.counts), encoding="ascii")
    return 0


if __name__ == "__main__":
    main()
