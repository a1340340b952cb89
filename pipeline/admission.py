"""What is refused before anything is written or sent, because it could not end well."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pipeline.doubts import UNKNOWN
from pipeline.errors import UsageError
from pipeline.ledger.claims import twice_paid
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState
from pipeline.lifecycle import State
from pipeline.model import Manifest
from pipeline.outlook import Choice, Outlook
from pipeline.plan import Action, Step
from pipeline.profile import Profile
from pipeline.providers.bills import is_play
from pipeline.providers.retirement import is_retired, retirement
from pipeline.storage import RunFolder, is_intact
from pipeline.text import money, plural

NOT_HOME = (State.IN_FLIGHT, State.FINISHED, State.STALLED)
"""Bought, and neither here nor given up."""


def check(outlook: Outlook, state: RunState, origin: str, today: date) -> None:
    """Refuse, before anything is written or sent, what could not end well. Raises `UsageError`."""
    _check_retired(outlook, origin, today)
    _check_strict(outlook)
    if outlook.manifest.jobs and outlook.plan.left_out == len(outlook.manifest.jobs):
        raise UsageError("--only matches no job: it is compared with ids and groups, as in --only 'coast*'")
    _check_budget(outlook, state)
    _check_ceiling(outlook, state)
    _check_provider(outlook, state)
    _check_rehearsal(outlook, state, origin)
    _check_origin(outlook, state, origin)
    _check_currency(outlook, state)
    check_folders(outlook, state)


def _check_retired(outlook: Outlook, origin: str, today: date) -> None:
    profile = outlook.manifest.profile
    if not outlook.choice.allow_retired and is_retired(profile, origin, today):
        raise UsageError(f"{retirement(profile, origin, today)}; or try it all the same with --allow-retired")


def _check_strict(outlook: Outlook) -> None:
    """Nobody can be strict about what nobody looks at. Raises `MissingExtra`."""
    if outlook.choice.strict_media:
        from pipeline.media.examiner import demand

        demand("--strict-media")


def _check_budget(outlook: Outlook, state: RunState) -> None:
    """A budget can only be kept where prices are known. What turns out to be due again only later is the gate's."""
    buying = _may_be_sent(outlook)
    if outlook.limits.budget is None or not buying:
        return
    if state.unpriced:
        raise UsageError(
            f"a budget is set, but the price of {plural(state.unpriced, 'earlier submit')} of this run is not known, "
            "and so is not what was spent: leave the budget out, or give the manifest another name"
        )
    if unpriced := sorted({step.job.model for step in buying if step.price is None}):
        raise UsageError(
            f"a budget is set, but {outlook.manifest.profile.name}'s price of {', '.join(unpriced)} is not known, so "
            "it could not be kept: state it as provider.price_per_second in the manifest, or leave the budget out"
        )


def _may_be_sent(outlook: Outlook) -> tuple[Step, ...]:
    """What will be submitted, or may be, and what may be once more, by leave to pay twice."""
    held = outlook.plan.of(Action.HELD) if outlook.max_duplicate_cost is not None else ()
    return (*outlook.plan.submits, *held)


def _check_ceiling(outlook: Outlook, state: RunState) -> None:
    """A ceiling can only be kept where prices are known, and bounds only what has one."""
    if outlook.max_duplicate_cost is None:
        return
    unknown = [job.attempts[-1].price for job in state.jobs.values() if job.state in UNKNOWN]
    prices = [*unknown, *(step.price for step in _may_be_sent(outlook))]
    if None in prices or twice_paid(state) is None:
        raise UsageError(
            "--uncertain resubmit needs the price of every submit, or --max-duplicate-cost could not be kept: state it "
            "as provider.price_per_second in the manifest, or settle with `vidbatch resolve`"
        )
    if outlook.bills and 0 in prices:
        raise UsageError(
            "--uncertain resubmit with a price of 0 would have no end: no number of such submits reaches "
            "--max-duplicate-cost. State what a video costs as provider.price_per_second in the manifest, or settle "
            "with `vidbatch resolve`"
        )


def _check_currency(outlook: Outlook, state: RunState) -> None:
    """Amounts in two currencies have no sum. A ledger whose header a repair had to make up says nothing of either."""
    if state.header is None or state.header.currency in ("", outlook.currency):
        return
    if any(job.submits for job in state.jobs.values()):
        raise UsageError(
            f"what this run has spent is in {state.header.currency}, and {outlook.manifest.profile.name} now counts in "
            f"{outlook.currency}: give the manifest another name, or another --outputs"
        )


