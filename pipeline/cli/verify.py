"""`vidbatch verify`: whether the files of a run are still what was stored; a runner may be at work meanwhile."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.media.examiner import Examiner
    from pipeline.storage import RunFolder
    from pipeline.views.verification import Finding, Progress, Verified, Wanted

NAME = "verify"
HELP = "read every stored file again, and hold it against the ledger"

EPILOG = """\
Reads only. Ends with 0 where everything is as it was stored, with 1 where something is not.

examples:
  vidbatch verify outputs/harbour             digests of all videos and pictures, and what nobody knows
  vidbatch verify outputs/harbour --decode    decode every video to its end, besides"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder such as outputs/harbour")
    parser.add_argument("--decode", action="store_true", help="decode every video to its end, too (extra media)")
    parser.add_argument("--json", action="store_true", help="print one document")
    parser.epilog = EPILOG


def command(args: argparse.Namespace) -> int:
    from pipeline.ledger.ledger import read_run
    from pipeline.storage import RunFolder
    from pipeline.views.verification import text_of, verify

    if args.decode:
        from pipeline.media.examiner import demand

        demand("verify --decode")
    state = read_run(args.run)
    folder = RunFolder(args.run if args.run.is_dir() else args.run.parent)
    verified = verify(folder, lambda: read_run(folder.ledger), _bar("B", scale=True))
    if args.decode:
        verified = _decoded(folder, verified)
    if args.json:
        name = state.header.name if state.header else folder.path.name
        print(json.dumps(verified.document(name), indent=2))
    else:
        for line in text_of(verified, folder.path):
            print(line)
    return 1 if verified.findings else 0


def _decoded(folder: RunFolder, verified: Verified) -> Verified:
    """The same, with every video decoded whose bytes are as they were stored."""
    import anyio

    from pipeline.ledger.ledger import read_run
    from pipeline.views.verification import wanted_of

    wrong = {finding.path for finding in verified.findings}
    videos = [
        file for file in wanted_of(read_run(folder.ledger)) if file.is_video and f"videos/{file.path}" not in wrong
    ]
    broken = sorted(anyio.run(_decode_all, folder, videos), key=lambda finding: finding.path)
    return replace(verified, decoded=len(videos), findings=(*verified.findings, *broken))


async def _decode_all(folder: RunFolder, videos: Sequence[Wanted]) -> list[Finding]:
    """What is wrong with these videos; a process for each core decodes them."""
    import anyio

    from pipeline.media.examiner import Examiner

    found: list[Finding] = []
    waiting, numbers, told = iter(videos), count(1), _bar("videos")

    async def decode() -> None:
        examiner = Examiner()
        try:
            for video in waiting:
                found.extend(await _broken(examiner, folder, video))
                told(next(numbers), len(videos))
        finally:
            await examiner.close()

    async with anyio.create_task_group() as group:
        for _ in range(min(os.cpu_count() or 1, len(videos))):
            group.start_soon(decode)
    return found


async def _broken(examiner: Examiner, folder: RunFolder, video: Wanted) -> list[Finding]:
    """What is wrong with this one."""
    from pipeline.media.examiner import NotExamined
    from pipeline.views.verification import BROKEN, UNREADABLE, Finding

    path = f"videos/{video.path}"
    try:
        examined = await examiner.examine(folder.video(video.path))
    except NotExamined as why:
        return [Finding(kind=UNREADABLE, path=path, job=video.job, words=str(why))]
    words = "; ".join(examined.media.problems)
    return [Finding(kind=BROKEN, path=path, job=video.job, words=words)] if words else []


def _bar(unit: str, *, scale: bool = False) -> Progress:
    """Shows how far it is, where somebody looks."""
    from tqdm import tqdm

    bar = tqdm(None, unit=unit, unit_scale=scale, leave=False, file=sys.stderr, disable=not sys.stderr.isatty())

    def told(done: int, of: int) -> None:
        bar.total = of
        bar.update(done - bar.n)
        if done >= of:
            bar.close()

    return told
