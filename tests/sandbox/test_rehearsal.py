"""The rehearsal that ships: a bad night which a run gets over by itself."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from pipeline import api
from pipeline.lifecycle import State
from pipeline.paths import example_folder
from pipeline.policy.verdict import Backoff, Patience
from pipeline.prepare import Choice
from pipeline.sandbox.store import Store
from tests.runner.night import HUNG_S

QUICK = Backoff(base_s=0.05, cap_s=0.5)
PATIENCE = Patience(submit=QUICK, look=QUICK, fetch=QUICK)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # the runner's own tests have both; this is eight seconds
async def test_the_rehearsal_ends_well_and_pays_for_each_video_once(tmp_path: Path) -> None:
    manifest = api.load(example_folder() / "rehearsal.yaml")
    world = api.World(environment={}, patience=PATIENCE)

    with anyio.fail_after(4 * HUNG_S):  # it waits for a sandbox that paints films, also on a busy machine
        outcome = await api.run(manifest, Choice(outputs=tmp_path), world=world)

    assert (outcome.stopped, outcome.counts) == ("", {State.STORED: 6})
    with Store(tmp_path / "rehearsal" / "sandbox") as store:
        assert sorted(order.id for order in store.orders) == sorted(
            str(job.video_id) for job in outcome.state.jobs.values()
        )
