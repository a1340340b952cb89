"""The use cases, put together from the floors below: load, plan, run, status. `import pipeline` offers these.

Everything that touches the world is an argument with a sensible default: the environment, the clock, the observer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.admission import NOT_HOME, check, demand_no_more, demand_same
from pipeline.errors import InvalidManifest, NoRoom, UsageError
from pipeline.launch import Work, World
from pipeline.ledger.deviation import is_judged
from pipeline.ledger.ledger import Ledger, read_run
from pipeline.ledger.replay import RunState
from pipeline.ledger.spill import settle_spilled, spill_folders
from pipeline.lifecycle import State
from pipeline.model import EMBEDDED, Issue, Manifest
from pipeline.mounts import doubt_about
from pipeline.outlook import Choice, Outlook
from pipeline.plan import Action
from pipeline.prepare import (
    concerned,
    count_states,
    has_work,
    outlook_on,
    prepare,
    write_metadata,
)
from pipeline.progress import Ended, Kind, Notice, Observer, Started, silent
from pipeline.providers.access import address_from, address_of, key_of, proxy_of
from pipeline.providers.catalogue import Catalogue
from pipeline.providers.registry import find_profile
from pipeline.runner.room import demand_room
from pipeline.storage import RunFolder
from pipeline.text import listing, plural

if TYPE_CHECKING:
    from pipeline.kept import Kept
    from pipeline.manifest.load import Wishes
    from pipeline.profile import Profile
    from pipeline.runner.board import Board

__all__ = [
    "Outcome",
    "World",
    "admit",
    "load",
    "load_kept",
    "obstacle",
    "origin_of",
    "plan_run",
    "profile_of",
    "run",
    "status",
]


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
    narrowed_to: int = 0
    """So many places in flight were left at its end, less than half of the limit, since the provider said "not now";
    0: more.
    """
    deleted: int = 0
    """So many stored videos the provider deleted in this run, as it was asked to."""

    @property
    def counts(self) -> dict[State, int]:
        """How many of the jobs concerned are in each state."""
        return count_states(self.state, self.concerned)

    @property
    def unjudged(self) -> tuple[str, ...]:
        """Of a strict run, the ids of stored videos that nobody could examine: they may be sound, or not."""
        if not self.outlook.choice.strict_media:
            return ()
        jobs = map(self.state.jobs.__getitem__, self.concerned)
        return tuple(job.id for job in jobs if job.state is State.STORED and not is_judged(job))


def load(path: Path | str, wishes: Wishes | None = None, *, environment: Mapping[str, str] = os.environ) -> Manifest:
    """Read a manifest; *environment* says where a person's own profiles are.

    Raises `InvalidManifest` with every issue, or `UsageError` where it cannot be read.
    """
    from pipeline.manifest.load import Wishes
    from pipeline.manifest.load import load as load_manifest

    known = Catalogue.of(environment)
    return load_manifest(Path(path), find_profile=known.find, profile_names=known.names(), wishes=wishes or Wishes())


def load_kept(
    run: Path | str, wishes: Wishes | None = None, *, environment: Mapping[str, str] = os.environ
) -> Manifest:
    """The manifest that was run last in the folder *run*, from the files that the folder keeps, read as it was then.

    What *wishes* state goes before that, of `settings` name by name. Its name is the folder's, and its limits are those
    of that run, a budget of the command line among them. Raises `UsageError`
    where there is nothing to read it from, and `InvalidManifest` where the copies are no longer what was read.
    """
    from pipeline.kept import KeptLibrary, read_again
    from pipeline.manifest.load import Wishes
    from pipeline.manifest.load import load as load_manifest

    folder, known = RunFolder(Path(run)), Catalogue.of(environment)
    kept = folder.kept(read_run(folder.path).reading)
    said = read_again(kept.reading, wishes.stated() if wishes else {})
    profile, doubts = (None, ()) if wishes and wishes.provider else _own_profile(kept)
    manifest = load_manifest(
        kept.manifest.path,
        find_profile=known.find,
        profile_names=known.names(),
        wishes=Wishes.of(said),
        library=KeptLibrary(kept.files),
        name=kept.name,
        profile=profile,
    )
    if manifest.sha256 != kept.manifest.sha256:
        raise UsageError(f"{kept.manifest.path} is not the manifest that was run: name the manifest's own file instead")
    name, limits = folder.path.resolve().name, kept.limits.over(manifest.limits)
    return replace(manifest, name=name, limits=limits, warnings=(*manifest.warnings, *doubts))


def profile_of(state: RunState, run: Path) -> Profile | None:
    """The profile of a run, whose folder or ledger is at *run*: of a person's own, as the run keeps it.

    `None` where nobody knows it any more.
    """
    if state.header is None:
        return None
    shipped = find_profile(state.header.provider)
    if shipped is not None or not state.reading:
        return shipped
    folder = RunFolder(run if run.is_dir() else run.parent)
    try:
        return _own_profile(folder.kept(state.reading))[0]
    except (UsageError, InvalidManifest):
        return None


def _own_profile(kept: Kept) -> tuple[Profile | None, Sequence[Issue]]:
    """The profile of a person's own that a manifest was run with, and warnings of it; `None`: it was none of these."""
    if not kept.profile:
        return None, ()
    from pipeline.providers.own import read_kept

    return read_kept(kept.profile)


