"""Before anything is sent: what is to be done, and ledger and disk brought to where a run may start."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from uuid import uuid4

from pipeline.admission import NOT_HOME, check_folders, is_lost, is_missing
from pipeline.chains import standing
from pipeline.columns import alike
from pipeline.doubts import UNKNOWN, doubts, is_asked_about
from pipeline.errors import UsageError
from pipeline.ledger.afterwards import orphaned_note
from pipeline.ledger.fields import ORPHANED, READING
from pipeline.ledger.ledger import Ledger, utc_now
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState
from pipeline.lifecycle import ENDED_WITHOUT_VIDEO, Fact, State
from pipeline.memory import garbage_left_alone
from pipeline.model import NO_AFTERCARE, Manifest
from pipeline.naming import sidecar
from pipeline.outlook import HOLD, RESUBMIT, Choice, Outlook
from pipeline.plan import Action, Plan, Step, make_plan
from pipeline.profile import Profile
from pipeline.progress import Notice, Observer, silent
from pipeline.providers.bills import priced_at
from pipeline.providers.pricing import price_list
from pipeline.runner.aside import put_aside_what_is_left
from pipeline.runner.sidecar import MAPPINGS, metadata_row
from pipeline.storage import RunFolder, is_intact
from pipeline.waiting import waiting

__all__ = [
    "Choice",
    "concerned",
    "count_states",
    "has_work",
    "outlook_on",
    "prepare",
    "still_waiting",
    "write_metadata",
]


GONE = "its file is gone or has another length"


def outlook_on(
    manifest: Manifest,
    choice: Choice,
    folder: RunFolder,
    state: RunState,
    *,
    origin: str = "",
    now: datetime | None = None,
) -> Outlook:
    """What a run of *manifest* at *origin* (empty: not known) would do, given what the ledger says; *now* is ours."""
    profile, now = manifest.profile, now or utc_now()
    ceiling = _ceiling(choice)
    on_time = partial(standing, now=now, origin=origin, retention_s=profile.retention_s)
    ours = {job.path for job in state.jobs.values() if job.attempt}

    def occupied(path: str) -> bool:
        return folder.video(path).exists() or (path not in ours and folder.video(sidecar(path)).exists())

    with garbage_left_alone():
        plan = make_plan(
            manifest.jobs,
            _as_found(state, folder),
            price_of=price_list(priced_at(profile, origin), manifest.provider.price_per_second),
            occupied=occupied if folder.videos.is_dir() else lambda _: False,
            retry=choice.retry & ENDED_WITHOUT_VIDEO,
            only=choice.only,
            limit=choice.limit,
            standing_of=on_time,
            unsettled={} if ceiling is not None else _unsettled(state, profile, folder, now),
        )
    plan = plan if choice.buys else plan.without_buying()
    return Outlook(
        manifest=manifest,
        choice=choice,
        folder=folder.path,
        plan=plan,
        limits=choice.limits.over(manifest.limits.over(profile.limits)),
        spent=state.spent,
        currency=profile.currency,
        origin=origin,
        max_duplicate_cost=ceiling,
        doubts=doubts(plan, state, profile, ceiling, origin, now=now, repeats_keys=choice.buys, standing_of=on_time),
        homecoming=sum(state.jobs[key].state in NOT_HOME for key in plan.orphans),
        coming=_coming(state, folder, origin) if plan.submits or not choice.buys else 0,
        records=state.records,
    )


def _as_found(state: RunState, folder: RunFolder) -> Mapping[str, JobState]:
    """The jobs as a run will find them: what is neither here nor at the provider any more has expired."""
    lost = [job for job in state.jobs.values() if job.is_deleted and is_lost(job, folder)]
    return {**state.jobs, **{job.key: replace(job, state=State.EXPIRED) for job in lost}} if lost else state.jobs


def _coming(state: RunState, folder: RunFolder, origin: str) -> int:
    """How many videos were bought at *origin* and are not here, whoever asks for them."""
    here = (job for job in state.jobs.values() if not origin or job.origin == origin)
    return sum(job.state in NOT_HOME or is_missing(job, folder) for job in here)


def still_waiting(outlook: Outlook, state: RunState, now: datetime) -> dict[str, str]:
    """Why jobs of the plan are submitted only when a person has settled what they build on, by key."""
    unsettled = _unsettled(state, outlook.manifest.profile, RunFolder(outlook.folder), now)
    if not unsettled:
        return {}
    due = {step.job.key for step in outlook.plan.steps if state.jobs[step.job.key].state is State.PENDING}
    return waiting((step.job for step in outlook.plan.steps), due, unsettled)


def _unsettled(state: RunState, profile: Profile, folder: RunFolder, now: datetime) -> dict[str, str]:
    """The submits of unknown outcome about which no run can ask, by key, and why what builds on them waits."""
    held = (job for job in state.jobs.values() if job.state in UNKNOWN and not is_asked_about(job, profile, now=now))
    told = f"which is of unknown outcome: vidbatch resolve {folder.path}"
    return {job.key: f"it builds on {job.id}, {told}" for job in held}


def _ceiling(choice: Choice) -> Decimal | None:
    """What may be paid twice; `None`: nothing. Raises `UsageError` where that was said by halves."""
    if choice.uncertain not in (HOLD, RESUBMIT):
        raise UsageError(f"uncertain submits can be held or resubmitted, not '{choice.uncertain}'")
    if choice.uncertain == RESUBMIT and choice.max_duplicate_cost is None:
        raise UsageError("--uncertain resubmit may pay twice: say how much at most, as --max-duplicate-cost AMOUNT")
    if choice.uncertain == HOLD and choice.max_duplicate_cost is not None:
        raise UsageError("--max-duplicate-cost bounds what --uncertain resubmit may pay twice: give both, or neither")
    return choice.max_duplicate_cost if choice.buys else None


def prepare(
    ledger: Ledger,
    manifest: Manifest,
    choice: Choice,
    folder: RunFolder,
    *,
    origin: str,
    now: datetime | None = None,
    outlook: Outlook | None = None,
    observer: Observer = silent,
) -> Outlook:
    """Settle what a crash left open, look after stored files, and plan; all of it durable when this returns.

    *outlook* is what was planned from the ledger as it is: it is planned anew only where that is found to be otherwise.
    """
    profile = manifest.profile
    ledger.header(
        run=uuid4().hex,
        provider=profile.name,
        origin=origin,
        currency=profile.currency,
        name=manifest.name,
        retention_s=profile.retention_s,
    )
    known = ledger.state.records
    ledger.settle_crash()
    put_aside_what_is_left(ledger, folder, observer)
    for job in ledger.state.jobs.values():
        if job.origin == origin and is_missing(job, folder):
            ledger.record(Fact.MISSING, job.key, reason=GONE)
        elif is_lost(job, folder):
            ledger.record(Fact.MISSING, job.key, reason=GONE)
            ledger.record(Fact.EXPIRED, job.key, reason=f"{GONE}, and the provider has deleted it, as it was asked to")
    if outlook is None or ledger.state.records != known:
        outlook = outlook_on(manifest, choice, folder, ledger.state, origin=origin, now=now)
        check_folders(outlook, ledger.state)
    reading = folder.keep(replace(manifest, limits=choice.limits.over(manifest.limits)))
    if reading != ledger.state.reading:
        ledger.note(READING, reading)
    with garbage_left_alone():
        for step in outlook.plan.steps:
            ledger.plan(step.job, price=step.price)
            _bring_to_start(ledger, step)
    _note_orphans(ledger, frozenset(outlook.plan.orphans))
    ledger.note("run", f"manifest {manifest.sha256}, {len(outlook.plan.submits)} to submit")
    ledger.commit_now()
    return outlook


def _bring_to_start(ledger: Ledger, step: Step) -> None:
    """Write down what a plan makes of a job that it has not just found."""
    key = step.job.key
    at = ledger.state.jobs[key].state
    if step.action is Action.RETRY or (step.action is Action.WAITS and at in ENDED_WITHOUT_VIDEO):
        ledger.record(Fact.RETRY, key, how="run --retry")
    elif step.action is Action.BLOCKED and at is State.PENDING:
        ledger.record(Fact.BLOCKED, key, reason=step.reason)
    elif step.action is not Action.BLOCKED and at is State.BLOCKED:
        ledger.record(Fact.UNBLOCKED, key, reason="its source has a video again, or may have one")


def _note_orphans(ledger: Ledger, orphans: Collection[str]) -> None:
    """Write down which jobs the manifest asks for no longer, and which it asks for again."""
    for key, job in ledger.state.jobs.items():
        if job.orphaned is not (orphaned := key in orphans):
            ledger.note(ORPHANED, orphaned_note(key, orphaned=orphaned))


def concerned(plan: Plan, state: RunState) -> tuple[str, ...]:
    """Keys of the jobs that a run is about: its plan's, then whatever else was bought or may have been."""
    keys = [step.job.key for step in plan.steps]
    asked = set(keys)
    besides = {*NOT_HOME, State.UNCERTAIN}
    return (*keys, *(key for key, job in state.jobs.items() if key not in asked and job.state in besides))


