"""One run folder against one gateway: what the runner's tests start again and again."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio

from pipeline import api
from pipeline.disk import DISK, Disk
from pipeline.launch import no_examiner
from pipeline.ledger.ledger import read_run, utc_now
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import JobState
from pipeline.limits import LimitsWish
from pipeline.media.examiner import Examines
from pipeline.model import NO_AFTERCARE, Aftercare, Job, Link, Manifest, Position, ProviderChoice, SourceFile
from pipeline.policy.verdict import Backoff, Patience
from pipeline.prepare import Choice
from pipeline.profile import Pace, Profile
from pipeline.progress import Event, Notice
from pipeline.providers.registry import find_profile
from pipeline.runner.board import Board
from tests.runner.gateway import Gateway

NAME = "harbour"
HUNG_S = 30.0
"""A run of a test that is not over by then never will be."""
_BLINK = Backoff(base_s=0.001, cap_s=0.004)
QUICK = Pace(first_s=0.005, interval_s=0.005, interval_s_max=0.02, typical_s=0.01, deadline_s=60.0)
"""Looks as quick as a gateway in the same process can answer them."""
HASTY = Patience(submit=_BLINK, look=_BLINK, fetch=_BLINK, rest=Backoff(base_s=0.02, cap_s=0.3), outage_s=5.0)
"""The backoffs keep their shape and lose their length: what waits seconds in a night waits milliseconds here."""
AT_ONCE = LimitsWish(in_flight=8, submits_per_minute=60_000.0, submit_slots=4, downloads=4)


def job(n: int, prompt: str = "", path: str = "") -> Job:
    """The n-th job; another *prompt* is another key."""
    prompt = prompt or f"tug {n} at dawn"
    return Job(
        key=hashlib.sha256(f"{n} {prompt}".encode()).hexdigest()[:32],
        id=f"job-{n}",
        prompt=prompt,
        model="sora-2",
        seconds=4,
        size="1280x720",
        path=path or f"coast/job-{n}.mp4",
        position=Position(file="harbour.yaml", line=n + 1, column=1),
    )


def jobs(count: int) -> tuple[Job, ...]:
    return tuple(job(n) for n in range(count))


def built_on(source: Job, n: int, prompt: str = "", link: Link = Link.REMIX) -> Job:
    """The n-th job, made from the video of *source*."""
    return replace(job(n, prompt or f"scene {n} at night"), source=source.key, link=link)


def manifest(
    wanted: tuple[Job, ...],
    base_url: str,
    profile: Profile,
    limits: LimitsWish = AT_ONCE,
    aftercare: Aftercare = NO_AFTERCARE,
) -> Manifest:
    """A manifest that asks for *wanted*."""
    content = "\n".join(one.key for one in wanted).encode()
    return Manifest(
        name=NAME,
        provider=ProviderChoice(base_url=base_url),
        profile=profile,
        limits=limits,
        jobs=wanted,
        files=(SourceFile(name="harbour.yaml", sha256=hashlib.sha256(content).hexdigest(), content=content),),
        aftercare=aftercare,
    )


def quick_profile() -> Profile:
    """The sandbox's, without a list, in a hurry."""
    profile = find_profile("sandbox")
    assert profile is not None
    return replace(profile, pace=QUICK, lists=False)


@dataclass(slots=True, kw_only=True)
class Night:
    """A folder, a gateway, and a run whenever it is asked for."""

    gateway: Gateway
    base_url: str
    outputs: Path
    profile: Profile = field(default_factory=quick_profile)
    limits: LimitsWish = AT_ONCE
    patience: Patience = HASTY
    disk: Disk = DISK
    now: Callable[[], datetime] = utc_now
    aftercare: Aftercare = NO_AFTERCARE
    examiner: Callable[[], AbstractAsyncContextManager[Examines | None]] = no_examiner
    """What decodes the videos: nobody, unless that is what is tested."""
    choice: Choice = field(default_factory=Choice)
    """Its `outputs` are the night's."""
    events: list[Event] = field(default_factory=list)
    boards: list[Board] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.outputs / NAME

    @property
    def state(self) -> RunState:
        """What the ledger says, read anew."""
        return read_run(self.folder)

    async def run(self, wanted: tuple[Job, ...], *, observer: Callable[[Event], None] | None = None) -> api.Outcome:
        """Run a manifest of these jobs in this folder."""

        def note(event: Event) -> None:
            self.events.append(event)
            if observer is not None:
                observer(event)

        with anyio.fail_after(HUNG_S):
            return await api.run(
                manifest(wanted, self.base_url, self.profile, self.limits, self.aftercare),
                replace(self.choice, outputs=self.outputs),
                observer=note,
                world=api.World(
                    environment={"XDG_STATE_HOME": str(self.outputs / "state")},
                    chance=random.Random(7),
                    now=self.now,
                    disk=self.disk,
                    patience=self.patience,
                    examiner=self.examiner,
                ),
                on_board=self.boards.append,
            )

    def of(self, wanted: Job) -> JobState:
        return self.state.jobs[wanted.key]

    def video(self, wanted: Job) -> Path:
        """Where the ledger says that its video is."""
        return self.folder / "videos" / self.of(wanted).path

    def facts(self, wanted: Job) -> list[str]:
        """The types of the records about a job, in order, without its plan."""
        lines = (self.folder / "ledger.jsonl").read_text("ascii").splitlines()
        records: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return [record["t"] for record in records if record.get("job") == wanted.key and record["t"] != "plan"]

    @property
    def urgent(self) -> list[str]:
        """What a person was told in red."""
        return [event.message for event in self.events if isinstance(event, Notice) and event.urgent]
