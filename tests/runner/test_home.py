"""A run that buys nothing, one that somebody has agreed to, and what waits for a person: nothing is bought unasked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pipeline import api, prepare
from pipeline.errors import UsageError
from pipeline.ledger.resolve import resolve
from pipeline.lifecycle import Fact, State
from pipeline.model import Job, Link
from pipeline.plan import Action, Outlook
from pipeline.prepare import Choice
from pipeline.progress import Event, Moved
from tests.runner.gateway import NOTHING
from tests.runner.night import Night, job, manifest

pytestmark = pytest.mark.anyio

WORLD = api.World(environment={})
HOME = Choice(buys=False)
ROOT = job(0)
REMIX = replace(job(1), source=ROOT.key, link=Link.REMIX)


async def leave_in_flight(night: Night, wanted: Job) -> None:
    """A run that is interrupted as soon as the video is bought."""

    def interrupt(event: Event) -> None:
        if isinstance(event, Moved) and event.state is State.IN_FLIGHT:
            night.boards[-1].interrupt()

    assert (await night.run((wanted,), observer=interrupt)).counts == {State.IN_FLIGHT: 1}


async def leave_uncertain(night: Night, wanted: Job) -> None:
    night.gateway.once("submit", NOTHING)
    assert (await night.run((wanted,))).counts == {State.UNCERTAIN: 1}


@pytest.mark.parametrize("asked_for", [True, False], ids=["resumes", "orphaned"])
async def test_what_is_bought_comes_home_in_a_run_that_buys_nothing(night: Night, asked_for: bool) -> None:
    await leave_in_flight(night, job(0))
    night.choice = replace(HOME, retry=frozenset({State.FAILED}))

    outcome = await night.run((job(0), job(1)) if asked_for else (job(1),))

    assert (outcome.counts, outcome.stopped) == ({State.STORED: 1}, "")
    assert outcome.outlook.plan.cost == 0
    assert night.gateway.prompts_sold == [job(0).prompt]
    assert night.video(job(0)).exists()
    assert job(1).key not in night.state.jobs


@pytest.mark.parametrize(
    ("knows", "state", "lists"),
    [({"lists": True, "list_lag_s": 0.001}, State.PENDING, True), ({"honours_keys": True}, State.UNCERTAIN, False)],
)
async def test_a_run_that_buys_nothing_reads_the_list_and_neither_repeats_a_key_nor_submits_again(
    night: Night, knows: dict[str, Any], state: State, lists: bool
) -> None:
    await leave_uncertain(night, job(0))
    night.gateway.lists = lists
    night.gateway.honours_keys = not lists
    night.profile = replace(night.profile, **knows)
    night.choice = HOME

    outcome = await night.run((job(0),))

    assert outcome.counts == {state: 1}
    assert bool(night.gateway.of("list")) is lists
    assert len(night.gateway.of("submit")) == 1
    night.choice = Choice()
    assert (await night.run((job(0),))).counts == {State.STORED: 1}


async def test_what_builds_on_a_submit_of_unknown_outcome_waits_unpriced_until_a_person_has_settled_it(
    night: Night,
) -> None:
    await leave_uncertain(night, ROOT)

    outcome = await night.run((ROOT, REMIX))

    assert outcome.counts == {State.UNCERTAIN: 1, State.PENDING: 1}
    assert outcome.outlook.plan.counts == {Action.HELD: 1, Action.WAITS: 1}
    assert outcome.outlook.plan.cost == 0
    told = f"it builds on {ROOT.id}, which is of unknown outcome: vidbatch resolve {night.folder}"
    assert outcome.outlook.plan.steps[1].reason == told
    assert any("what they build on has no video yet" in words for words in night.urgent)
    resolve(night.folder, [ROOT.id], Fact.NOT_CREATED)
    assert (await night.run((ROOT, REMIX))).counts == {State.STORED: 2}


async def test_what_nobody_agreed_to_is_not_bought_where_a_run_has_changed_since_it_was_shown(night: Night) -> None:
    await leave_uncertain(night, ROOT)
    wanted = manifest((ROOT, REMIX), night.base_url, night.profile)
    choice = Choice(outputs=night.outputs)
    shown = api.admit(wanted, choice, world=WORLD)
    resolve(night.folder, [ROOT.id], Fact.NOT_CREATED)
    before = (night.folder / "ledger.jsonl").read_bytes()

    with pytest.raises(UsageError, match="changed since you were asked, and would buy 2 more videos"):
        await api.run(wanted, choice, world=WORLD, outlook=shown, agreed=True)

    assert len(night.gateway.of("submit")) == 1
    assert (night.folder / "ledger.jsonl").read_bytes() == before
    outcome = await api.run(wanted, choice, world=WORLD, outlook=shown)
    assert outcome.counts == {State.STORED: 2}


async def test_a_run_is_planned_once_and_again_where_a_file_is_gone(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned: list[Outlook] = []

    def counted(plan: Callable[..., Outlook]) -> Callable[..., Outlook]:
        def outlook_on(*args: Any, **options: Any) -> Outlook:
            planned.append(plan(*args, **options))
            return planned[-1]

        return outlook_on

    for home in (api, prepare):
        monkeypatch.setattr(home, "outlook_on", counted(prepare.outlook_on))
    await night.run((job(0),))
    assert len(planned) == 1
    night.video(job(0)).unlink()
    assert (await night.run((job(0),))).counts == {State.STORED: 1}
    assert [dict(one.plan.counts) for one in planned[1:]] == [{Action.STORED: 1}, {Action.RESUME: 1}]