def _check_provider(outlook: Outlook, state: RunState) -> None:
    """A run belongs to its provider."""
    manifest = outlook.manifest
    if state.header is not None and state.header.provider not in ("", manifest.profile.name):
        raise UsageError(
            f"this run belongs to the provider {state.header.provider}, and the manifest now says "
            f"{manifest.profile.name}: give it another name, or another --outputs"
        )


def _check_rehearsal(outlook: Outlook, state: RunState, origin: str) -> None:
    """What a rehearsal sold is no video of the real server; nor the other way round.

    A folder that has both is let be: what is real in it has to come home.
    """
    profile = outlook.manifest.profile
    bought = {attempt.origin for job in state.jobs.values() for attempt in job.attempts if attempt.counts}
    plays = is_play(profile, origin)
    if outlook.choice.allow_moved or not bought or any(is_play(profile, there) is plays for there in bought):
        return
    folder, there = outlook.folder, min(bought)
    count = plural(sum(job.submits for job in state.jobs.values()), "submit")
    spent = f", {money(state.spent, state.header.currency)}" if state.header else ""
    rehearsed, real = (origin, there) if plays else (there, origin)
    raise UsageError(
        f"{folder} has what was bought at {there} ({count}{spent}), and {profile.name} is now at {origin}: "
        f"{rehearsed} is on this machine, and a rehearsal shares no folder with what {real} is paid for; name another "
        f"--outputs, or give the manifest another name{_if_not_meant(profile, origin, folder, plays=plays)}"
    )


def _if_not_meant(profile: Profile, origin: str, folder: Path, *, plays: bool) -> str:
    """What else it may have been: an address that was forgotten, a rehearsal that is over, a server that has moved."""
    variable = f", or set {profile.base_url_env[0]}" if profile.base_url_env else ""
    elsewhere = f"; if {origin} is not what you meant, state provider.base_url{variable}"
    over = "" if plays else f"; if this was a rehearsal and is over, remove {folder}"
    return f"{elsewhere}{over}; if it is one server at two addresses, --allow-moved"


def _check_origin(outlook: Outlook, state: RunState, origin: str) -> None:
    """Ids belong to the address that gave them: asking another for them would declare them lost."""
    manifest, folder = outlook.manifest, RunFolder(outlook.folder)
    elsewhere = [job for job in state.jobs.values() if job.origin != origin]
    strange = [job for job in elsewhere if job.state in NOT_HOME or is_missing(job, folder)]
    if strange:
        there = strange[0].origin
        raise UsageError(
            f"{len(strange)} videos of this run are still at {there}, and {manifest.profile.name} is now at {origin}: "
            f"run once more against {there} to bring them home, or give the manifest another name"
        )


def demand_same(manifest: Manifest, choice: Choice, outlook: Outlook | None) -> None:
    """Refuse an outlook on something else. Raises `UsageError`."""
    if outlook is not None and (outlook.manifest, outlook.choice) != (manifest, choice):
        raise UsageError("the outlook is on another manifest or choice than the run: nothing was sent")


def demand_no_more(outlook: Outlook, seen: Outlook) -> None:
    """Refuse to buy what nobody has agreed to. Raises `UsageError`."""
    agreed = {step.job.key for step in seen.plan.submits}
    if more := sum(step.job.key not in agreed for step in outlook.plan.submits):
        raise UsageError(
            f"this run has changed since it was planned, and would buy {plural(more, 'more video')}: nothing was sent, "
            "run again"
        )


def is_missing(job: JobState, folder: RunFolder) -> bool:
    """Whether it was stored, and its file has to be fetched again."""
    return not job.is_deleted and _has_lost_its_file(job, folder)


def is_lost(job: JobState, folder: RunFolder) -> bool:
    """Whether it was stored, its file is gone, and the provider was asked to delete it: it can only be bought again."""
    return job.is_deleted and _has_lost_its_file(job, folder)


def _has_lost_its_file(job: JobState, folder: RunFolder) -> bool:
    return job.state is State.STORED and not is_intact(folder.video(job.path), job.bytes or 0)


def check_folders(outlook: Outlook, state: RunState) -> None:
    """Nothing is written outside of the run folder, also where a link in it would lead there."""
    coming = [job.path for job in state.jobs.values() if job.state in NOT_HOME]
    strays = RunFolder(outlook.folder).strays([*coming, *(step.job.path for step in outlook.plan.submits)])
    if strays:
        raise UsageError(
            f"{strays[0]} is a link that leads out of the run folder, and nothing is written there: remove "
            f"the link, or make one of {outlook.folder} as a whole"
        )
