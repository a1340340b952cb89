"""The book on disk: one JSON line for every accepted create and every delete, appended and never changed.

A line is with the operating system before its answer is sent, so killing the process loses nothing that was answered.
(A power cut might: this is a rehearsal of a provider, and does not pay for an fsync a video.)
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

from filelock import FileLock, Timeout

from pipeline.disk import DISK
from pipeline.errors import PipelineError, UsageError
from pipeline.model import JSON
from pipeline.sandbox.order import Order, Source, order_of

LOCK_WAIT_S: Final = 10.0
"""For a predecessor that is just ending."""


class BookDamaged(PipelineError):
    """A line of the book, other than a torn last one, cannot be read."""


class Store:
    """All orders of one sandbox folder, in memory and on disk. One process at a time; used from one thread."""

    def __init__(self, folder: Path, *, lock_wait_s: float = LOCK_WAIT_S) -> None:
        """Open or begin the book in *folder*. Raises `UsageError` while another sandbox has it, `BookDamaged`."""
        self.folder = folder
        self.orders: list[Order] = []
        """Every accepted create, oldest first: the money book."""
        self._videos: dict[str, Order] = {}
        self._by_key: dict[str, Order] = {}
        self._deleted: set[str] = set()
        self.cancelled: set[str] = set()
        """Ids of videos that were ended while they were rendered."""
        DISK.make_folder(folder)
        self._lock = FileLock(folder / "sandbox.lock", thread_local=False)
        try:
            self._lock.acquire(timeout=lock_wait_s)
        except Timeout:
            message = f"{folder}: another sandbox is using this folder; stop it, or choose another with --folder"
            raise UsageError(message) from None
        path = folder / "book.jsonl"
        self._descriptor = DISK.open_append(path)
        try:
            self._replay(path)
        except BaseException:
            self.close()
            raise
        self._length_bytes = path.stat().st_size

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the folder free for the next."""
        DISK.close(self._descriptor)
        self._lock.release()

    def accept(
        self,
        fields: Mapping[str, JSON],
        *,
        body_sha256: str,
        idempotency_key: str | None,
        now: float,
        source: Source | None = None,
        video_id: str = "",
    ) -> Order:
        """Enter a create in the book, under *video_id*, or an id as the API gives them.

        Raises `OSError`, and then nothing was accepted.
        """
        at = max(now, self.orders[-1].at) if self.orders else now  # a clock set back does not disorder the book
        order = Order(
            n=len(self.orders) + 1,
            at=at,
            id=video_id or f"video_{secrets.token_hex(16)}",
            body_sha256=body_sha256,
            idempotency_key=idempotency_key,
            fields=fields,
            source=source,
        )
        self._append({"type": "created", **order.as_json()})
        self._enter(order)
        return order

    def delete(self, order: Order, *, now: float) -> None:
        """Forget a video; it stays in the book."""
        self._append({"type": "deleted", "id": order.id, "at": now})
        self._deleted.add(order.id)

    def cancel(self, order: Order, *, now: float) -> None:
        """End a video that is being rendered."""
        self._append({"type": "cancelled", "id": order.id, "at": now})
        self.cancelled.add(order.id)

    def find(self, video_id: str) -> Order | None:
        """The order of a video that was not deleted."""
        return None if video_id in self._deleted else self._videos.get(video_id)

    def find_by_key(self, idempotency_key: str) -> Order | None:
        """The first order that came with this Idempotency-Key."""
        return self._by_key.get(idempotency_key)

    def after(self, video_id: str | None, *, newest_first: bool) -> Iterator[Order] | None:
        """The videos that follow *video_id*, or all; `None` where there never was such a video."""
        if video_id is not None and video_id not in self._videos:
            return None
        n = self._videos[video_id].n if video_id is not None else None
        if newest_first:
            places = range(len(self.orders) - 1 if n is None else n - 2, -1, -1)
        else:
            places = range(0 if n is None else n, len(self.orders))
        return (self.orders[place] for place in places if self.orders[place].id not in self._deleted)

    def _append(self, record: Mapping[str, JSON]) -> None:
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        try:
            DISK.write(self._descriptor, line)
        except OSError:
            DISK.truncate(self._descriptor, self._length_bytes)  # no half line may stand before the next
            raise
        self._length_bytes += len(line)

    def _enter(self, order: Order) -> None:
        self.orders.append(order)
        self._videos[order.id] = order
        if order.idempotency_key is not None:
            self._by_key.setdefault(order.idempotency_key, order)

    def _replay(self, path: Path) -> None:
        """Take in what the book holds; a torn last line is cut, for its create was never answered."""
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            DISK.truncate(self._descriptor, whole)
        for number, line in enumerate(content[:whole].splitlines(), start=1):
            try:
                self._take_in(json.loads(line))
            except (KeyError, TypeError, ValueError) as error:
                raise BookDamaged(f"{path}:{number}: this line is no record ({error}); choose another folder") from None

    def _take_in(self, record: Mapping[str, JSON]) -> None:
        if record["type"] == "deleted":
            self._deleted.add(str(record["id"]))
        elif record["type"] == "cancelled":
            self.cancelled.add(str(record["id"]))
        else:
            self._enter(order_of(record))
