"""Where a run stands, from its ledger: as the document that others rely on, and as text for people."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from pipeline.ledger.presence import Presence
from pipeline.ledger.records import stamp
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState
from pipeline.lifecycle import ENDED_WITHOUT_VIDEO, State
from pipeline.model import JSON
from pipeline.text import (
    PLAY_MONEY,
    WIDTH,
    byte_size,
    cells,
    duration,
    fit,
    listing,
    money,
    plain,
    plural,
    spent_money,
    wrap,
)
from pipeline.views.survey import STUCK_FACTOR, Circumstances, Pulse, Survey, ids_of

VIDEOS = "videos"
REASONS_SHOWN = 5
"""Of a state; the others are counted."""
REASON_CELLS = 140
_BELOW = " " * 8
_PRESENCE = {
    Presence.AT_WORK: "at work",
    Presence.NOBODY: "none is at work",
    Presence.UNKNOWN: "whether one is at work cannot be told here",
}


def status_document(state: RunState, keys: Collection[str] | None = None) -> dict[str, JSON]:
    """What `vidbatch status RUN --json` prints; `schemas/status.schema.json` describes it. A contract.

    With *keys*, only these jobs are in it; all else is of the whole run.
    """
    header = state.header
    jobs = state.jobs.values() if keys is None else [state.jobs[key] for key in keys]
    return {
        "run": header.name if header else "",
        "provider": header.provider if header else "",
        "counts": {str(name): count for name, count in state.counts.items()},
        "spent": float(state.spent),
        "unpriced": state.unpriced,
        "currency": header.currency if header else "",
        "jobs": [_job(job) for job in jobs],
    }


def standing_document(state: RunState, seen: Survey, around: Circumstances) -> dict[str, JSON]:
    """The `standing` of that document: what holds at one moment only."""
    return {
        "at": stamp(seen.at),
        "runner": str(around.presence),
        "began_at": _stamp(state.began_at),
        "last_at": _stamp(state.last_at),
        "budget": _number(around.budget),
        "left": seen.left,
        "left_s": _rounded(seen.left_s),
        "render_s": {
            "usual": _rounded(seen.usual_s),
            "median": _rounded(seen.median_s),
            "longest": _rounded(seen.longest_s),
        },
        "last_hour": _pulse(seen.hour),
        "whole_run": _pulse(seen.whole),
        "oldest": seen.oldest.key if seen.oldest else None,
        "stuck": [job.key for job in seen.stuck],
        "next_expiry": _stamp(seen.next_expiry),
    }


def _job(job: JobState) -> dict[str, JSON]:
    stored = job.state is State.STORED
    return {
        "id": job.id,
        "key": job.key,
        "state": str(job.state),
        "video_id": job.video_id or None,
        "path": f"{VIDEOS}/{job.path}" if stored else None,
        "bytes": job.bytes if stored else None,
        "sha256": job.sha256 if stored else None,
        "submits": job.submits,
        "cost": None if job.cost is None else float(job.cost),
        "reason": job.reason or None,
        "variants": {name: f"{VIDEOS}/{picture.path}" for name in job.pictures if (picture := job.picture(name))},
        "deleted_remote": job.is_deleted,
    }


def _pulse(pulse: Pulse) -> dict[str, JSON]:
    return {
        "length_s": _rounded(pulse.length_s),
        "submits": pulse.submits,
        "renders": pulse.renders,
        "downloads": pulse.downloads,
        "bytes": pulse.bytes,
    }


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def status_text(state: RunState, seen: Survey, around: Circumstances) -> str:
    """The same for people, in a few lines."""
    return "\n".join(
        [
            *_head(state, seen, around),
            *_money(state, around),
            *_times(state, seen, around),
            *_rates(seen),
            *_waiting(seen),
            *_groups(seen),
            *_deviating(seen),
            f"folder  {around.folder}",
            *_next(state, seen, around),
        ]
    )


def _head(state: RunState, seen: Survey, around: Circumstances) -> Iterator[str]:
    name = state.header.name if state.header else around.folder.name
    stored = seen.asked[State.STORED]
    others = state.counts[State.STORED] - stored
    besides = f", and {others:,} that {'is' if others == 1 else 'are'} no longer asked for" if others else ""
    yield f"{plain(name)}: {stored:,} of {plural(sum(seen.asked.values()), 'video')} stored{besides}"
    for at, count in state.counts.items():
        if count:
            yield f"  {count:>7,}  {at}"


def _money(state: RunState, around: Circumstances) -> Iterator[str]:
    header = state.header
    if header is None:
        return
    spent = spent_money(state.spent, header.currency, state.unpriced)
    budget = "" if around.budget is None else f" of {money(around.budget, header.currency)}"
    where = f"{plain(header.provider)} ({plain(header.origin)})"
    yield _labelled("spent", f"{spent}{budget} at {where}{'' if around.bills else PLAY_MONEY}")


def _times(state: RunState, seen: Survey, around: Circumstances) -> Iterator[str]:
    if state.began_at is None or state.last_at is None:
        return
    ago = duration((seen.at - state.last_at).total_seconds())
    yield f"began   {state.began_at:%Y-%m-%d %H:%M:%S} UTC; last entry {ago} ago"
    yield f"runner  {_PRESENCE[around.presence]}"
    if seen.left:
        about = "" if seen.left_s is None else f", about {duration(seen.left_s)}"
        yield f"left    {plural(seen.left, 'video')}{about}"


def _rates(seen: Survey) -> Iterator[str]:
    """How many a minute: what went out, what was rendered, what came home."""
    if not seen.whole.submits:
        return
    yield f"{'':8}{'submits':>10}{'a min':>8}{'renders':>11}{'a min':>8}{'downloads':>13}{'a min':>8}{'a second':>12}"
    if seen.hour.length_s and seen.hour.length_s < seen.whole.length_s - 1:
        yield _rate("hour", seen.hour)
    yield _rate("in all", seen.whole)
    if seen.median_s is not None and seen.longest_s is not None:
        yield f"renders {duration(seen.median_s)} in the median, {duration(seen.longest_s)} at the longest"


def _rate(label: str, pulse: Pulse) -> str:
    counts = (pulse.submits, 10), (pulse.renders, 11), (pulse.downloads, 13)
    figures = "".join(f"{count:>{width},}{pulse.a_minute(count):>8.1f}" for count, width in counts)
    return f"{label:<8}{figures}{byte_size(pulse.a_minute(pulse.bytes) / 60):>12}"


def _waiting(seen: Survey) -> Iterator[str]:
    if seen.oldest is not None and seen.oldest.accepted_at is not None:
        age = duration((seen.at - seen.oldest.accepted_at).total_seconds())
        yield _labelled("oldest", f"{plain(seen.oldest.id)}, being rendered for {age}")
    if seen.stuck and seen.usual_s is not None:
        past = f"{STUCK_FACTOR} times the usual {duration(seen.usual_s)}"
        yield _labelled("stuck", f"rendering for more than {past}: {_listed(list(ids_of(seen.stuck)))}")
    if seen.next_expiry is not None:
        ahead_s = (seen.next_expiry - seen.at).total_seconds()
        when = f"in {duration(ahead_s)}" if ahead_s > 0 else "past"
        yield f"expiry  {when} ({seen.next_expiry:%Y-%m-%d %H:%M} UTC), of a video not here yet"


def _groups(seen: Survey) -> Iterator[str]:
    """The jobs in the states that need a word, by reason, the most frequent first."""
    for name, reasons in seen.groups.items():
        told = _told(reasons)
        for reason, ids in told[:REASONS_SHOWN]:
            yield _wrapped(f"{name}: {_listed(ids)}{f' — {reason}' if reason else ''}")
        if rest := told[REASONS_SHOWN:]:
            yield f"{name}: {sum(len(ids) for _, ids in rest):,} for {plural(len(rest), 'more reason')}"


def _told(reasons: Mapping[str, Sequence[str]]) -> list[tuple[str, list[str]]]:
    """*reasons* as they are shown: what reads the same is the same."""
    told: dict[str, list[str]] = {}
    for reason, ids in reasons.items():
        told.setdefault(fit(plain(reason), REASON_CELLS), []).extend(ids)
    return sorted(told.items(), key=lambda group: -len(group[1]))


def _deviating(seen: Survey) -> Iterator[str]:
    for words, ids in seen.deviating.items():
        yield _wrapped(f"not as it should be: {_listed(ids)} — {plain(words)}")


def _next(state: RunState, seen: Survey, around: Circumstances) -> Iterator[str]:
    label = "next"
    for command, purpose in _commands(state, seen, around):
        line = f"{label:<8}{command}   # {purpose}"
        yield line if cells(line) <= WIDTH else f"{label:<8}{command}\n{_BELOW}# {purpose}"
        label = ""


def _commands(state: RunState, seen: Survey, around: Circumstances) -> Iterator[tuple[str, str]]:
    """What to type next, and what it is for; while a runner is at work, only what it leaves to a person."""
    alone, folder = around.presence is Presence.NOBODY, str(around.folder)
    run = shlex.join(["vidbatch", "run", folder])
    if alone and around.settles and _may_settle(state):
        yield run, "goes on, and settles what can be proven"
    if state.counts[State.UNCERTAIN]:
        yield shlex.join(["vidbatch", "resolve", folder]), "settle what may have been billed"
    ended = {at for at in ENDED_WITHOUT_VIDEO - {State.DROPPED} if seen.asked[at]} if alone else set()
    if paid := sorted(ended - {State.REJECTED}):
        yield f"{run} --retry {','.join(paid)}", "try these again, and pay for them again"
    if State.REJECTED in ended:
        yield "vidbatch run MANIFEST --retry rejected", "once you have edited it: what was refused cost nothing"


def _may_settle(state: RunState) -> bool:
    """Whether submits at the run's provider are of unknown outcome; a run that was cut off leaves some, too."""
    if state.header is None or not (state.counts[State.UNCERTAIN] or state.counts[State.SUBMITTING]):
        return False
    doubtful = (job for job in state.jobs.values() if job.state in (State.UNCERTAIN, State.SUBMITTING))
    return any(job.origin == state.header.origin for job in doubtful)


def _listed(ids: Sequence[str]) -> str:
    """The first of *ids*, made fit to be shown."""
    return listing([*map(plain, ids[:5]), *ids[5:]])


def _labelled(label: str, words: str) -> str:
    """*words* in lines that fit, beside their label; addresses stay whole."""
    return wrap(words, WIDTH, first=f"{label:<8}", indent=_BELOW, cut=False)


def _wrapped(text: str) -> str:
    """*text* in lines that fit."""
    return wrap(text, WIDTH, indent=_BELOW)
