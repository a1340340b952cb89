"""Before anything is sent: what could not end well is refused."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pipeline.admission import check
from pipeline.errors import UsageError
from pipeline.ledger.ledger import Ledger
from pipeline.lifecycle import Fact
from pipeline.limits import LimitsWish
from pipeline.model import EMBEDDED
from pipeline.prepare import Choice, outlook_on
from pipeline.profile import ModelOffer, Profile
from pipeline.storage import RunFolder
from tests.core.harbour import PROFILE, TWICE, manifest
from tests.ledger.histories import LIVES, ORIGIN, RUN, SAID, a_job, key, live, planned

STORED = LIVES[0][:-1]
"""Without what a strict run made of it."""
TODAY = date(2026, 11, 23)
OTHER = "http://127.0.0.1:8081/v1"
MOVING = "http://localhost:4000/v1"


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
        check(outlook, ledger.state, ORIGIN, TODAY)
        return
    with pytest.raises(UsageError, match=words):
        check(outlook, ledger.state, ORIGIN, TODAY)


def test_a_budget_is_not_pretended_where_earlier_prices_are_not_known(folder: RunFolder, ledger: Ledger) -> None:
    ledger.plan(a_job(7), price=None)
    live(ledger, 7, Fact.INTENT, Fact.ACCEPTED)
    outlook = outlook_on(manifest(1, limits=LimitsWish(budget=Decimal(9))), Choice(), folder, ledger.state)
    with pytest.raises(UsageError, match="1 earlier submit of this run"):
        check(outlook, ledger.state, ORIGIN, TODAY)


@pytest.mark.parametrize(("again", "refused"), [(Choice(), False), (TWICE, True)])
def test_leave_to_pay_twice_under_a_budget_needs_every_earlier_price(
    folder: RunFolder, ledger: Ledger, again: Choice, refused: bool
) -> None:
    """Nothing is new, and what is of unknown outcome may be sent again by leave; else it is the gate's to hold."""
    ledger.plan(a_job(7), price=None)
    live(ledger, 7, Fact.INTENT, Fact.ACCEPTED, Fact.FAILED)
    planned(ledger, 1)
    live(ledger, 1, Fact.INTENT, Fact.UNCERTAIN)
    outlook = outlook_on(manifest(1, limits=LimitsWish(budget=Decimal(9))), again, folder, ledger.state)
    if not refused:
        check(outlook, ledger.state, ORIGIN, TODAY)
        return
    with pytest.raises(UsageError, match="the price of 1 earlier submit of this run is not known"):
        check(outlook, ledger.state, ORIGIN, TODAY)


@pytest.mark.parametrize("last", [(), (Fact.UNCERTAIN,)], ids=["cut off by a crash", "uncertain"])
@pytest.mark.parametrize(("model", "price"), [("free", "0.80"), ("sora-2", None)])
def test_leave_to_pay_twice_needs_the_old_price_and_the_new_one(
    folder: RunFolder, ledger: Ledger, last: tuple[Fact, ...], model: str, price: str | None
) -> None:
    job = replace(a_job(1), model=model)
    ledger.plan(job, price=None if price is None else Decimal(price))
    live(ledger, 1, Fact.INTENT, *last)
    with pytest.raises(UsageError, match="needs the price of every submit"):
        check(outlook_on(manifest(1, model=model), TWICE, folder, ledger.state), ledger.state, ORIGIN, TODAY)


def at_no_price(profile: Profile = PROFILE) -> Profile:
    return replace(profile, models={"*": ModelOffer(price_per_second={"*": Decimal(0)})})


@pytest.mark.parametrize(
    ("profile", "life", "refused"),
    [
        (PROFILE, (), False),
        (at_no_price(), (), True),
        (replace(at_no_price(), bills=False), (), False),
        (replace(at_no_price(), bills=False), (Fact.INTENT, Fact.UNCERTAIN), False),
        (PROFILE, (Fact.INTENT, Fact.UNCERTAIN), True),  # it was sent when the price was stated as 0
    ],
)
def test_no_ceiling_is_pretended_where_a_submit_costs_nothing(
    folder: RunFolder, ledger: Ledger, profile: Profile, life: tuple[Fact, ...], refused: bool
) -> None:
    ledger.plan(a_job(1), price=Decimal(0))
    live(ledger, 1, *life)
    check(outlook_on(manifest(1, profile=profile), Choice(), folder, ledger.state), ledger.state, ORIGIN, TODAY)
    outlook = outlook_on(manifest(1, profile=profile), TWICE, folder, ledger.state)
    if not refused:
        check(outlook, ledger.state, ORIGIN, TODAY)
        return
    with pytest.raises(UsageError, match="a price of 0 would have no end"):
        check(outlook, ledger.state, ORIGIN, TODAY)


