"""Setting a prepared run to work: the provider reached, or started; the lanes at work; and the first failure told."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.disk import DISK, Disk
from pipeline.errors import PipelineError, UsageError
from pipeline.ledger.ledger import Ledger, utc_now
from pipeline.ledger.spill import spill_folders
from pipeline.model import EMBEDDED, NO_AFTERCARE
from pipeline.outlook import Outlook
from pipeline.policy.verdict import PATIENCE, Patience
from pipeline.progress import Observer, unfailing
from pipeline.providers.access import Access, access
from pipeline.providers.registry import dialect_of
from pipeline.storage import RunFolder

if TYPE_CHECKING:
    from pipeline.media.examiner import Examines
    from pipeline.runner.board import Board
    from pipeline.sandbox.embedded import LastWords
    from pipeline.transport import Transport


def _connect(access: Access, *, submits: int, downloads: int) -> AbstractAsyncContextManager[Transport]:
    """The real network."""
    from pipeline.transport import connect

    return connect(access, submits=submits, downloads=downloads)


def _examiner() -> AbstractAsyncContextManager[Examines | None]:
    """A process of its own, where the extra is installed."""
    from pipeline.media.examiner import examiner

    return examiner()


@asynccontextmanager
async def no_examiner() -> AsyncIterator[None]:
    """Nobody."""
    yield None


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a run takes from outside."""

    environment: Mapping[str, str]
    now: Callable[[], datetime] = utc_now
    chance: random.Random = random.SystemRandom()  # noqa: RUF009 - it has no state to share
    disk: Disk = DISK
    patience: Patience = PATIENCE
    connect: Callable[..., AbstractAsyncContextManager[Transport]] = _connect
    """What carries the requests, made as `transport.connect` makes it."""
    examiner: Callable[[], AbstractAsyncContextManager[Examines | None]] = _examiner
    """What decodes the stored videos, made as `media.examiner.examiner` makes it; `None`: nobody does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the lanes will work on, and where."""

    ledger: Ledger
    folder: RunFolder
    outlook: Outlook
    address: str
    """The provider's; empty: ours to start."""
    key: str

    async def carry_out(self, observer: Observer, world: World, on_board: Callable[[Board], object]) -> Board:
        """Let the lanes do it. The board they worked at tells why they stopped early, and whether by an interrupt."""
        limits, wish = self.outlook.limits, self.outlook.manifest.aftercare
        downloads = limits.downloads + bool(wish.variants)  # pictures have a line of their own: no video waits for them
        async with (
            self._examiner(world) as examiner,
            self._provider() as (reached, ended),
            world.connect(reached, submits=limits.submit_slots, downloads=downloads) as transport,
        ):
            board = self._board(transport, observer, world)
            on_board(board)
            await self._lanes(board, ended, examiner)
        return board

    async def examine(self, observer: Observer, world: World) -> None:
        """Examine what is stored and was not yet; nothing is asked of the provider."""
        from pipeline.runner.examination import examine_rest

        strict = self.outlook.choice.strict_media
        try:
            async with self._examiner(world) as examiner:
                if examiner is not None:
                    keys = self._keys()
                    await examine_rest(self.ledger, self.folder, examiner, keys, unfailing(observer), strict=strict)
        finally:
            self.ledger.commit_now()

    @asynccontextmanager
    async def _examiner(self, world: World) -> AsyncIterator[Examines | None]:
        """Who decodes. A strict run buys nothing before he is at work. Raises `UsageError`."""
        async with world.examiner() as examiner:
            if examiner is not None and self.outlook.choice.strict_media:
                await _demand_start(examiner)
            yield examiner

    def _keys(self) -> list[str]:
        return [step.job.key for step in self.outlook.plan.steps]

    @asynccontextmanager
    async def _provider(self) -> AsyncIterator[tuple[Access, LastWords | None]]:
        """The provider, reachable: at its address, or started by us; and what waits for the end of the latter."""
        manifest = self.outlook.manifest
        if self.address:
            yield access(self.address, self.key, manifest.profile), None
            return
        from pipeline.sandbox.embedded import embedded

        async with embedded(self.folder.sandbox, manifest.provider.options) as server:
            yield access(server.base_url, server.key, manifest.profile), server.ended

    def _board(self, transport: Transport, observer: Observer, world: World) -> Board:
        from pipeline.runner.board import Board

        profile = self.outlook.manifest.profile
        return Board(
            ledger=self.ledger,
            folder=self.folder,
            profile=profile,
            dialect=dialect_of(profile),
            transport=transport,
            limits=self.outlook.limits,
            origin=self.address or EMBEDDED,
            observer=observer,
            now=world.now,
            chance=world.chance,
            patience=world.patience,
            max_duplicate_cost=self.outlook.max_duplicate_cost,
            repeats_keys=self.outlook.choice.buys,
            spills=spill_folders(world.environment),
        )

    async def _lanes(self, board: Board, ended: LastWords | None, examiner: Examines | None) -> None:
        import anyio

        from pipeline.runner.run import carry_out

        try:
            async with anyio.create_task_group() as beside:
                if ended is not None:
                    beside.start_soon(_leave_at_its_end, board, ended)
                await carry_out(board, self.outlook.plan, self._after(board, examiner))
                beside.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            raise first_of(group) from group
        finally:
            self.ledger.commit_now()

    def _after(self, board: Board, examiner: Examines | None) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """The lanes that look after what is stored."""
        from pipeline.media.examiner import is_at_hand
        from pipeline.runner.aftercare import AftercareLane
        from pipeline.runner.examination import ExaminationLane, say_missing_extra

        lanes: list[Callable[[], Coroutine[Any, Any, None]]] = []
        if examiner is not None:
            strict = self.outlook.choice.strict_media
            lanes.append(ExaminationLane(board, examiner, self._keys(), strict=strict).run)
        elif not is_at_hand():
            say_missing_extra(board)
        if self.outlook.manifest.aftercare != NO_AFTERCARE:
            lanes.append(AftercareLane(board, self.outlook).run)
        return lanes


async def _demand_start(examiner: Examines) -> None:
    """Raise `UsageError` where nobody can be strict, since the decoder does not start."""
    from pipeline.media.examiner import EXTRA, NoExaminer

    try:
        await examiner.start()
    except NoExaminer as error:
        raise UsageError(
            f"--strict-media needs a decoder, and it is of no use here: {error}. Nothing was sent: install it anew "
            f"(pip install --force-reinstall 'vidbatch[{EXTRA}]'), or run without --strict-media"
        ) from error


async def _leave_at_its_end(board: Board, ended: LastWords) -> None:
    """A sandbox that is gone answers nothing more: there is nothing to wait for."""
    board.leave(f"the sandbox ended: {await ended()}")


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The failure that a task group wraps: one of ours where there is one, else one that is no mere cancellation."""
    import anyio

    failures = group.split(anyio.get_cancelled_exc_class())[1] or group
    error: BaseException = failures.subgroup(PipelineError) or failures
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
