"""Runs against the sandbox in a provider's place: a profile in YAML is enough to speak to a server that nobody knew."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
import yaml

from pipeline import api
from pipeline.lifecycle import State
from pipeline.policy.verdict import Backoff, Patience
from pipeline.prepare import Choice
from pipeline.sandbox.dress import dress_of
from tests.runner.night import HUNG_S
from tests.sandbox.conftest import KEY, Clock, running
from tests.sandbox.dresses import odd_documents, odd_profiles

QUICK = Backoff(base_s=0.05, cap_s=0.5)
PATIENCE = Patience(submit=QUICK, look=QUICK, fetch=QUICK)
PACE = {"first_s": 0.05, "interval_s": 0.05, "interval_s_max": 0.1, "typical_s": 0.1, "deadline_s": 60}


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("name", odd_profiles())
async def test_every_video_comes_home_from_a_server_that_a_profile_tells_of(tmp_path: Path, name: str) -> None:
    profile = {**odd_documents()[name], "key_env": ["ITS_KEY"], "pace": PACE, "limits": {"submits_per_minute": 6000}}
    (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(profile))
    dress = dress_of(odd_profiles()[name])
    with running(tmp_path / "box", Clock(), dress=dress, render_s=0) as gateway:
        manifest = tmp_path / "m.yaml"
        manifest.write_text(
            f"provider: {{profile: ./{name}.yaml, base_url: '{gateway.client.base_url}'}}\n"
            "jobs: [{id: a, prompt: a heron}, {id: b, prompt: a tug}]\n"
        )
        world = api.World(environment={"ITS_KEY": KEY}, patience=PATIENCE)
        with anyio.fail_after(HUNG_S):
            outcome = await api.run(api.load(manifest), Choice(outputs=tmp_path / "outputs"), world=world)

        assert (outcome.stopped, outcome.counts) == ("", {State.STORED: 2})
        booked = {entry["id"] for entry in gateway.debug("book")["entries"]}
    assert booked == {job.video_id for job in outcome.state.jobs.values()}