def test_play_money_elsewhere_is_real_and_its_price_of_0_is_unknown(folder: RunFolder, ledger: Ledger) -> None:
    limits = LimitsWish(budget=Decimal(1))
    wanted = manifest(1, profile=replace(at_no_price(), bills=False), limits=limits)
    here, away = (
        outlook_on(wanted, Choice(), folder, ledger.state, origin=origin)
        for origin in ("http://127.0.0.1:8700/v1", "https://hosted.example/v1")
    )
    assert (here.bills, here.is_dear, here.plan.cost) == (False, False, Decimal(0))
    assert (away.bills, away.is_dear, away.plan.cost) == (True, True, None)
    check(here, ledger.state, "http://127.0.0.1:8700/v1", TODAY)
    with pytest.raises(UsageError, match="price of sora-2 is not known"):
        check(away, ledger.state, "https://hosted.example/v1", TODAY)


def test_amounts_of_two_currencies_are_not_added_up(folder: RunFolder, ledger: Ledger) -> None:
    other = manifest(1, profile=replace(PROFILE, currency="CNY"))
    planned(ledger, 1)
    check(outlook_on(other, Choice(), folder, ledger.state), ledger.state, ORIGIN, TODAY)
    live(ledger, 1, Fact.INTENT, Fact.ACCEPTED)
    with pytest.raises(UsageError, match="spent is in USD, and sandbox now counts in CNY"):
        check(outlook_on(other, Choice(), folder, ledger.state), ledger.state, ORIGIN, TODAY)


def test_a_glob_that_matches_nothing_is_a_mistake_and_no_success(folder: RunFolder, ledger: Ledger) -> None:
    outlook = outlook_on(manifest(1), Choice(only="zzz*"), folder, ledger.state)
    with pytest.raises(UsageError, match="matches no job"):
        check(outlook, ledger.state, ORIGIN, TODAY)


@pytest.mark.parametrize("choice", [Choice(only="job-1"), Choice(limit=1)])
def test_a_job_that_is_only_not_bought_was_matched(folder: RunFolder, ledger: Ledger, choice: Choice) -> None:
    outlook = outlook_on(manifest(1, 2), replace(choice, buys=False), folder, ledger.state)
    assert not outlook.plan.steps
    check(outlook, ledger.state, ORIGIN, TODAY)


@pytest.mark.parametrize(
    ("own", "origin", "today", "words"),
    [
        (ORIGIN, ORIGIN, TODAY, f"at {ORIGIN} was shut down on 2026-09-24"),
        (ORIGIN, ORIGIN, date(2026, 9, 24), "was shut down on 2026-09-24"),
        (ORIGIN, ORIGIN, date(2026, 9, 23), ""),
        (ORIGIN, "https://gate.example/v1", TODAY, ""),
        ("", "https://gate.example/v1", TODAY, ""),
    ],
)
def test_an_address_that_was_shut_down_is_refused_from_its_day_on_and_another_is_not(
    folder: RunFolder, ledger: Ledger, own: str, origin: str, *, today: date, words: str
) -> None:
    retired = replace(PROFILE, retired="2026-09-24", base_url=own)
    outlook = outlook_on(manifest(1, profile=retired), Choice(), folder, ledger.state)

    if not words:
        check(outlook, ledger.state, origin, today)
        return
    with pytest.raises(UsageError, match=words):
        check(outlook, ledger.state, origin, today)


def test_a_run_belongs_to_its_provider(folder: RunFolder, ledger: Ledger) -> None:
    outlook = outlook_on(manifest(1, profile=replace(PROFILE, name="other")), Choice(), folder, ledger.state)
    with pytest.raises(UsageError, match="belongs to the provider sandbox"):
        check(outlook, ledger.state, ORIGIN, TODAY)


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

    check(outlook, ledger.state, ORIGIN, TODAY)
    if not refused:
        check(outlook, ledger.state, OTHER, TODAY)
        return
    with pytest.raises(UsageError, match=f"still at {ORIGIN}"):
        check(outlook, ledger.state, OTHER, TODAY)


