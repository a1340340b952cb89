"""Runs against the sandbox in a provider's place: a profile in YAML is enough to speak to a server that nobody knew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
import yaml

from pipeline import api
from pipeline.lifecycle import State
from pipeline.model import JSON
from pipeline.policy.verdict import Backoff, Patience
from pipeline.prepare import Choice
from pipeline.providers.registry import find_profile, profile_names
from pipeline.sandbox.dress import dress_of
from tests.runner.night import HUNG_S
from tests.sandbox.conftest import KEY, Clock, running
from tests.sandbox.dresses import odd_documents, odd_profiles

QUICK = Backoff(base_s=0.05, cap_s=0.5)
PATIENCE = Patience(submit=QUICK, look=QUICK, fetch=QUICK)
PACE = {"first_s": 0.05, "interval_s": 0.05, "interval_s_max": 0.1, "typical_s": 0.1, "deadline_s": 60}
QUICKLY: dict[str, JSON] = {"render_s": 0, "film": {"constant_bytes": 4096}}
SHIPPED = [name for name in profile_names() if name != "sandbox"]


def hasty(name: str) -> dict[str, Any]:
    """A profile file: an odd one's own, or one that is based on a profile that ships with vidbatch."""
    own = odd_documents().get(name) or {"name": name, "title": "test", "based_on": name}
    quick = {"key_env": ["ITS_KEY"], "pace": PACE, "limits": {"submits_per_minute": 6000}}
    return {**own, **quick, "name": f"hasty-{name}"}


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("name", [*odd_profiles(), *SHIPPED])
async def test_every_video_comes_home_from_a_server_that_a_profile_tells_of(tmp_path: Path, name: str) -> None:
    (tmp_path / "hasty.yaml").write_text(yaml.safe_dump(hasty(name)))
    profile = odd_profiles().get(name) or find_profile(name)
    assert profile is not None
    with running(tmp_path / "box", Clock(), dress=dress_of(profile), **QUICKLY) as gateway:
        manifest = tmp_path / "m.yaml"
        manifest.write_text(
            f"provider: {{profile: ./hasty.yaml, base_url: '{gateway.client.base_url}'}}\n"
            "jobs: [{id: a, prompt: a heron}, {id: b, prompt: a tug}]\n"
        )
        world = api.World(environment={"ITS_KEY": KEY}, patience=PATIENCE)
        with anyio.fail_after(HUNG_S):
            outcome = await api.run(api.load(manifest), Choice(outputs=tmp_path / "outputs"), world=world)

        assert (outcome.stopped, outcome.counts) == ("", {State.STORED: 2})
        booked = {entry["id"] for entry in gateway.debug("book")["entries"]}
    assert booked == {job.video_id for job in outcome.state.jobs.values()}
