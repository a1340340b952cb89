"""The gallery at the end of a run: a convenience, so it is bounded, and no run ends otherwise because of it."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.disk import words_of
from pipeline.progress import Notice, Observer
from pipeline.text import plural

if TYPE_CHECKING:
    from pipeline.api import Outcome

POSTERS_S_MAX: Final = 20.0
"""The rest are left to `vidbatch report`."""
CARDS_MAX: Final = 10_000
"""A page of more is for whoever asks for it: it takes a while to write, and to open."""


def write_gallery(outcome: Outcome, observer: Observer) -> str:
    """Write the gallery of a run that is over; where it is, or why it was not written, which *observer* hears, too."""
    jobs, folder = len(outcome.state.jobs), outcome.outlook.folder
    if not jobs:
        return ""
    if jobs > CARDS_MAX:
        why = f"{plural(jobs, 'video')} is more than is shown unasked"
    else:
        path, why = _tried(folder, posters_s=0.0 if outcome.interrupted else POSTERS_S_MAX)
        if not why:
            return path
    words = f"not written: {why}; {shlex.join(['vidbatch', 'report', str(folder)])} does it"
    observer(Notice(lane="run", message=f"the gallery was {words}"))
    return words


def _tried(folder: Path, *, posters_s: float) -> tuple[str, str]:
    """Where it is, or why it is not. Ctrl-C leaves it as it was: the run itself is over."""
    import anyio

    from pipeline.report import write_report
    from pipeline.storage import RunFolder

    try:
        report = anyio.run(partial(write_report, RunFolder(folder), posters_s=posters_s))
    except KeyboardInterrupt:
        return "", "interrupted"
    except OSError as error:
        return "", f"{error.filename or folder}: {words_of(error)}"
    except Exception as error:  # noqa: BLE001 - whatever it is: the run is over, and its exit code is its own
        return "", str(error) or type(error).__name__
    return str(report.path), ""
