"""`python -m pipeline.media.child`: decodes files for whoever started it, one request a line, one answer a line.

A provider's bytes may hang FFmpeg's decoders, crash them, or make them take all memory: here that ends nobody but us.
It ends with its standard input, and, where a file takes much too long, by itself.

    ← {"ready": "18.1.0"}
    → {"path": "/…/fox.mp4", "poster": 320}         ← {"media": {…}, "poster": "<base64>"}
    → {"path": "/…/fox.mp4", "only_poster": 320}    ← {"poster": "<base64>"}
                                                    ← {"error": "…", "of": "disk"}: it does not give the file
                                                    ← {"error": "…", "of": "machine"}: it has too little memory
                                                    ← {"error": "…", "of": "file"}: we do not know what to make of it
"""

from __future__ import annotations

import base64
import faulthandler
import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO, Final

NICENESS: Final = 10
"""Downloads and the runner go first."""
MEMORY_BYTES_MAX: Final = 8 << 30
"""Of address space; a frame of 8K and all that refers to it need a fraction of it."""


def main(words: list[str]) -> None:
    """Answer until the standard input ends; *words*: how many seconds a file may take."""
    import av

    limit_s = float(words[0])
    _be_modest()
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    _say(answers, {"ready": av.__version__})
    for line in asked:
        faulthandler.dump_traceback_later(limit_s, exit=True, file=sys.stderr)  # a thread of C: no decoder holds it up
        _say(answers, _answer(line))
        faulthandler.cancel_dump_traceback_later()


def _answer(line: bytes) -> dict[str, Any]:
    from pipeline.media.examine import examine, poster

    try:
        asked = json.loads(line)
        path = Path(asked["path"])
        if width := asked.get("only_poster"):
            return {"poster": _base64(poster(path, width))}
        found = examine(path, asked.get("poster", 0))
        return {"media": found.media.as_fields(), "poster": _base64(found.poster)}
    except Exception as error:  # noqa: BLE001 - whatever it is: the next file is another
        return {"error": getattr(error, "strerror", None) or str(error) or type(error).__name__, "of": _of(error)}


def _of(error: Exception) -> str:
    """Whose fault it is, as far as that is known."""
    from av.error import FFmpegError

    from pipeline.media.decode import MachineAtFault

    if isinstance(error, (MemoryError, MachineAtFault)):
        return "machine"
    return "disk" if isinstance(error, OSError) and not isinstance(error, FFmpegError) else "file"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _say(answers: BinaryIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode("ascii") + b"\n")
    answers.flush()


def _be_modest() -> None:
    """As far as the system has ways to that."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    try:
        import resource
    except ImportError:  # Windows
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY or most > MEMORY_BYTES_MAX:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