def test_another_address_is_fine_once_everything_is_here(folder: RunFolder, ledger: Ledger) -> None:
    planned(ledger, 1)
    live(ledger, 1, *STORED)
    stored = folder.video("coast/fox.mp4")
    stored.parent.mkdir(parents=True)
    stored.write_bytes(bytes(4096))
    check(outlook_on(manifest(1), Choice(), folder, ledger.state), ledger.state, OTHER, TODAY)


GATE = "https://gate.example/v1"


@pytest.mark.parametrize(
    ("lives", "origin", "words"),
    [
        ([("http://[::1]:8700/v1", Fact.FAILED)], GATE, "over, remove"),
        ([(EMBEDDED, Fact.UNCERTAIN)], GATE, "over, remove"),
        ([(GATE, Fact.FAILED)], ORIGIN, "name another --outputs"),
        ([(GATE, Fact.UNCERTAIN)], ORIGIN, "name another --outputs"),
        ([(ORIGIN, Fact.FAILED)], MOVING, "over, remove"),  # the profile's own, on this machine: no rehearsal
        ([(MOVING, Fact.FAILED)], "https://moved.example/v1", ""),
        ([(ORIGIN, Fact.NOT_CREATED)], GATE, ""),  # nothing was bought
        ([(EMBEDDED, Fact.FAILED)], ORIGIN, ""),
        ([(GATE, Fact.FAILED)], "https://other.example/v1", ""),
        ([(ORIGIN, Fact.FAILED), (GATE, Fact.FAILED)], GATE, ""),  # mixed already: what is paid for comes home
    ],
)
def test_what_was_bought_on_this_machine_shares_no_folder_with_what_was_bought_elsewhere(
    folder: RunFolder, ledger: Ledger, lives: list[tuple[str, Fact]], origin: str, words: str
) -> None:
    for number, (there, last) in enumerate(lives, start=1):
        ledger.header(run=RUN, provider="sandbox", origin=there, currency="USD", name="harbour")
        planned(ledger, number)
        live(ledger, number, Fact.INTENT)
        if last is Fact.FAILED:
            ledger.record(Fact.ACCEPTED, key(number), **{**SAID[Fact.ACCEPTED], "origin": there})
        live(ledger, number, *([Fact.UNCERTAIN] if last is Fact.NOT_CREATED else []), last)
    profile = replace(PROFILE, base_url=MOVING)
    outlook = outlook_on(manifest(1, profile=profile), Choice(), folder, ledger.state)

    if not words:
        check(outlook, ledger.state, origin, TODAY)
        return
    moved = outlook_on(manifest(1, profile=profile), Choice(allow_moved=True), folder, ledger.state)
    if (Fact.UNCERTAIN) not in dict(lives).values():
        check(moved, ledger.state, origin, TODAY)
    with pytest.raises(UsageError, match=f"^{re.escape(str(folder.path))} has what was bought at .*{words}") as refused:
        check(outlook, ledger.state, origin, TODAY)
    assert ("remove" in str(refused.value)) == (origin in (GATE, MOVING)), "nobody is told to remove what was paid for"


@pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")
@pytest.mark.parametrize("life", [(), (Fact.INTENT, Fact.ACCEPTED)], ids=["to be bought", "bought"])
def test_a_folder_that_leads_out_of_the_run_is_refused(
    folder: RunFolder, ledger: Ledger, life: tuple[Fact, ...]
) -> None:
    planned(ledger, 1)
    live(ledger, 1, *life)
    outlook = outlook_on(manifest(1), Choice(), folder, ledger.state)
    check(outlook, ledger.state, ORIGIN, TODAY)
    folder.videos.mkdir()
    (folder.videos / "coast").symlink_to(folder.path.parent)

    with pytest.raises(UsageError, match="coast is a link that leads out of the run folder"):
        check(outlook, ledger.state, ORIGIN, TODAY)


@pytest.mark.parametrize("amount", [0, 0.0, "0", Decimal(0)])
def test_an_amount_from_python_may_be_any_number_and_nothing_is_one(amount: Any) -> None:
    limits = LimitsWish(budget=amount, in_flight=0).over(PROFILE.limits)

    assert (limits.budget, limits.in_flight) == (Decimal(0), PROFILE.limits.in_flight)
    assert isinstance(limits.budget, Decimal)
