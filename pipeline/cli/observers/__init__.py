"""What people and programs look at while a run goes on."""

from pipeline.cli.observers.choose import choose_observer, run_log
from pipeline.cli.observers.watcher import Several, Watcher, keep_beating

__all__ = ["Several", "Watcher", "choose_observer", "keep_beating", "run_log"]