def plan_run(manifest: Manifest, choice: Choice | None = None) -> Outlook:
    """What a run would do, from the ledger as it is. Sends nothing and changes nothing."""
    choice = choice or Choice()
    folder = RunFolder(choice.outputs / manifest.name)
    outlook = outlook_on(manifest, choice, folder, _known(folder), origin=origin_of(manifest))
    return replace(outlook, origin_from=_origin_from(manifest, os.environ))


def admit(
    manifest: Manifest, choice: Choice | None = None, *, world: World | None = None, outlook: Outlook | None = None
) -> Outlook:
    """What a run would do, where nothing stands in its way. Raises `UsageError` or `NoRoom`, as the run would.

    *outlook* is what `plan_run` said of the same, where it was asked: it is not planned again then.
    """
    choice, world = choice or Choice(), world or World(environment=os.environ)
    demand_same(manifest, choice, outlook)
    folder, origin = RunFolder(choice.outputs / manifest.name, world.disk), _reach(manifest, world)[0] or EMBEDDED
    state = _known(folder)
    outlook = outlook or outlook_on(manifest, choice, folder, state, origin=origin, now=world.now())
    _check(outlook, state, folder, origin, world.now().date())
    return replace(outlook, origin_from=_origin_from(manifest, world.environment))


def obstacle(
    manifest: Manifest, choice: Choice | None = None, *, world: World | None = None, outlook: Outlook | None = None
) -> str:
    """Why `run` would refuse before anything is sent; empty where nothing stands in its way. *outlook*: see `admit`."""
    try:
        admit(manifest, choice, world=world, outlook=outlook)
    except (UsageError, NoRoom) as error:
        return str(error)
    return ""


async def run(
    manifest: Manifest,
    choice: Choice | None = None,
    *,
    observer: Observer = silent,
    world: World | None = None,
    outlook: Outlook | None = None,
    agreed: bool = False,
    asks: bool = False,
    on_board: Callable[[Board], object] = lambda board: None,  # noqa: ARG005
) -> Outcome:
    """Do what is left to do. Works under asyncio and trio; cancelling it is an interrupt that loses nothing.

    *outlook* is what `admit` said of the same, where it was asked: it is planned again only if the ledger is another by
    now. *agreed*: somebody was asked about it and said yes, so a run that would then buy what is not in it is refused.
    *asks*: somebody is asked about what is dear, and it was not, so a run that is by then is refused.
    *on_board* is given the run's board when its lanes are about to start; whoever keeps it may call its
    `interrupt()`. Raises `UsageError` before anything is sent, `LedgerBusy`, `LedgerDamaged`, `LedgerBroken`.
    """
    import anyio

    began_s = anyio.current_time()
    choice, world = choice or Choice(), world or World(environment=os.environ)
    demand_same(manifest, choice, outlook)
    folder = RunFolder(choice.outputs / manifest.name, world.disk)
    address, key = _reach(manifest, world)
    seen = outlook or admit(manifest, choice, world=world)
    folder.make()
    with Ledger.open(folder.ledger, now=world.now, disk=world.disk, reserve=True) as ledger:
        origin = address or EMBEDDED
        outlook = _prepare(ledger, folder, world, observer, origin=origin, seen=seen, agreed=agreed, asks=asks)
        keys = concerned(outlook.plan, ledger.state)
        _say_started(outlook, ledger.state, keys, observer)
        gone = _deleted(ledger.state)
        work = Work(ledger=ledger, folder=folder, outlook=outlook, address=address, key=key)
        board = await _carry_out(work, observer, world, on_board)
        outcome = Outcome(
            outlook=outlook,
            state=ledger.state,
            concerned=keys,
            stopped=board.stopped if board else "",
            interrupted=bool(board and board.interrupted),
            elapsed_s=anyio.current_time() - began_s,
            narrowed_to=board.gate.narrowed_to if board else 0,
            deleted=_deleted(ledger.state) - gone,
        )
    observer(_ended(outcome))
    return outcome


