"""Where a process dies: a table of named points, and any operation of any kind, counted.

A point is seen at the `Disk` that the runner is given, so nothing in the product has to know of it. The process does
not end tidily: it sends itself SIGKILL, whatever its other threads are doing.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from tests.crash.runs import QuickDisk

KINDS = ("open", "write", "sync", "replace", "remove", "sync_folder")
PHASES: Mapping[str, tuple[str, ...]] = dict.fromkeys(KINDS, ("before", "after")) | {
    "write": ("before", "amid", "after")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The *nth* operation of this kind on a file of that name with those words in what it is about."""

    kind: str
    phase: str
    name: str = "*"
    words: str = ""
    """In what is written; of a sync, in what it makes durable: bytes of a file, names in a folder."""
    nth: int = 1

    def __str__(self) -> str:
        about = f" of {self.name}" if self.name != "*" else ""
        return f"{self.phase} {self.kind} {self.nth}{about}{f' with {self.words}' if self.words else ''}"


def _on_ledger(kind: str, phase: str, fact: str) -> Callable[[int], Point]:
    return lambda nth: Point(kind=kind, phase=phase, name="ledger.jsonl", words=f'"t":"{fact}"', nth=nth)


def _on(kind: str, phase: str, name: str, words: str = "") -> Callable[[int], Point]:
    return lambda nth: Point(kind=kind, phase=phase, name=name, words=words, nth=nth)


NAMED: Mapping[str, Callable[[int], Point]] = {
    "before_intent_commit": _on_ledger("write", "before", "intent"),
    "amid_intent": _on_ledger("write", "amid", "intent"),
    "after_intent_commit": _on_ledger("sync", "after", "intent"),
    "after_answer": _on_ledger("write", "before", "accepted"),
    "amid_accepted": _on_ledger("write", "amid", "accepted"),
    "after_accepted_write": _on_ledger("write", "after", "accepted"),
    "after_accepted_commit": _on_ledger("sync", "after", "accepted"),
    "mid_part": _on("write", "amid", "*.mp4.part"),
    "before_part_sync": _on("sync", "before", "*.mp4.part"),
    "after_part_sync": _on("sync", "after", "*.mp4.part"),
    "amid_sidecar": _on("write", "amid", "*.json.part"),
    "after_sidecar_rename": _on("replace", "after", "*.json"),
    "after_video_rename": _on("replace", "after", "*.mp4"),
    "after_folder_sync": _on("sync_folder", "after", "*", ".mp4\n"),
    "after_stored_record": _on_ledger("write", "before", "stored"),
    "amid_stored": _on_ledger("write", "amid", "stored"),
    "after_stored_commit": _on_ledger("sync", "after", "stored"),
}
"""By name, given which time."""
AFTER_POST_SENT = "after_post_sent"
"""The provider has sold, and its answer never comes: it kills the runner itself."""


class DeadlyDisk(QuickDisk):
    """Does what it is asked to, and dies at *point*; `counts` tells how often there was an operation of each kind."""

    def __init__(self, point: Point | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self._point = point
        self._met = 0
        self._lock = threading.RLock()
        self._names: dict[int, str] = {}
        self._unsynced: dict[str, bytes] = defaultdict(bytes)

    def open_append(self, path: Path) -> int:
        with self._step("open", path.name):
            return self._named(super().open_append(path), path)

    def open_new(self, path: Path) -> int:
        with self._step("open", path.name):
            return self._named(super().open_new(path), path)

    def write(self, descriptor: int, content: bytes) -> None:
        name = self._names[descriptor]
        with self._step("write", name, content, amid=lambda: self._half(descriptor, content)):
            super().write(descriptor, content)
            self._unsynced[name] += content

    def sync(self, descriptor: int) -> None:
        name = self._names[descriptor]
        with self._step("sync", name, self._unsynced.pop(name, b"")):
            super().sync(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        with self._step("replace", target.name):
            super().replace(source, target)
            self._unsynced[f"{target.parent}/"] += f"{target.name}\n".encode()

    def remove(self, path: Path) -> None:
        with self._step("remove", path.name):
            super().remove(path)

    def sync_folder(self, path: Path) -> None:
        with self._step("sync_folder", path.name, self._unsynced.pop(f"{path}/", b"")):
            super().sync_folder(path)

    @contextmanager
    def _step(
        self, kind: str, name: str, content: bytes = b"", *, amid: Callable[[], object] = lambda: None
    ) -> Iterator[None]:
        with self._lock:
            self.counts[kind] += 1
            phase = self._phase(kind, name, content)
            if phase == "amid":
                amid()
            if phase in ("before", "amid"):
                _die()
            yield
            if phase == "after":
                _die()

    def _phase(self, kind: str, name: str, content: bytes) -> str:
        """When to die of this operation; empty: not at all."""
        point = self._point
        if point is None or kind != point.kind or not fnmatch(name, point.name) or point.words.encode() not in content:
            return ""
        self._met += 1
        return point.phase if self._met == point.nth else ""

    def _half(self, descriptor: int, content: bytes) -> None:
        super().write(descriptor, content[: len(content) // 2])

    def _named(self, descriptor: int, path: Path) -> int:
        self._names[descriptor] = path.name
        return descriptor


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait()  # a signal to oneself arrives soon, not at once
