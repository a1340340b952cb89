"""Before anything is sent: what could not end well is refused, and what a crash left open is settled."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.ledger.ledger import Ledger, read_run
from pipeline.lifecycle import Fact, State
from pipeline.model import Limits, LimitsWish, Manifest, ModelOffer, Profile, ProviderChoice, SourceFile
from pipeline.plan import Action
from pipeline.prepare import Choice, check, concerned, count_states, has_work, outlook_on, prepare, write_metadata
from pipeline.progress import Event, Notice
from pipeline.storage import RunFolder
from tests.ledger.histories import LIVES, ORIGIN, a_job, key, live, opened, planned

PRICES = {"*": Decimal("0.10")}
PROFILE = Profile(
    name="sandbox",
    title="Sandbox",
    base_url=ORIGIN,
    models={"sora-2": ModelOffer(price_per_second=PRICES), "free": ModelOffer()},
    limits=Limits(in_flight=8, budget=None),
)
STORED = LIVES[0]


def manifest(
    *numbers: int, profile: Profile = PROFILE, limits: LimitsWish | None = None, model: str = "sora-2"
) -> Manifest:
    return Manifest(
        name="harbour",
        provider=ProviderChoice(),
        profile=profile,
        limits=limits or LimitsWish(),
        jobs=tuple(replace(a_job(number), model=model) for number in numbers),
        files=(SourceFile(name="m.yaml", sha256="c" * 64, content=b"jobs: []\n"),),
    )


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "harbour")


@pytest.fixture
def ledger(folder: RunFolder) -> Iterator[Ledger]:
    with opened(folder.ledger) as ledger:
        yield ledger


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


@pytest.mark.parametrize(
    ("limits", "model", "words"),
    [
        (LimitsWish(), "free", ""),
        (LimitsWish(budget=Decimal(1)), "sora-2", ""),
        (LimitsWish(budget=Decimal(1)), "free", "price of free is not known"),
    ],
)
def test_a_budget_needs_a_price(folder: RunFolder, ledger: Ledger, limits: LimitsWish, model: str, words: str) -> None:
    outlook = outlook_on(manifest(1, limits=limits, model=model), Choice(), folder, ledger.state)
    if not words:
        check(outlook, ledger.state, ORIGIN)
        return
    with pytest.raises(UsageError, match=words):
        check(outlook, ledger.state, ORIGIN)


def test_a_budget_is_not_pretended_where_earlier_prices_are_not_known(folder: RunFolder, ledger: Ledger) -> None:
    ledger.plan(a_job(7), price=None)
    live(ledger, 7, Fact.INTENT, Fact.ACCEPTED)
    outlook = outlook_on(manifest(1, limits=LimitsWish(budget=Decimal(9))), Choice(), folder, ledger.state)
    with pytest.raises(UsageError, match="1 earlier submits of this run have no known price"):
        check(outlook, ledger.state, ORIGIN)


def test_a_glob_that_matches_nothing_is_a_mistake_and_no_success(folder: RunFolder, ledger: Ledger) -> None:
    outlook = outlook_on(manifest(1), Choice(only="zzz*"), folder, ledger.state)
    with pytest.raises(UsageError, match="matches no job"):
        check(outlook, ledger.state, ORIGIN)


def test_an_address_that_was_shut_down_is_refused_and_another_is_not(folder: RunFolder, ledger: Ledger) -> None:
    retired = replace(PROFILE, retired="2026-09-24")
    outlook = outlook_on(manifest(1, profile=retired), Choice(), folder, ledger.state)

    with pytest.raises(UsageError, match="shut down on 2026-09-24"):
        check(outlook, ledger.state, ORIGIN)
    check(outlook, ledger.state, "https://gate.example/v1")


def test_a_run_belongs_to_its_provider(folder: RunFolder, ledger: Ledger) -> None:
    outlook = outlook_on(manifest(1, profile=replace(PROFILE, name="other")), Choice(), folder, ledger.state)
    with pytest.raises(UsageError, match="belongs to the provider sandbox"):
        check(outlook, ledger.state, ORIGIN)


@pytest.mark.parametrize(
    ("life", "refused"),
    [
        ((), False),
        ((Fact.INTENT, Fact.UNCERTAIN), False),
        ((Fact.INTENT, Fact.ACCEPTED), True),
        ((Fact.INTENT, Fact.ACCEPTED, Fact.STALLED), True),
        ((Fact.INTENT, Fact.ACCEPTED, Fact.FINISHED), True),
        ((Fact.INTENT, Fact.ACCEPTED, Fact.FAILED), False),
        (STORED, True),  # and its file is not here any more
    ],
)
def test_ids_are_never_asked_for_at_another_address(
    folder: RunFolder, ledger: Ledger, life: tuple[Fact, ...], refused: bool
) -> None:
    planned(ledger, 1)
    live(ledger, 1, *life)
    outlook = outlook_on(manifest(1), Choice(), folder, ledger.state)

    check(outlook, ledger.state, ORIGIN)
    if not refused:
        check(outlook, ledger.state, "https://gate.example/v1")
        return
    with pytest.raises(UsageError, match=f"still at {ORIGIN}"):
        check(outlook, ledger.state, "https://gate.example/v1")


def test_another_address_is_fine_once_everything_is_here(folder: RunFolder, ledger: Ledger) -> None:
    planned(ledger, 1)
    live(ledger, 1, *STORED)
    stored = folder.video("coast/fox.mp4")
    stored.parent.mkdir(parents=True)
    stored.write_bytes(bytes(4096))
    check(outlook_on(manifest(1), Choice(), folder, ledger.state), ledger.state, "https://gate.example/v1")


def test_a_file_that_vanishes_while_we_start_is_not_asked_for_elsewhere(folder: RunFolder, ledger: Ledger) -> None:
    planned(ledger, 1)
    live(ledger, 1, *STORED)
    prepare(ledger, manifest(1), Choice(), folder, origin="https://gate.example/v1")
    assert ledger.state.jobs[key(1)].state is State.STORED


@pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")
@pytest.mark.parametrize("life", [(), (Fact.INTENT, Fact.ACCEPTED)], ids=["to be bought", "bought"])
def test_a_folder_that_leads_out_of_the_run_is_refused(
    folder: RunFolder, ledger: Ledger, life: tuple[Fact, ...]
) -> None:
    planned(ledger, 1)
    live(ledger, 1, *life)
    outlook = outlook_on(manifest(1), Choice(), folder, ledger.state)
    check(outlook, ledger.state, ORIGIN)
    folder.videos.mkdir()
    (folder.videos / "coast").symlink_to(folder.path.parent)

    with pytest.raises(UsageError, match="coast is a link that leads out of the run folder"):
        check(outlook, ledger.state, ORIGIN)


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