def _prepare(
    ledger: Ledger,
    folder: RunFolder,
    world: World,
    observer: Observer,
    *,
    origin: str,
    seen: Outlook,
    agreed: bool,
    asks: bool,
) -> Outlook:
    """With the lock held: answers kept elsewhere are taken in, what could not end well is refused, the plan is kept."""
    folder.make_names_durable()
    settle_spilled(ledger, spill_folders(world.environment), world.disk)
    manifest, choice, outlook, now = seen.manifest, seen.choice, seen, world.now()
    if ledger.state.records != seen.records:
        outlook = outlook_on(manifest, choice, folder, ledger.state, origin=origin, now=now)
        if agreed or (asks and outlook.is_dear):
            demand_no_more(outlook, seen)
    _check(outlook, ledger.state, folder, origin, now.date())
    outlook = prepare(ledger, manifest, choice, folder, origin=origin, now=now, outlook=outlook, observer=observer)
    return replace(outlook, origin_from=seen.origin_from)


def _say_started(outlook: Outlook, state: RunState, keys: Sequence[str], observer: Observer) -> None:
    observer(_started(outlook, state, keys))
    _say_waiting(outlook, observer)
    if doubt := doubt_about(outlook.folder):
        observer(Notice(lane="run", message=doubt))


def _say_waiting(outlook: Outlook, observer: Observer) -> None:
    """What is not submitted before a person has settled something, by its reason."""
    waiting: dict[str, list[str]] = {}
    for step in outlook.plan.of(Action.WAITS):
        waiting.setdefault(step.reason, []).append(step.job.id)
    for reason, ids in waiting.items():
        words = f"{plural(len(ids), 'job')} not submitted, {listing(ids)}: {reason}"
        observer(Notice(lane="run", message=words, urgent=True, kind=Kind.UNCERTAIN))


async def _carry_out(work: Work, observer: Observer, world: World, on_board: Callable[[Board], object]) -> Board | None:
    """Let the lanes do what there is to do; `None`: there is nothing."""
    state, folder = work.ledger.state, work.folder
    write_metadata(folder, state, observer)
    if not has_work(work.outlook, state, work.address or EMBEDDED, world.now()):
        await work.examine(observer, world)
        write_metadata(folder, state, observer)
        return None
    folder.disk.make_folder(folder.videos)
    board = await work.carry_out(observer, world, on_board)
    write_metadata(folder, state, observer)
    return board


def status(run: Path | str) -> RunState:
    """What the ledger of a run folder adds up to, also while a runner is at work. Raises `UsageError`."""
    return read_run(Path(run))


def _reach(manifest: Manifest, world: World) -> tuple[str, str]:
    """The provider's address (empty: ours to start) and our key for it. Raises `UsageError` where one is missing."""
    address = address_of(manifest.provider, manifest.profile, world.environment)
    key = key_of(manifest.provider, manifest.profile, world.environment) if address else ""
    if address:
        proxy_of(address)  # one that cannot be used is found now, not when the ledger is made
    return address, key


def origin_of(manifest: Manifest, environment: Mapping[str, str] = os.environ) -> str:
    """What the ids of a run would belong to; empty where nobody can say, which `obstacle` tells."""
    try:
        return address_of(manifest.provider, manifest.profile, environment) or EMBEDDED
    except UsageError:
        return ""


def _origin_from(manifest: Manifest, environment: Mapping[str, str]) -> str:
    return address_from(manifest.provider, manifest.profile, environment)


def _check(outlook: Outlook, state: RunState, folder: RunFolder, origin: str, today: date) -> None:
    """As `check`, that the disk has room for what would be bought, and that the sandbox of this folder still knows
    what it sold: its videos are nowhere else.
    """
    check(outlook, state, origin, today)
    if outlook.plan.submits:
        demand_room(folder.path, state, folder.disk)
    there = sum(job.state in NOT_HOME and job.origin == EMBEDDED for job in state.jobs.values())
    if not there:
        return
    from pipeline.sandbox.embedded import has_book

    if not has_book(folder.sandbox):
        raise UsageError(
            f"{plural(there, 'video')} of this run are still in its own sandbox, and {folder.sandbox} is gone: "
            "restore that folder, or give the manifest another name"
        )


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
        unpriced=state.unpriced,
        budget=outlook.limits.budget,
        currency=outlook.currency,
        origin=outlook.origin,
    )


def _deleted(state: RunState) -> int:
    return sum(job.is_deleted for job in state.jobs.values())


def _ended(outcome: Outcome) -> Ended:
    return Ended(
        counts=outcome.counts,
        spent=outcome.state.spent,
        unpriced=outcome.state.unpriced,
        stopped=outcome.stopped,
        interrupted=outcome.interrupted,
        elapsed_s=outcome.elapsed_s,
    )
