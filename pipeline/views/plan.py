"""A plan before it is carried out: what would be done and why, what it costs, where things go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from pipeline.chains import root_of
from pipeline.forecast import duration_s, longest_chain
from pipeline.loopback import place_words
from pipeline.model import JSON
from pipeline.outlook import Outlook
from pipeline.plan import Action, Step
from pipeline.text import PLAY_MONEY, WIDTH, cells, duration, money, plain, plural, wrap
from pipeline.views.breakdown import Breakdown, Part, break_down, telling
from pipeline.views.differences import change_document, change_lines
from pipeline.views.tables import kind_lines, table_lines

PATHS_SHOWN = 10
PATHS_IN_HEAD = 3
CHANGES_SHOWN = 10
NEW_SHOWN = 6
REASONS_SHOWN = 3
_BELOW = " " * 11
_BESIDE = " " * 8
_WORDS = {
    Action.SUBMIT: "new: will be submitted",
    Action.CHANGED: "changed: edited since; will be submitted, what was made stays",
    Action.RETRY: "retried: ended without a video, will be submitted again",
    Action.RESUME: "resumes: bought earlier, will be brought home",
    Action.STORED: "stored: nothing to do",
    Action.ENDED: "ended without a video: stays so unless --retry names its state",
    Action.BLOCKED: "blocked: the job it builds on has no video",
    Action.WAITS: "waits: builds on a submit of unknown outcome; not counted in the cost",
}


def plan_text(outlook: Outlook) -> str:
    """The plan for people."""
    parts = break_down(outlook.plan.steps)
    return "\n".join(
        [
            *_heading(outlook),
            *_reasons(outlook, changes_shown_max=CHANGES_SHOWN),
            *_orphans(outlook),
            *_cost(outlook),
            *kind_lines(parts.kinds, outlook.currency),
            *_time(outlook),
            *(table_lines(telling(parts), outlook.currency) if outlook.plan.submits else ()),
            *_places(outlook, PATHS_SHOWN),
            *_warnings(outlook),
        ]
    )


def head_text(outlook: Outlook) -> str:
    """The plan in a few lines, for the start of a run."""
    return "\n".join(
        [
            *_heading(outlook),
            *_reasons(outlook, changes_shown_max=0),
            *_orphans(outlook),
            *_cost(outlook),
            *_time(outlook),
            *_places(outlook, PATHS_IN_HEAD),
        ]
    )


def plan_document(outlook: Outlook) -> dict[str, JSON]:
    """The plan for programs."""
    plan = outlook.plan
    parts = break_down(plan.steps)
    return {
        "run": outlook.manifest.name,
        "folder": outlook.folder.as_posix(),
        "provider": outlook.manifest.profile.name,
        "origin": outlook.origin,
        "origin_from": outlook.origin_from,
        "counts": {str(action): plan.counts.get(action, 0) for action in Action},
        "left_out": plan.left_out,
        "orphans": len(plan.orphans),
        "homecoming": outlook.homecoming,
        "renamed": plan.renamed,
        "uncertain": _doubts(outlook),
        "cost": _number(plan.cost),
        "spent": float(outlook.spent),
        "budget": _number(outlook.limits.budget),
        "currency": outlook.currency,
        "duration_s": round(_duration_s(outlook), 1),
        "longest_chain": longest_chain(plan.steps),
        "warnings": [f"{issue.position}: {issue.message}" for issue in outlook.manifest.warnings],
        "changes": [
            change_document(step.job.id, step.job.key, plan.changes[step.job.key], step.price)
            for step in plan.of(Action.CHANGED)
        ],
        **_parts(parts),
        "jobs": [_job(step) for step in plan.steps],
    }


def _parts(parts: Breakdown) -> dict[str, JSON]:
    """The tables: by group, by each axis and setting, by kind of video."""
    return {
        "groups": [_part("group", part) for part in parts.groups],
        "axes": {name: [_part("value", part) for part in column] for name, column in parts.axes.items()},
        "models": [
            {**dict(zip(("model", "size", "seconds"), kind.value, strict=True)), **_sums(kind)}
            for kind in parts.kinds
            if isinstance(kind.value, list)
        ],
    }


def _part(name: str, part: Part) -> dict[str, JSON]:
    return {name: part.value, **_sums(part)}


def _sums(part: Part) -> dict[str, JSON]:
    return {"videos": part.videos, "submits": part.submits, "cost": _number(part.cost)}


def _doubts(outlook: Outlook) -> dict[str, JSON]:
    doubts = outlook.doubts
    return {
        "count": doubts.count,
        "cost": _number(doubts.cost),
        "asked": doubts.asked,
        "again": doubts.again,
        "again_cost": _number(doubts.again_cost),
        "max_duplicate_cost": _number(outlook.max_duplicate_cost),
        "paid_twice": _number(doubts.paid_twice),
    }


def _job(step: Step) -> dict[str, JSON]:
    job = step.job
    return {
        "id": job.id,
        "key": job.key,
        "action": str(step.action),
        "reason": step.reason,
        "price": _number(step.price),
        "path": f"videos/{job.path}",
        "model": job.model,
        "seconds": job.seconds,
        "size": job.size,
        "group": job.group,
        "take": job.take,
        "prompt": job.prompt,
    }


def _heading(outlook: Outlook) -> Iterator[str]:
    profile = outlook.manifest.profile
    yield f"{outlook.manifest.name}: {plural(len(outlook.plan.steps), 'video')} by {profile.title} ({profile.name})"
    if outlook.origin:
        said_by = f", from {outlook.origin_from}" if outlook.origin_from else ""
        place = f"{plain(place_words(outlook.origin))}{said_by}"
        yield wrap(place, WIDTH, first="at      ", indent=_BESIDE, cut=False)


def _reasons(outlook: Outlook, *, changes_shown_max: int) -> Iterator[str]:
    """How many jobs there are of each sort, and what is done for them."""
    for action, words in _WORDS.items():
        if count := outlook.plan.counts.get(action, 0):
            yield f"  {count:>7,}  {words}"
        if action is Action.SUBMIT and changes_shown_max:
            yield from _newcomers(outlook)
        if action is Action.CHANGED and changes_shown_max:
            yield from _changes(outlook, changes_shown_max)
        if action in (Action.BLOCKED, Action.WAITS):
            yield from _why(outlook, action)
    yield from _uncertain(outlook)


def _newcomers(outlook: Outlook) -> Iterator[str]:
    """The first of the new jobs, where there are others beside them."""
    new = outlook.plan.of(Action.SUBMIT)
    if not new or len(new) == len(outlook.plan.steps):
        return
    more = f" and {len(new) - NEW_SHOWN:,} more" if len(new) > NEW_SHOWN else ""
    named = ", ".join(plain(step.job.id) for step in new[:NEW_SHOWN])
    yield _below(f"{named}{more}")


def _changes(outlook: Outlook, shown_max: int) -> Iterator[str]:
    """The first of the jobs that were edited, and what was edited."""
    changed, changes = outlook.plan.of(Action.CHANGED), outlook.plan.changes
    for step in changed[:shown_max]:
        yield from change_lines(step.job.id, changes[step.job.key], step.price, outlook.currency, changes)
    if len(changed) > shown_max:
        yield f"{_BELOW}and {len(changed) - shown_max:,} more"


def _why(outlook: Outlook, action: Action) -> Iterator[str]:
    """The reasons that most of those with *action* have."""
    reasons = Counter(root_of(step.reason) for step in outlook.plan.of(action) if step.reason)
    for reason, count in reasons.most_common(REASONS_SHOWN):
        yield _below(f"{count:,} {plain(reason)}", hanging="  ")
    if len(reasons) > REASONS_SHOWN:
        yield f"{_BELOW}and {plural(len(reasons) - REASONS_SHOWN, 'more reason')}"


def _orphans(outlook: Outlook) -> Iterator[str]:
    plan = outlook.plan
    if gone := len(plan.orphans) - len({change.was for change in plan.changes.values()}):
        yield f"  {gone:>7,}  orphaned: in the ledger, no longer in the manifest; kept as they are"
    if coming := outlook.homecoming:
        yield f"           {coming:,} of what the manifest asks for no longer was bought: brought home"
    if plan.renamed:
        yield f"  {plan.renamed:>7,}  renamed: known under another id, a label; nothing is bought for it"
    if plan.left_out:
        yield f"  {plan.left_out:>7,}  left out by --only or --limit"


def _uncertain(outlook: Outlook) -> Iterator[str]:
    """How many submits of unknown outcome there are, and what becomes of them."""
    doubts, ceiling = outlook.doubts, outlook.max_duplicate_cost
    if not doubts.count:
        return
    yield f"  {doubts.count:>7,}  uncertain: perhaps accepted and billed, {_at_most(doubts.cost, outlook)}"
    unproven = " where nothing is proven" if doubts.asked else ""
    if doubts.asked:
        yield _below(f"{doubts.asked:,} settled with the provider, as far as {_proof(outlook)} proves anything")
    if ceiling is not None:
        used = "" if doubts.paid_twice is None else f", {money(doubts.paid_twice, outlook.currency)} of it used"
        yield _below(
            f"{doubts.again:,} submitted again{unproven}, {_at_most(doubts.again_cost, outlook)}: "
            f"--max-duplicate-cost is {money(ceiling, outlook.currency)}{used}"
        )
    if held := doubts.count - doubts.again:
        waits = "waits" if held == 1 else "wait"
        words, command = f"{_BELOW}{held:,} {waits} for a decision{unproven}:", f"vidbatch resolve {outlook.folder}"
        line = f"{words} {command}"
        yield from [line] if cells(line) <= WIDTH else [words, f"{_BELOW}  {command}"]


def _below(text: str, hanging: str = "") -> str:
    """*text* below a count, in lines that fit."""
    return wrap(text, WIDTH, first=_BELOW, indent=_BELOW + hanging)


def _at_most(cost: Decimal | None, outlook: Outlook) -> str:
    return "at an unknown price" if cost is None else f"for up to {money(cost, outlook.currency)}"


def _proof(outlook: Outlook) -> str:
    if outlook.manifest.profile.lists:
        return "a repeated key or its list" if outlook.repeats_keys else "its list"
    return "a repeated key"


def _cost(outlook: Outlook) -> Iterator[str]:
    plan, budget, currency = outlook.plan, outlook.limits.budget, outlook.currency
    if plan.cost is None:
        yield "cost    not known: no price in the profile (state provider.price_per_second)"
        return
    spent = f"; {money(outlook.spent, currency)} spent so far" if outlook.spent else ""
    play = "" if outlook.bills else PLAY_MONEY
    line = f"cost    {money(plan.cost, currency)} for {plural(len(plan.submits), 'submit')}{spent}"
    yield from [f"{line}{play}"] if len(line + play) <= WIDTH else [line, f"       {play}"]
    if budget is not None:
        over = ", which will not do for all of them" if plan.cost + outlook.spent > budget else ""
        yield f"        budget {money(budget, currency)}{over}"


def _time(outlook: Outlook) -> Iterator[str]:
    if not outlook.plan.submits and not outlook.plan.counts.get(Action.RESUME, 0):
        return
    chain = longest_chain(outlook.plan.steps)
    in_turn = f", up to {chain:,} of them one after another" if chain > 1 else ""
    at_once = plural(outlook.limits.in_flight, "video")
    words = f"about {duration(_duration_s(outlook))}, with {at_once} in flight{in_turn}"
    yield wrap(words, WIDTH, first="time    ", indent=_BESIDE)


def _places(outlook: Outlook, shown_max: int) -> Iterator[str]:
    """The folder, and the first of the files in it."""
    steps = outlook.plan.steps
    yield f"folder  {outlook.folder}"
    for step in steps[:shown_max]:
        yield f"        videos/{step.job.path}"
    if len(steps) > shown_max:
        yield f"        and {len(steps) - shown_max:,} more"


def _warnings(outlook: Outlook) -> Iterator[str]:
    for issue in outlook.manifest.warnings:
        yield wrap(f"{issue.position}: {plain(issue.message)}", WIDTH, first="warning ", indent=_BESIDE, cut=False)


def _duration_s(outlook: Outlook) -> float:
    plan = outlook.plan
    return duration_s(
        len(plan.submits),
        plan.counts.get(Action.RESUME, 0),
        outlook.limits,
        outlook.manifest.profile.pace,
        chain=longest_chain(plan.steps),
    )


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
