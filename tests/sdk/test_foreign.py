"""Our client before somebody else's server: the wire is as the SDK's own types have it, not as our sandbox does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from pipeline import api
from pipeline.lifecycle import State
from pipeline.prepare import Choice
from pipeline.providers.registry import find_profile
from tests.runner.night import HASTY, HUNG_S, QUICK

if TYPE_CHECKING:
    from tests.sdk.foreign import Foreign

JOBS = "jobs: [{prompt: a tug}, {prompt: a heron}, {prompt: a fox}]"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outputs"


def run(folder: Path, foreign: Foreign, jobs: str) -> api.Outcome:
    """Run *jobs* with the profile `openai`, at the foreign server's address."""
    path = folder.with_name("harbour.yaml")
    path.write_text(
        f"provider: {{profile: openai, base_url: '{foreign.base_url}'}}\n"
        f"limits: {{in_flight: 8, submits_per_minute: 6000, submit_slots: 4}}\n{jobs}\n",
        encoding="utf-8",
    )
    profile = find_profile("openai")
    assert profile is not None
    hurried = replace(profile, pace=QUICK, list_lag_s=0.1)  # its numbers are minutes; its ways stay as they are
    manifest = replace(api.load(path), profile=hurried)

    async def night() -> api.Outcome:
        with anyio.fail_after(HUNG_S):
            environment = {"OPENAI_API_KEY": "a-key-for-tests", "XDG_STATE_HOME": str(folder / "state")}
            world = api.World(environment=environment, patience=HASTY)
            return await api.run(manifest, Choice(outputs=folder), world=world)

    return anyio.run(night)


def prompts(made: Sequence[str | None]) -> Counter[str]:
    return Counter(prompt or "" for prompt in made)


def test_twenty_jobs_end_stored(folder: Path, foreign: Foreign) -> None:
    wanted = {f"heron {n}" for n in range(20)}
    outcome = run(folder, foreign, f"jobs: [{', '.join(f'{{prompt: {prompt}}}' for prompt in sorted(wanted))}]")

    assert (outcome.stopped, outcome.counts) == ("", {State.STORED: 20})
    assert prompts([video.prompt for video in foreign.videos]) == Counter(wanted)
    assert {(video.model, video.seconds, video.size) for video in foreign.videos} == {("sora-2", "4", "720x1280")}
    films = [path.read_bytes() for path in (folder / "harbour" / "videos").rglob("*.mp4")]
    assert films == [foreign.film] * 20


def test_a_lost_answer_is_adopted_from_the_list(folder: Path, foreign: Foreign) -> None:
    foreign.lost = frozenset({"a heron"})

    outcome = run(folder, foreign, JOBS)

    assert (outcome.stopped, outcome.counts) == ("", {State.STORED: 3})
    assert prompts([post.prompt for post in foreign.posts]) == Counter(["a tug", "a heron", "a fox"])


def test_a_failed_and_a_moderated_job_end_and_the_rest_is_stored(folder: Path, foreign: Foreign) -> None:
    from openai.types import VideoCreateError

    foreign.ends = {
        "a tug": VideoCreateError(code="server_error", message="The render broke down."),
        "a heron": VideoCreateError(code="moderation_blocked", message="Your request was blocked."),
    }

    outcome = run(folder, foreign, JOBS)

    reasons = {job.prompt: outcome.state.jobs[job.key].reason for job in outcome.outlook.manifest.jobs}
    assert outcome.counts == {State.FAILED: 2, State.STORED: 1}
    assert "The render broke down." in reasons["a tug"]
    assert "moderation_blocked" in reasons["a heron"]
    assert len(foreign.posts) == 3


def test_a_chain_of_remixes_is_made_one_from_the_other(folder: Path, foreign: Foreign) -> None:
    chain = "{id: a, prompt: dawn}, {id: b, remix_of: a, prompt: noon}, {id: c, remix_of: b, prompt: night}"

    outcome = run(folder, foreign, f"jobs: [{chain}]")

    assert (outcome.stopped, outcome.counts) == ("", {State.STORED: 3})
    dawn, noon, night = foreign.videos
    assert (dawn.prompt, noon.prompt, night.prompt) == ("dawn", "noon", "night")
    assert (noon.remixed_from_video_id, night.remixed_from_video_id) == (dawn.id, noon.id)


def test_a_retry_after_is_waited_for_and_nothing_is_made_twice(folder: Path, foreign: Foreign) -> None:
    foreign.turned_away = 1

    outcome = run(folder, foreign, JOBS)

    assert (outcome.stopped, outcome.counts) == ("", {State.STORED: 3})
    first, second = foreign.posts[:2]
    assert [first.http, second.http] == [429, 200]
    assert second.at_s - first.at_s >= 1.0
    assert prompts([video.prompt for video in foreign.videos]) == Counter(["a tug", "a heron", "a fox"])


def test_a_key_that_it_refuses_ends_the_run_with_nothing_made(folder: Path, foreign: Foreign) -> None:
    foreign.key = "another"

    outcome = run(folder, foreign, JOBS)

    assert "key" in outcome.stopped
    assert foreign.videos == []
