"""What must hold after a crash: the ledger and the files, against what the provider sold and was asked for."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState
from pipeline.lifecycle import State
from tests.crash.shop import film_for

UNDER_WAY = frozenset({State.SUBMITTING, State.UNCERTAIN, State.IN_FLIGHT, State.FINISHED, State.STORED})
"""Where a job may be whose POST was sent to a provider that does its work."""
WITH_ID = frozenset({State.IN_FLIGHT, State.FINISHED, State.STORED})
AT_THE_END = frozenset({State.STORED, State.UNCERTAIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What others than this machine know."""

    sold: Mapping[str, str] = field(default_factory=dict)
    """Prompts, by id: the provider's book."""
    asked: frozenset[str] = frozenset()
    """The ids that the provider was asked about."""
    done: bool = False
    """The caller was told that the run is over."""


def after_crash(run: Path, state: RunState, outside: Outside) -> list[str]:
    """What is wrong with a run folder that a crash has left, before anybody runs in it again."""
    return [*_in_ledger(state, outside), *_in_book(outside), *_on_disk(run, state), *_kept(run, outside)]


def after_resume(run: Path, state: RunState, outside: Outside) -> list[str]:
    """What is wrong with it after a run that nobody disturbed."""
    unfinished = [job.id for job in state.jobs.values() if job.state not in AT_THE_END]
    faults = [*_in_ledger(state, outside), *_in_book(outside), *_on_disk(run, state), *_kept(run, outside)]
    if unfinished:
        faults.append(f"the next run left {', '.join(unfinished)} unfinished")
    if left := [path.name for path in run.rglob("*.part*")]:
        faults.append(f"the next run left {', '.join(left)}")
    rows = [json.loads(line)["id"] for line in _text(run / "videos" / "metadata.jsonl").splitlines()]
    if rows != (stored := [job.id for job in state.jobs.values() if job.state is State.STORED]):
        faults.append(f"metadata.jsonl has {rows}, and stored are {stored}")
    return faults


def uncertain(state: RunState) -> list[JobState]:
    return [job for job in state.jobs.values() if job.state in (State.UNCERTAIN, State.SUBMITTING)]


def _in_ledger(state: RunState, outside: Outside) -> Iterator[str]:
    jobs = {job.wish.prompt: job for job in state.jobs.values()}
    for video_id, prompt in outside.sold.items():
        job = jobs.get(prompt)
        if job is None or job.state not in UNDER_WAY:
            yield f"{prompt}: it was sold, and the ledger has it as {job.state if job else 'never planned'}"
        elif video_id in outside.asked and job.video_id != video_id:
            yield f"{prompt}: its id was used, and the ledger does not have it"
    for job in jobs.values():
        if job.state not in (*UNDER_WAY, State.PENDING):
            yield f"{job.id}: it cannot be {job.state}"
        if (job.state in WITH_ID or job.video_id) and outside.sold.get(job.video_id) != job.wish.prompt:
            yield f"{job.id}: its id {job.video_id!r} was not given for it"
        if outside.done and job.state not in AT_THE_END:
            yield f"{job.id}: the run had ended, and it is {job.state}"


def _in_book(outside: Outside) -> Iterator[str]:
    for prompt, count in Counter(outside.sold.values()).items():
        if count > 1:
            yield f"{prompt}: it was paid for {count} times"


def _on_disk(run: Path, state: RunState) -> Iterator[str]:
    """A file under a video's name is that video, whole, with its sidecar; what is stored has one."""
    for job in state.jobs.values():
        video, film = run / "videos" / job.path, film_for(job.wish.prompt)
        digest = hashlib.sha256(film).hexdigest()
        if not video.exists():
            if job.state is State.STORED:
                yield f"{job.id}: it is stored, and its file is not there"
        elif video.read_bytes() != film:
            yield f"{job.id}: the file under its name is not its film"
        elif _said(video.with_suffix(".json")) != (job.key, digest, len(film)):
            yield f"{job.id}: its film is there, and no sidecar tells so"
        if job.state is State.STORED and (job.sha256, job.bytes) != (digest, len(film)):
            yield f"{job.id}: the ledger has another digest"


def _said(sidecar: Path) -> tuple[str, str, int] | None:
    try:
        said = json.loads(sidecar.read_bytes())
    except (OSError, ValueError):
        return None
    return said["key"], said["sha256"], said["bytes"]


def _kept(run: Path, outside: Outside) -> Iterator[str]:
    """The manifest as run lies in the folder before anything is bought, under its digest."""
    kept = list(run.glob("manifests/*.yaml"))
    if outside.sold and not kept:
        yield "something was bought, and the manifest was not kept"
    for path in kept:
        if not hashlib.sha256(path.read_bytes()).hexdigest().startswith(path.stem):
            yield f"{path.name}: the manifest was not kept as it was"


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""
