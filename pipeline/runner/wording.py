"""What a run says of what a person has to know: submits of unknown outcome, videos that are gone, strange words."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import timedelta

from pipeline.ledger.state import JobState
from pipeline.lifecycle import Fact, State
from pipeline.profile import Profile
from pipeline.providers.pricing import total
from pipeline.runner.board import Board
from pipeline.text import listing, money, plural

_GONE = {
    Fact.EXPIRED: ("it expired", "--retry expired"),
    Fact.LOST: ("it is lost", "--retry lost"),
}


def doubt_words(board: Board, key: str, reason: str) -> str:
    """An uncertain job for a person: what it may have cost, until when its video is kept, and what comes now."""
    latest = board.job(key).attempts[-1]
    cost = money(latest.price, board.profile.currency) if latest.price is not None else "an unknown price"
    if board.settles and key in board.unsettled:
        then = "and is being settled with the provider"
    else:
        then = f"and will not be sent again unless you say so: vidbatch resolve {board.folder.path}"
    return (
        f"{board.job(key).id}: it is not known whether this submit was accepted ({reason}). It may have cost {cost} "
        f"(its video is kept until about {kept_until(board, key)}), {then}"
    )


def left_words(board: Board, keys: Collection[str]) -> str:
    """The submits of unknown outcome that a run begins with, for a person: they may be dear, and expire."""
    names, price = (
        listing([board.job(key).id for key in keys]),
        total(board.job(key).attempts[-1].price for key in keys),
    )
    cost = "an unknown price" if price is None else f"up to {money(price, board.profile.currency)}"
    until = min(kept_until(board, key) for key in keys)
    then = "what can be proven of them is settled now; else" if board.settles else _by_key(board)
    return (
        f"{plural(len(keys), 'earlier submit')} of unknown outcome, {names}: perhaps accepted, for {cost} (a video is "
        f"kept until about {until}); {then or 'say what became of them:'} vidbatch resolve {board.folder.path}"
    )


def _by_key(board: Board) -> str:
    """What a run that may buy does about these, before a person has to, and this one does not."""
    if board.repeats_keys or not board.profile.honours_keys:
        return ""
    return "a run that may buy settles what is young enough by its key; else"


def still_words(board: Board, keys: Collection[str], reason: str) -> str:
    """Those of them that this run could not settle either: the run began by saying what they may cost."""
    names = listing([board.job(key).id for key in keys])
    return (
        f"{plural(len(keys), 'earlier submit')} of unknown outcome still not settled, {names} ({reason}): "
        f"{f'{then} ' if (then := _by_key(board)) else ''}vidbatch resolve {board.folder.path}"
    )


def waiting_words(board: Board, waiting: Collection[str]) -> str:
    """Jobs that were not submitted because what they build on has no video, and may have one yet."""
    sources = {board.job(key).wish.source: None for key in waiting}
    known = [job for key in sources if key not in waiting and (job := board.ledger.state.jobs.get(key)) is not None]
    names = listing([board.job(key).id for key in waiting])
    why = listing([f"{job.id} is {job.state}" for job in known])
    return f"{plural(len(waiting), 'job')} not submitted, {names}: what they build on has no video yet ({why})"


def awaited_words(job: JobState, jobs: Mapping[str, JobState]) -> str:
    """Why a pending job of a run that nothing stopped was not submitted: what it waits for, at whatever remove."""
    awaited = job
    while awaited.state is State.PENDING and awaited.wish.source in jobs:
        awaited = jobs[awaited.wish.source]
    is_explained = awaited.state in (State.PENDING, State.FINISHED, State.STORED)
    return "" if is_explained else f"what it builds on is {awaited.state}"


def gone_words(board: Board, key: str, fact: Fact, reason: str) -> str:
    """A video that was bought and cannot be had any more (`EXPIRED`, `LOST`), with its price."""
    job, (how, again) = board.job(key), _GONE[fact]
    cost = "at an unknown price" if job.cost is None else money(job.cost, board.profile.currency)
    return f"{job.id}: {how}, and was paid for: {cost}; {again} buys it again: {reason}"


def strange_word(profile: Profile, word: str) -> str:
    """A status word that neither we nor the profile know, and the line that says what it means."""
    where = profile.home or f"a profile of your own (based_on: {profile.name})"
    line = f"status_words: {{{json.dumps(word.lower(), ensure_ascii=False)}: done}}"
    return f"unknown status '{word}', taken for still running; should it mean that a video is done: {line} in {where}"


def kept_until(board: Board, key: str) -> str:
    """How long the video of the latest submit is kept at least, should there be one."""
    until = board.job(key).attempts[-1].submitted_at + timedelta(seconds=board.profile.retention_s)
    return f"{until:%Y-%m-%d %H:%M} UTC"
