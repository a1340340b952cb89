"""Films that are ready to be sent: painted on first demand, off the event loop, and kept on disk by what they show."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

import anyio
import anyio.to_thread

from pipeline.disk import DISK
from pipeline.sandbox import film as films
from pipeline.sandbox.order import Order
from pipeline.sandbox.settings import Settings
from pipeline.sandbox.stills import KINDS, still

BYTES_MAX: Final = 512 * 1024 * 1024
"""What the films may take on disk. The first painted go first, and are painted anew when they are asked for."""


VIDEO: Final = "video/mp4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reel:
    """One film, or what is sent in its place, opened to be sent; who asked for it closes `file`."""

    file: BinaryIO
    length: int
    etag: str
    """Strong: equal tags are equal bytes."""
    kind: str = VIDEO
    """Its media type."""


def reel_of(content: bytes, kind: str, *, etag: str) -> Reel:
    """Bytes in the place of a film."""
    return Reel(file=BytesIO(content), length=len(content), etag=etag, kind=kind)


class Shelf:
    """The films of one sandbox folder."""

    def __init__(self, folder: Path, *, bytes_max: int = BYTES_MAX) -> None:
        self._folder = folder / "films"
        self._bytes_max = bytes_max
        self._painting: dict[str, anyio.Lock] = {}
        DISK.make_folder(self._folder)

    async def take(self, order: Order, settings: Settings) -> Reel:
        """The film of *order*, painted now if it is not here. Raises `OSError`."""
        path = await self._place(order, settings)
        file = path.open("rb")
        return Reel(file=file, length=os.fstat(file.fileno()).st_size, etag=f'"{path.stem}"')

    async def take_still(self, order: Order, settings: Settings, variant: str) -> Reel:
        """The picture that *variant* names, of the film of *order*. Raises `OSError`."""
        path = await self._place(order, settings)
        content = await anyio.to_thread.run_sync(still, path, variant, limiter=self._painters)
        return reel_of(content, KINDS[variant], etag=f'"{path.stem}-{variant}"')

    async def _place(self, order: Order, settings: Settings) -> Path:
        """The file of the film, which is there now."""
        film = films.film_of({**order.fields, "seconds": order.seconds}, order.lineage)
        if settings.film is None:
            key, paint = film.key, partial(films.render, film)
        else:
            key, paint = films.plain_key(film, settings.film), partial(films.plain, film, settings.film)
        path = self._folder / f"{key}.mp4"
        if not path.exists():
            await self._paint(path, paint)
        return path

    async def _paint(self, path: Path, paint: Callable[[Path], None]) -> None:
        """Paint once, however many ask at the same time."""
        lock = self._painting.setdefault(path.name, anyio.Lock())
        async with lock:
            if not path.exists():
                await anyio.to_thread.run_sync(self._paint_whole, path, paint, limiter=self._painters)
        self._painting.pop(path.name, None)

    @cached_property
    def _painters(self) -> anyio.CapacityLimiter:
        return anyio.CapacityLimiter(os.cpu_count() or 1)

    def _paint_whole(self, path: Path, paint: Callable[[Path], None]) -> None:
        draft = path.with_suffix(".part")
        paint(draft)
        self._make_room(draft.stat().st_size)
        DISK.replace(draft, path)

    def _make_room(self, wanted_bytes: int) -> None:
        kept = sorted((path.stat().st_mtime_ns, path.stat().st_size, path) for path in self._folder.glob("*.mp4"))
        over = sum(size for _, size, _ in kept) + wanted_bytes - self._bytes_max
        for _, size, path in kept:
            if over <= 0:
                return
            DISK.remove(path)
            over -= size
