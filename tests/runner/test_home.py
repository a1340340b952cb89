"""A run that buys nothing, one that somebody has agreed to, and what waits for a person: nothing is bought unasked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from pipeline import api, prepare
from pipeline.errors import UsageError
from pipeline.ledger.ledger import Ledger, utc_now
from pipeline.ledger.resolve import resolve
from pipeline.lifecycle import Fact, State
from pipeline.model import Job, Link
from pipeline.outlook import Outlook
from pipeline.plan import Action
from pipeline.prepare import Choice
from pipeline.progress import Event, Moved
from pipeline.storage import RunFolder
from tests.runner.gateway import NOTHING, Answer, Seen, refusal
from tests.runner.night import AT_ONCE, Night, job, jobs, manifest

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

    assert (await night.run((wanted,), observer=interrupt)).counts[State.IN_FLIGHT] == 1


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
    assert night.urgent[-1:] == [f"1 job not submitted, {REMIX.id}: {told}"]
    assert len(night.boards) == 1  # nobody was connected to: there was nothing to do
    resolve(night.folder, [ROOT.id], Fact.NOT_CREATED)
    assert (await night.run((ROOT, REMIX))).counts == {State.STORED: 2}


@pytest.mark.parametrize(("agreed", "threshold"), [(True, Decimal(10)), (False, Decimal("0.40"))])
async def test_what_nobody_agreed_to_is_not_bought_where_a_run_has_changed_since_it_was_planned(
    night: Night, agreed: bool, threshold: Decimal
) -> None:
    await leave_uncertain(night, ROOT)
    limits = replace(AT_ONCE, confirm_above=threshold)
    wanted = manifest((ROOT, REMIX), night.base_url, replace(night.profile, bills=True), limits)
    choice = Choice(outputs=night.outputs)
    shown = api.admit(wanted, choice, world=WORLD)
    resolve(night.folder, [ROOT.id], Fact.NOT_CREATED)
    before = (night.folder / "ledger.jsonl").read_bytes()

    with pytest.raises(UsageError, match="changed since it was planned, and would buy 2 more videos"):
        await api.run(wanted, choice, world=WORLD, outlook=shown, agreed=agreed, asks=True)

    assert len(night.gateway.of("submit")) == 1
    assert (night.folder / "ledger.jsonl").read_bytes() == before
    cheap = replace(wanted, limits=replace(limits, confirm_above=Decimal(10)))
    outcome = await api.run(cheap, choice, world=WORLD, outlook=replace(shown, manifest=cheap), asks=True)
    assert outcome.counts == {State.STORED: 2}


@pytest.mark.parametrize("another", ["choice", "manifest"])
async def test_an_outlook_on_something_else_is_refused_and_nothing_is_sent(night: Night, another: str) -> None:
    wanted, more = (manifest(jobs(n), night.base_url, night.profile) for n in (1, 2))
    choice = Choice(outputs=night.outputs)
    seen = api.admit(more if another == "manifest" else wanted, choice, world=WORLD)
    chosen = replace(choice, buys=another == "manifest")

    with pytest.raises(UsageError, match="on another manifest or choice"):
        await api.run(wanted, chosen, world=WORLD, outlook=seen)
    assert "on another manifest or choice" in api.obstacle(wanted, chosen, world=WORLD, outlook=seen)

    assert not night.gateway.of("submit")
    assert not night.folder.exists()


@pytest.mark.parametrize(
    ("origin", "price", "words"),
    [("http://127.0.0.1:9/v1", Decimal("0.40"), "1 videos of this run are still at"), ("", None, "1 earlier submit")],
    ids=["at another address", "at no price"],
)
async def test_what_another_run_leaves_between_admission_and_the_run_is_refused_as_if_it_had_been_there_before(
    night: Night, origin: str, price: Decimal | None, words: str
) -> None:
    wanted = manifest(jobs(1), night.base_url, night.profile, replace(AT_ONCE, budget=Decimal(5)))
    choice, origin = Choice(outputs=night.outputs), origin or night.base_url
    seen = api.admit(wanted, choice, world=WORLD)
    RunFolder(night.folder).make()
    with Ledger.open(night.folder / "ledger.jsonl") as ledger:
        ledger.header(run="0" * 32, provider="sandbox", origin=origin, currency="USD", name="harbour", retention_s=9)
        ledger.plan(job(7), price=price)
        ledger.record(Fact.INTENT, job(7).key, body_sha256="a" * 64, key="k")
        ledger.record(Fact.ACCEPTED, job(7).key, video_id="v", origin=origin, http=200, request_id="", raw={})
        ledger.commit_now()

    with pytest.raises(UsageError, match=words):
        await api.run(wanted, choice, world=WORLD, outlook=seen)

    assert not night.gateway.of("submit")


async def test_a_run_that_buys_nothing_knows_that_a_key_was_repeated_and_made_a_video_late(night: Night) -> None:
    """Were only rows of the first submit's time its, this would be proof that nothing was made, and paid twice."""
    night.gateway.echoes = frozenset({"created_at"})
    night.now = lambda: utc_now() - timedelta(minutes=20)
    await leave_uncertain(night, job(0))
    night.now, night.gateway.honours_keys = utc_now, True
    night.profile = replace(night.profile, honours_keys=True)

    def lost(seen: Seen) -> Answer:
        night.gateway.sell(seen)
        return NOTHING

    night.gateway.once("submit", lost, *[refusal(500)] * 5)
    assert (await night.run((job(0),))).counts == {State.UNCERTAIN: 1}
    submits, night.gateway.lists = len(night.gateway.of("submit")), True
    night.profile, night.choice = replace(night.profile, lists=True, list_lag_s=0.001), HOME

    assert (await night.run((job(0),))).counts == {State.STORED: 1}
    assert len(night.gateway.of("submit")) == submits


async def test_a_run_that_buys_nothing_says_that_one_that_may_settles_by_key(night: Night) -> None:
    await leave_uncertain(night, job(0))
    await leave_in_flight(night, job(1))
    night.gateway.honours_keys, night.profile = True, replace(night.profile, honours_keys=True)
    night.choice = HOME
    told = f"; a run that may buy settles what is young enough by its key; else vidbatch resolve {night.folder}"

    assert (await night.run((job(0), job(1)))).counts == {State.STORED: 1, State.UNCERTAIN: 1}
    assert night.urgent[-1].endswith(told)


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
