"""A plan before it is carried out: what would be done and why, what it costs, where things go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from pipeline.model import JSON
from pipeline.plan import Action, Outlook, Step, duration_s
from pipeline.text import PLAY_MONEY, duration, money, plain, plural

PATHS_SHOWN = 10
_WORDS = {
    Action.SUBMIT: "new: will be submitted",
    Action.RETRY: "retried: ended without a video, will be submitted again",
    Action.RESUME: "resumes: bought earlier, will be brought home",
    Action.STORED: "stored: nothing to do",
    Action.ENDED: "ended without a video: stays so unless --retry names its state",
    Action.BLOCKED: "blocked: the job it builds on has no video",
}


def plan_text(outlook: Outlook) -> str:
    """The plan for people."""
    return "\n".join(_lines(outlook))


def plan_document(outlook: Outlook) -> dict[str, JSON]:
    """The plan for programs."""
    plan = outlook.plan
    counts = Counter(step.action for step in plan.steps)
    return {
        "run": outlook.manifest.name,
        "folder": outlook.folder.as_posix(),
        "provider": outlook.manifest.profile.name,
        "counts": {str(action): counts[action] for action in Action},
        "left_out": plan.left_out,
        "orphans": len(plan.orphans),
        "uncertain": _doubts(outlook),
        "cost": _number(plan.cost),
        "spent": float(outlook.spent),
        "budget": _number(outlook.limits.budget),
        "currency": outlook.currency,
        "duration_s": round(_duration_s(outlook), 1),
        "warnings": [f"{issue.position}: {issue.message}" for issue in outlook.manifest.warnings],
        "jobs": [_job(step) for step in plan.steps],
    }


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
        "price": _number(step.price),
        "path": f"videos/{job.path}",
        "model": job.model,
        "seconds": job.seconds,
        "size": job.size,
        "group": job.group,
        "take": job.take,
        "prompt": job.prompt,
    }


def _lines(outlook: Outlook) -> Iterator[str]:
    plan, manifest = outlook.plan, outlook.manifest
    yield f"{manifest.name}: {plural(len(plan.steps), 'video')} by {manifest.profile.title} ({manifest.profile.name})"
    counts = Counter(step.action for step in plan.steps)
    for action, words in _WORDS.items():
        if counts[action]:
            yield f"  {counts[action]:>7,}  {words}"
    yield from _uncertain(outlook)
    if plan.orphans:
        yield f"  {len(plan.orphans):>7,}  orphaned: in the ledger, no longer in the manifest; kept as they are"
    if plan.left_out:
        yield f"  {plan.left_out:>7,}  left out by --only or --limit"
    yield f"cost    {_cost(outlook)}"
    for row in _by_model(outlook):
        yield f"        {row}"
    if plan.submits or counts[Action.RESUME]:
        at_once = plural(outlook.limits.in_flight, "video")
        yield f"time    about {duration(_duration_s(outlook))}, with {at_once} in flight"
    yield f"folder  {outlook.folder}"
    for step in plan.steps[:PATHS_SHOWN]:
        yield f"        videos/{step.job.path}"
    if len(plan.steps) > PATHS_SHOWN:
        yield f"        and {len(plan.steps) - PATHS_SHOWN:,} more"
    for issue in manifest.warnings:
        yield f"warning {issue.position}: {plain(issue.message)}"


def _uncertain(outlook: Outlook) -> Iterator[str]:
    """How many submits of unknown outcome there are, and what becomes of them."""
    doubts, ceiling = outlook.doubts, outlook.max_duplicate_cost
    if not doubts.count:
        return
    yield f"  {doubts.count:>7,}  uncertain: perhaps accepted and billed, {_at_most(doubts.cost, outlook)}"
    unproven = " where nothing is proven" if doubts.asked else ""
    if doubts.asked:
        yield f"           {doubts.asked:,} settled with the provider, as far as {_proof(outlook)} proves anything"
    if ceiling is not None:
        used = "" if doubts.paid_twice is None else f", {money(doubts.paid_twice, outlook.currency)} of it used"
        yield (
            f"           {doubts.again:,} submitted again{unproven}, {_at_most(doubts.again_cost, outlook)}: "
            f"--max-duplicate-cost is {money(ceiling, outlook.currency)}{used}"
        )
    if held := doubts.count - doubts.again:
        waits = "waits" if held == 1 else "wait"
        yield f"           {held:,} {waits} for a decision{unproven}: vidbatch resolve {outlook.folder}"


def _at_most(cost: Decimal | None, outlook: Outlook) -> str:
    return "at an unknown price" if cost is None else f"for up to {money(cost, outlook.currency)}"


def _proof(outlook: Outlook) -> str:
    profile = outlook.manifest.profile
    if profile.lists:
        return "a repeated key or its list" if profile.honours_keys else "its list"
    return "a repeated key"


def _cost(outlook: Outlook) -> str:
    plan, budget = outlook.plan, outlook.limits.budget
    if plan.cost is None:
        return "not known: the profile has no price for it (state provider.price_per_second)"
    text = f"{money(plan.cost, outlook.currency)} for {plural(len(plan.submits), 'submit')}"
    if outlook.spent:
        text += f"; {money(outlook.spent, outlook.currency)} spent so far"
    if budget is not None:
        over = plan.cost + outlook.spent > budget
        text += f"; budget {money(budget, outlook.currency)}{', which will not do for all of them' if over else ''}"
    return text if outlook.manifest.profile.bills else text + PLAY_MONEY


def _by_model(outlook: Outlook) -> Iterator[str]:
    """What each kind of video costs, where there is more than one."""
    kinds: dict[tuple[str, str, int | float], tuple[int, Decimal]] = {}
    for step in outlook.plan.submits:
        kind = (step.job.model, step.job.size, step.job.seconds)
        count, cost = kinds.get(kind, (0, Decimal(0)))
        kinds[kind] = (count + 1, cost + (step.price or 0))
    if len(kinds) < 2 or outlook.plan.cost is None:
        return
    for (model, size, seconds), (count, cost) in kinds.items():
        yield f"{money(cost, outlook.currency):>9}  {count:,} x {model} {size} {seconds:g} s"


def _duration_s(outlook: Outlook) -> float:
    plan = outlook.plan
    resumes = len(plan.of(Action.RESUME))
    return duration_s(len(plan.submits), resumes, outlook.limits, outlook.manifest.profile.pace)


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
