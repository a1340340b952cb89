"""vidbatch: videos in bulk from a manifest. Nothing is paid for twice, nothing paid for is lost.

    import anyio
    import pipeline

    manifest = pipeline.load("manifests/quickstart.yaml")
    print(pipeline.plan_run(manifest).plan.cost)
    outcome = anyio.run(pipeline.run, manifest)
    print(outcome.counts)

`load`, `plan_run`, `run` and `status` are what the command line uses too; docs/python.md explains them. Importing this
package imports nothing else: each name is fetched when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from pipeline.version import __version__

if TYPE_CHECKING:
    from pipeline.api import Outcome, admit, load, obstacle, plan_run, run, status
    from pipeline.errors import InvalidManifest, LedgerBusy, LedgerDamaged, PipelineError, UsageError
    from pipeline.ledger.replay import RunState
    from pipeline.lifecycle import State
    from pipeline.limits import LimitsWish
    from pipeline.manifest.load import Wishes
    from pipeline.model import Issue, Job, Manifest
    from pipeline.outlook import Choice, Outlook
    from pipeline.progress import Deleted, Ended, Event, Moved, Notice, Observer, Received, Started, silent

__all__ = [
    "Choice",
    "Deleted",
    "Ended",
    "Event",
    "InvalidManifest",
    "Issue",
    "Job",
    "LedgerBusy",
    "LedgerDamaged",
    "LimitsWish",
    "Manifest",
    "Moved",
    "Notice",
    "Observer",
    "Outcome",
    "Outlook",
    "PipelineError",
    "Received",
    "RunState",
    "Started",
    "State",
    "UsageError",
    "Wishes",
    "__version__",
    "admit",
    "load",
    "obstacle",
    "plan_run",
    "run",
    "silent",
    "status",
]

_HOMES = {
    "pipeline.api": ("Outcome", "admit", "load", "obstacle", "plan_run", "run", "status"),
    "pipeline.errors": ("InvalidManifest", "LedgerBusy", "LedgerDamaged", "PipelineError", "UsageError"),
    "pipeline.ledger.replay": ("RunState",),
    "pipeline.lifecycle": ("State",),
    "pipeline.manifest.load": ("Wishes",),
    "pipeline.model": ("Issue", "Job", "LimitsWish", "Manifest"),
    "pipeline.outlook": ("Choice", "Outlook"),
    "pipeline.progress": ("Deleted", "Ended", "Event", "Moved", "Notice", "Observer", "Received", "Started", "silent"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'pipeline' has no attribute '{name}'")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted([*_HOME_OF, "__version__"])