def has_work(outlook: Outlook, state: RunState, origin: str, now: datetime | None = None) -> bool:
    """Whether a request has to be sent at all."""
    if outlook.plan.submits or any(state.counts[at] for at in NOT_HOME):
        return True
    settles = outlook.doubts.asked or outlook.max_duplicate_cost is not None
    jobs = state.jobs.values()
    if settles and any(job.state is State.UNCERTAIN and job.origin == origin for job in jobs):
        return True
    return outlook.manifest.aftercare != NO_AFTERCARE and _owes_something(outlook, state, origin, now or utc_now())


def _owes_something(outlook: Outlook, state: RunState, origin: str, now: datetime) -> bool:
    from pipeline.runner.aftercare import owing

    manifest, folder = outlook.manifest, RunFolder(outlook.folder)
    keys = (step.job.key for step in outlook.plan.steps)
    return any(owing(state.jobs[key], manifest, folder, origin=origin, now=now) for key in keys)


def count_states(state: RunState, keys: Iterable[str]) -> dict[State, int]:
    """How many of the jobs with these keys are in each state; states without a job are left out."""
    counts: dict[State, int] = {}
    for key in keys:
        at = state.jobs[key].state
        counts[at] = counts.get(at, 0) + 1
    return counts


def write_metadata(folder: RunFolder, state: RunState, observer: Observer = silent) -> None:
    """Write `videos/metadata.jsonl` anew: a row for each stored video whose file is there, first those that the
    manifest asks for. No run ends because that fails.
    """
    try:
        here = sorted(_stored_here(folder, state), key=lambda job: job.orphaned)
        if here or folder.metadata.exists():
            folder.write_metadata(alike(map(metadata_row, here), MAPPINGS))
    except OSError as error:
        message = f"{folder.metadata} cannot be written: {error}; the next run writes it anew"
        observer(Notice(lane="run", message=message, urgent=True))


def _stored_here(folder: RunFolder, state: RunState) -> Iterator[JobState]:
    """The jobs whose video is in the folder; somebody may have taken one away since the run began."""
    for job in state.jobs.values():
        if job.state is State.STORED and is_intact(folder.video(job.path), job.bytes or 0):
            yield job
