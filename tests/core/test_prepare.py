"""Before anything is sent: what is to be done is planned, and what a crash left open is settled."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from pipeline.admission import check
from pipeline.ledger.ledger import Ledger, read_run
from pipeline.lifecycle import Fact, State
from pipeline.limits import Limits, LimitsWish
from pipeline.model import Link
from pipeline.outlook import Doubts
from pipeline.plan import Action
from pipeline.prepare import (
    Choice,
    concerned,
    count_states,
    has_work,
    outlook_on,
    prepare,
    still_waiting,
    write_metadata,
)
from pipeline.profile import Profile
from pipeline.progress import Event, Notice
from pipeline.storage import RunFolder
from tests.core.harbour import PROFILE, TWICE, manifest
from tests.ledger.histories import BEGINNING, LIVES, ORIGIN, a_job, key, live, planned

STORED = LIVES[0][: LIVES[0].index(Fact.STORED) + 1]


def test_the_nearer_word_on_a_limit_wins(folder: RunFolder, ledger: Ledger) -> None:
    wish = LimitsWish(in_flight=3, downloads=2)
    choice = Choice(limits=LimitsWish(in_flight=1, budget=Decimal(5)))

    limits = outlook_on(manifest(1, limits=wish), choice, folder, ledger.state).limits

    assert limits == Limits(in_flight=1, downloads=2, budget=Decimal(5))


def test_a_file_in_a_videos_place_is_seen(folder: RunFolder, ledger: Ledger) -> None:
    stranger = folder.video("coast/job-1.mp4")
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"theirs")

    paths = [step.job.path for step in outlook_on(manifest(1, 2), Choice(), folder, ledger.state).plan.steps]

    assert paths == ["coast/job-1-00000000.mp4", "coast/job-2.mp4"]


UNSURE = (Fact.INTENT, Fact.UNCERTAIN)
SURE_OF_TWICE = (*UNSURE, Fact.RESUBMIT, Fact.INTENT, Fact.ACCEPTED)


@pytest.mark.parametrize(
    ("profile", "ceiling", "doubts"),
    [
        (PROFILE, None, Doubts(count=3, cost=Decimal("2.40"), paid_twice=Decimal("0.80"))),
        (
            replace(PROFILE, lists=True),
            None,
            Doubts(count=3, cost=Decimal("2.40"), asked=3, paid_twice=Decimal("0.80")),
        ),
        (  # 0.80 were paid twice before: there is room for one more
            PROFILE,
            "1.60",
            Doubts(
                count=3,
                cost=Decimal("2.40"),
                again=1,
                again_cost=Decimal("0.80"),
                over_ceiling=1,
                paid_twice=Decimal("0.80"),
            ),
        ),
        (
            replace(PROFILE, honours_keys=True),
            "9",
            Doubts(
                count=3,
                cost=Decimal("2.40"),
                asked=3,
                again=2,
                again_cost=Decimal("1.60"),
                paid_twice=Decimal("0.80"),
            ),
        ),
    ],
)
def test_it_is_counted_beforehand_what_becomes_of_the_uncertain(
    folder: RunFolder, ledger: Ledger, profile: Profile, ceiling: str | None, doubts: Doubts
) -> None:
    planned(ledger, 1, 2, 3, 4)
    live(ledger, 1, *UNSURE)
    live(ledger, 2, Fact.INTENT)  # cut off by a crash
    live(ledger, 3, *UNSURE)  # no longer asked for: never sent again
    live(ledger, 4, *SURE_OF_TWICE)
    choice = replace(TWICE, max_duplicate_cost=Decimal(ceiling)) if ceiling else Choice()
    now = BEGINNING + timedelta(hours=1)
    outlook = outlook_on(manifest(1, 2, 4, profile=profile), choice, folder, ledger.state, origin=ORIGIN, now=now)
    assert outlook.doubts == doubts


KEYS = replace(PROFILE, honours_keys=True)


@pytest.mark.parametrize(
    ("profile", "age_h", "buys", "asked", "action"),
    [
        (KEYS, 1, True, 1, Action.SUBMIT),
        (KEYS, 72, True, 0, Action.WAITS),  # its key is forgotten by now
        (replace(KEYS, lists=True), 72, True, 1, Action.SUBMIT),
        (PROFILE, 1, True, 0, Action.WAITS),
        (KEYS, 1, False, 0, None),
        (replace(KEYS, lists=True), 1, False, 1, None),
    ],
)
def test_what_builds_on_an_uncertain_submit_is_bought_only_while_the_provider_can_be_asked_about_that(
    *, folder: RunFolder, ledger: Ledger, profile: Profile, age_h: int, buys: bool, asked: int, action: Action | None
) -> None:
    remix = replace(a_job(2), source=key(1), link=Link.REMIX)
    planned(ledger, 1)
    live(ledger, 1, *UNSURE)
    wanted = replace(manifest(1, profile=profile), jobs=(a_job(1), remix))
    now = BEGINNING + timedelta(hours=age_h)
    outlook = outlook_on(wanted, Choice(buys=buys), folder, ledger.state, origin=ORIGIN, now=now)
    actions = [step.action for step in outlook.plan.steps]
    assert (outlook.doubts.asked, actions) == (asked, [Action.HELD, action] if action else [])
    assert has_work(outlook, ledger.state, ORIGIN) is bool(asked)


def test_what_waits_for_a_person_asks_no_price_of_a_budget_and_remembers_that_it_is_to_be_tried_again(
    folder: RunFolder, ledger: Ledger
) -> None:
    remix = replace(a_job(2), source=key(1), link=Link.REMIX, model="free")
    planned(ledger, 1)
    live(ledger, 1, *UNSURE)
    ledger.plan(remix, price=Decimal("0.80"))
    live(ledger, 2, Fact.INTENT, Fact.ACCEPTED, Fact.FAILED)
    wanted = replace(manifest(1, limits=LimitsWish(budget=Decimal(9))), jobs=(a_job(1), remix))
    choice = Choice(retry=frozenset({State.FAILED}))
    check(outlook_on(wanted, choice, folder, ledger.state), ledger.state, ORIGIN, date(2026, 11, 23))
    outlook = prepare(ledger, wanted, choice, folder, origin=ORIGIN)
    assert outlook.plan.counts == {Action.HELD: 1, Action.WAITS: 1}
    assert ledger.state.jobs[key(2)].state is State.PENDING
    assert list(still_waiting(outlook, ledger.state, BEGINNING)) == [key(2)]


@pytest.mark.parametrize("choice", [Choice(), Choice(only="job-9"), Choice(limit=1), Choice(buys=False)])
def test_whatever_is_bought_and_not_here_is_counted_where_something_is_to_buy_whoever_asks_for_it(
    folder: RunFolder, ledger: Ledger, choice: Choice
) -> None:
    planned(ledger, 1, 2, 3, 4)
    live(ledger, 1, *STORED)  # and its file is gone
    live(ledger, 2, Fact.INTENT, Fact.ACCEPTED)
    live(ledger, 3, Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED)  # no longer asked for
    live(ledger, 4, *UNSURE)
    wanted = manifest(9, 1, 2, 4)
    assert outlook_on(wanted, choice, folder, ledger.state, origin=ORIGIN).coming == 3
    assert outlook_on(wanted, choice, folder, ledger.state, origin="https://gate.example/v1").coming == 0


@pytest.mark.parametrize(("retry", "again"), [(frozenset(), 0), (frozenset({State.LOST}), 1)])
def test_what_builds_on_a_video_that_is_no_more_is_sent_again_only_where_that_is_made_anew(
    folder: RunFolder, ledger: Ledger, retry: frozenset[State], again: int
) -> None:
    remix = replace(a_job(2), source=key(1), link=Link.REMIX)
    planned(ledger, 1)
    live(ledger, 1, Fact.INTENT, Fact.ACCEPTED, Fact.LOST)
    ledger.plan(remix, price=Decimal("0.80"))
    live(ledger, 2, *UNSURE)
    wanted = replace(manifest(1), jobs=(a_job(1), remix))
    doubts = outlook_on(wanted, replace(TWICE, retry=retry), folder, ledger.state, origin=ORIGIN).doubts
    assert (doubts.count, doubts.again) == (1, again)


def test_what_was_sent_elsewhere_is_neither_asked_about_nor_sent_again(folder: RunFolder, ledger: Ledger) -> None:
    planned(ledger, 1)
    live(ledger, 1, *UNSURE)
    here = manifest(1, profile=replace(PROFILE, lists=True))
    doubts = outlook_on(here, TWICE, folder, ledger.state, origin="https://gate.example/v1").doubts
    assert (doubts.count, doubts.asked, doubts.again) == (1, 0, 0)


def test_a_file_that_vanishes_while_we_start_is_not_asked_for_elsewhere(folder: RunFolder, ledger: Ledger) -> None:
    planned(ledger, 1)
    live(ledger, 1, *STORED)
    prepare(ledger, manifest(1), Choice(), folder, origin="https://gate.example/v1")
    assert ledger.state.jobs[key(1)].state is State.STORED


def test_a_strangers_sidecar_is_not_overwritten_and_our_own_is(folder: RunFolder, ledger: Ledger) -> None:
    planned(ledger, 2)
    live(ledger, 2, Fact.INTENT, Fact.ACCEPTED, Fact.FAILED)
    ours = folder.video(ledger.state.jobs[key(2)].path)
    ours.parent.mkdir(parents=True)
    ours.with_suffix(".json").write_text("{}")
    (folder.videos / "coast" / "job-1.json").write_text("theirs")

    plan = outlook_on(manifest(1, 2), Choice(retry=frozenset({State.FAILED})), folder, ledger.state).plan

    assert [step.job.path for step in plan.steps] == ["coast/job-1-00000000.mp4", "coast/job-2.mp4"]


def test_what_a_crash_left_open_is_uncertain_before_anything_is_planned(folder: RunFolder, ledger: Ledger) -> None:
    planned(ledger, 1)
    live(ledger, 1, Fact.INTENT)

    outlook = prepare(ledger, manifest(1, 2), Choice(), folder, origin=ORIGIN)

    assert [step.action for step in outlook.plan.steps] == [Action.HELD, Action.SUBMIT]
    state = read_run(folder.path)  # durable: read back from disk
    assert state.jobs[key(1)].state is State.UNCERTAIN
    assert state.jobs[key(2)].state is State.PENDING
    assert (folder.path / "manifests" / "cccccccc.yaml").read_bytes() == b"jobs: []\n"


@pytest.mark.parametrize(
    ("content", "state"), [(bytes(4096), State.STORED), (b"short", State.FINISHED), (None, State.FINISHED)]
)
def test_a_stored_file_that_is_gone_or_altered_is_fetched_again(
    folder: RunFolder, ledger: Ledger, content: bytes | None, state: State
) -> None:
    planned(ledger, 1)
    live(ledger, 1, *STORED)
    stored = folder.video("coast/fox.mp4")
    stored.parent.mkdir(parents=True)
    if content is not None:
        stored.write_bytes(content)

    outlook = prepare(ledger, manifest(1), Choice(), folder, origin=ORIGIN)

    assert ledger.state.jobs[key(1)].state is state
    assert has_work(outlook, ledger.state, ORIGIN) is (state is State.FINISHED)


@pytest.mark.parametrize(
    ("retry", "state"), [(set(), State.FAILED), ({State.FAILED}, State.PENDING), ({State.STORED}, State.FAILED)]
)
def test_only_what_retry_names_is_bought_again(
    folder: RunFolder, ledger: Ledger, retry: set[State], state: State
) -> None:
    planned(ledger, 1)
    live(ledger, 1, Fact.INTENT, Fact.ACCEPTED, Fact.FAILED)

    outlook = prepare(ledger, manifest(1), Choice(retry=frozenset(retry)), folder, origin=ORIGIN)

    assert ledger.state.jobs[key(1)].state is state
    assert len(outlook.plan.submits) == int(state is State.PENDING)


def test_preparing_twice_writes_the_plan_once(folder: RunFolder, ledger: Ledger) -> None:
    prepare(ledger, manifest(1, 2), Choice(), folder, origin=ORIGIN)
    lines = folder.ledger.read_bytes().count(b'"plan"')
    prepare(ledger, manifest(1, 2), Choice(), folder, origin=ORIGIN)
    assert folder.ledger.read_bytes().count(b'"plan"') == lines == 2


def test_a_run_is_about_its_jobs_and_whatever_else_was_bought(folder: RunFolder, ledger: Ledger) -> None:
    planned(ledger, *range(1, 6))
    live(ledger, 2, Fact.INTENT, Fact.ACCEPTED)
    live(ledger, 3, *STORED)
    live(ledger, 4, Fact.INTENT, Fact.UNCERTAIN)
    plan = outlook_on(manifest(1, 9), Choice(only="job-1"), folder, ledger.state).plan

    keys = concerned(plan, ledger.state)

    assert keys == (key(1), key(2), key(4))
    assert count_states(ledger.state, keys) == {State.PENDING: 1, State.IN_FLIGHT: 1, State.UNCERTAIN: 1}
    assert has_work(outlook_on(manifest(), Choice(), folder, ledger.state), ledger.state, ORIGIN)


def test_metadata_tells_of_what_is_stored_and_of_nothing_else(folder: RunFolder, ledger: Ledger) -> None:
    planned(ledger, 1, 2)
    write_metadata(folder, ledger.state)
    assert not folder.metadata.exists()

    live(ledger, 1, *STORED)
    write_metadata(folder, ledger.state)
    assert not folder.metadata.exists()  # the ledger says so, and the folder does not have it

    video = folder.video("coast/fox.mp4")
    video.parent.mkdir(parents=True)
    video.write_bytes(bytes(4096))
    write_metadata(folder, ledger.state)
    rows = [json.loads(line) for line in folder.metadata.read_text(encoding="utf-8").splitlines()]
    assert [row["file_name"] for row in rows] == ["coast/fox.mp4"]

    live(ledger, 1, Fact.MISSING)
    write_metadata(folder, ledger.state)
    assert folder.metadata.read_bytes() == b""


def test_metadata_that_cannot_be_written_is_told_and_ends_nothing(folder: RunFolder, ledger: Ledger) -> None:
    planned(ledger, 1)
    live(ledger, 1, *STORED)
    folder.metadata.mkdir(parents=True)
    told: list[Event] = []

    def note(event: Event) -> None:
        told.append(event)

    write_metadata(folder, ledger.state, note)

    (notice,) = told
    assert isinstance(notice, Notice)
    assert notice.urgent
    assert str(folder.metadata) in notice.message
