"""The use cases, put together from the floors below: load, plan, run, status. `import pipeline` offers these.

Everything that touches the world is an argument with a sensible default: the environment, the clock, the observer.
"""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import PipelineError
from pipeline.ledger.ledger import Ledger, read_run, utc_now
from pipeline.ledger.replay import RunState
from pipeline.lifecycle import State
from pipeline.model import Manifest
from pipeline.plan import Outlook
from pipeline.prepare import (
    EMBEDDED,
    Choice,
    check,
    concerned,
    count_states,
    has_work,
    outlook_on,
    prepare,
    write_metadata,
)
from pipeline.progress import Ended, Observer, Started, silent
from pipeline.providers.access import Access, access, address_of, key_of
from pipeline.providers.registry import dialect_of, find_profile, profile_names
from pipeline.storage import RunFolder

if TYPE_CHECKING:
    from pipeline.manifest.load import Wishes
    from pipeline.runner.board import Board


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a run takes from outside."""

    environment: Mapping[str, str]
    now: Callable[[], datetime] = utc_now
    chance: random.Random = random.SystemRandom()  # noqa: RUF009 - it has no state to share


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to."""

    outlook: Outlook
    state: RunState
    """What the ledger holds now."""
    concerned: tuple[str, ...]
    """Keys of the jobs that this run was about, in the manifest's order, then those it brought home besides."""
    stopped: str
    """Why it stopped early; empty where it did not."""
    interrupted: bool
    elapsed_s: float

    @property
    def counts(self) -> dict[State, int]:
        """How many of the jobs concerned are in each state."""
        return count_states(self.state, self.concerned)


def load(path: Path | str, wishes: Wishes | None = None) -> Manifest:
    """Read a manifest. Raises `InvalidManifest` with every issue, or `UsageError` where it cannot be read."""
    from pipeline.manifest.load import Wishes
    from pipeline.manifest.load import load as load_manifest

    return load_manifest(
        Path(path), find_profile=find_profile, profile_names=profile_names(), wishes=wishes or Wishes()
    )


def plan_run(manifest: Manifest, choice: Choice | None = None) -> Outlook:
    """What a run would do, from the ledger as it is. Sends nothing and changes nothing."""
    choice = choice or Choice()
    folder = RunFolder(choice.outputs / manifest.name)
    return outlook_on(manifest, choice, folder, _known(folder))


async def run(
    manifest: Manifest,
    choice: Choice | None = None,
    *,
    observer: Observer = silent,
    world: World | None = None,
    on_board: Callable[[Board], object] = lambda board: None,  # noqa: ARG005
) -> Outcome:
    """Do what is left to do. Works under asyncio and trio; cancelling it is an interrupt that loses nothing.

    *on_board* is given the run's board when its lanes are about to start; whoever keeps it may call its
    `interrupt()`. Raises `UsageError` before anything is sent, `LedgerBusy`, `LedgerDamaged`, `LedgerBroken`.
    """
    import anyio

    began_s = anyio.current_time()
    choice, world = choice or Choice(), world or World(environment=os.environ)
    folder = RunFolder(choice.outputs / manifest.name)
    address = address_of(manifest.provider, manifest.profile, world.environment)
    key = key_of(manifest.provider, manifest.profile, world.environment) if address else ""
    origin = address or EMBEDDED
    state = _known(folder)
    check(outlook_on(manifest, choice, folder, state), state, origin)
    folder.make()
    with Ledger.open(folder.ledger, now=world.now) as ledger:
        check(outlook_on(manifest, choice, folder, ledger.state), ledger.state, origin)
        outlook = prepare(ledger, manifest, choice, folder, origin=origin)
        keys = concerned(outlook.plan, ledger.state)
        observer(_started(outlook, ledger.state, keys))
        write_metadata(folder, ledger.state)
        stopped, interrupted = "", False
        if has_work(outlook.plan, ledger.state):
            folder.disk.make_folder(folder.videos)
            async with _provider(manifest, folder, address, key) as reached:
                work = _Work(ledger, folder, outlook, origin)
                stopped, interrupted = await work.carry_out(reached, observer, world, on_board)
            write_metadata(folder, ledger.state)
        outcome = Outcome(
            outlook=outlook,
            state=ledger.state,
            concerned=keys,
            stopped=stopped,
            interrupted=interrupted,
            elapsed_s=anyio.current_time() - began_s,
        )
    observer(_ended(outcome))
    return outcome


def status(run: Path | str) -> RunState:
    """What the ledger of a run folder adds up to, also while a runner is at work. Raises `UsageError`."""
    return read_run(Path(run))


def _known(folder: RunFolder) -> RunState:
    return read_run(folder.path) if folder.ledger.exists() else RunState()


def _started(outlook: Outlook, state: RunState, keys: Sequence[str]) -> Started:
    return Started(
        run=outlook.manifest.name,
        folder=str(outlook.folder),
        provider=outlook.manifest.profile.name,
        counts=count_states(state, keys),
        to_submit=len(outlook.plan.submits),
        planned_cost=outlook.plan.cost,
        spent=state.spent,
        budget=outlook.limits.budget,
        currency=outlook.currency,
    )


def _ended(outcome: Outcome) -> Ended:
    return Ended(
        counts=outcome.counts,
        spent=outcome.state.spent,
        stopped=outcome.stopped,
        interrupted=outcome.interrupted,
        elapsed_s=outcome.elapsed_s,
    )


@asynccontextmanager
async def _provider(manifest: Manifest, folder: RunFolder, address: str, key: str) -> AsyncIterator[Access]:
    """The provider, reachable: at its address, or started by us."""
    if address:
        yield access(address, key, manifest.profile)
        return
    from pipeline.sandbox.embedded import embedded

    async with embedded(folder.sandbox, manifest.provider.options) as server:
        yield access(server.base_url, server.key, manifest.profile)


@dataclass(frozen=True, slots=True)
class _Work:
    """What the lanes will work on."""

    ledger: Ledger
    folder: RunFolder
    outlook: Outlook
    origin: str

    async def carry_out(
        self, reached: Access, observer: Observer, world: World, on_board: Callable[[Board], object]
    ) -> tuple[str, bool]:
        """Let the lanes do it; returns why they stopped early, and whether they were interrupted."""
        from pipeline.runner.board import Board
        from pipeline.runner.run import carry_out
        from pipeline.transport import connect

        profile = self.outlook.manifest.profile
        async with connect(reached, downloads=self.outlook.limits.downloads) as transport:
            board = Board(
                ledger=self.ledger,
                folder=self.folder,
                profile=profile,
                dialect=dialect_of(profile),
                transport=transport,
                limits=self.outlook.limits,
                origin=self.origin,
                observer=observer,
                now=world.now,
                chance=world.chance,
            )
            on_board(board)
            try:
                await carry_out(board, self.outlook.plan)
            except BaseExceptionGroup as group:
                raise _first(group) from group
            finally:
                self.ledger.commit_now()
        return board.stopped, board.interrupted


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The failure that a task group wraps: one of ours where there is one."""
    ours = group.subgroup(PipelineError)
    error: BaseException = ours if ours is not None else group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
