"""A wall clock that is wrong, and one that jumps: it orders work, and never discards it (T9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.lifecycle import State
from pipeline.limits import LimitsWish
from pipeline.model import Job, Link
from tests.runner.hours import HOUR_S, Hours
from tests.simulation.clock import BEGINNING
from tests.simulation.provider import House
from tests.simulation.weather import CLEAR, Mishap, Weather

DAY_S = 24 * HOUR_S
TO_1970_S = -BEGINNING.timestamp()
JUMP_S = 150.0
"""When it jumps: some videos are being rendered, some fetched, some not yet asked for."""


def from_the_start(ahead_s: float) -> Callable[[float], float]:
    return lambda now_s: ahead_s  # noqa: ARG005


def jumping(ahead_s: float) -> Callable[[float], float]:
    return lambda now_s: ahead_s if now_s >= JUMP_S else 0.0


def swinging(ahead_s: float) -> Callable[[float], float]:
    """Forwards and backwards, every half minute."""
    return lambda now_s: ahead_s if now_s % 60.0 < 30.0 else -ahead_s


CLOCKS = pytest.mark.parametrize(
    "clock",
    [
        *[pytest.param(from_the_start(s), id=f"always {s / 3600:+.0f} h") for s in (DAY_S, -DAY_S, TO_1970_S)],
        *[
            pytest.param(jumping(s), id=f"jumps {s / 3600:+.0f} h")
            for s in (HOUR_S, -HOUR_S, DAY_S, -DAY_S, TO_1970_S, 3650 * DAY_S)
        ],
        pytest.param(swinging(DAY_S), id="swings"),
    ],
)

WORST = pytest.mark.parametrize(
    "clock", [jumping(DAY_S), jumping(TO_1970_S), swinging(DAY_S)], ids=["jumps a day", "jumps to 1970", "swings"]
)


@pytest.fixture(scope="module")
def requests_max(tmp_path_factory: pytest.TempPathFactory) -> float:
    """What a run with a sound clock sends, and a little."""
    night = Hours(folder=tmp_path_factory.mktemp("sound")).live()
    assert night.outcome.counts == {State.STORED: 20}
    return 1.25 * len(night.wire.log)


@CLOCKS
def test_no_job_is_discarded_and_no_storm_breaks_loose(
    tmp_path: Path, clock: Callable[[float], float], requests_max: float
) -> None:
    night = Hours(folder=tmp_path, ahead_s=clock).live()

    assert night.outcome.counts == {State.STORED: 20}
    assert night.sold == 20
    assert len(night.wire.log) <= requests_max
    assert night.times.true_s < HOUR_S


@WORST
def test_an_outage_is_sat_out_whatever_the_clock_says(tmp_path: Path, clock: Callable[[float], float]) -> None:
    down = Weather(odds={Mishap.REFUSED: 1.0})
    night = Hours(
        folder=tmp_path,
        house=House(keeps_s=40 * HOUR_S),
        ahead_s=clock,
        weather=lambda now_s: down if 100.0 <= now_s < HOUR_S else CLEAR,
    ).live()

    assert night.outcome.counts == {State.STORED: 20}
    assert len(night.requests("watch", from_s=100.0, until_s=HOUR_S)) <= 100
    assert night.times.true_s < 3 * HOUR_S


@WORST
def test_what_an_earlier_run_bought_is_brought_home_by_one_whose_clock_is_wrong(
    tmp_path: Path, clock: Callable[[float], float]
) -> None:
    house = House(renders_s=600.0, keeps_s=40 * HOUR_S)
    first = Hours(folder=tmp_path, house=house, interrupted_s=200.0).live()
    assert first.outcome.counts[State.IN_FLIGHT] == 8

    later = first.another(ahead_s=clock).live()

    assert later.outcome.counts == {State.STORED: 20}
    assert later.sold == 20


def test_a_machine_that_sleeps_for_hours_goes_on_where_it_was(tmp_path: Path) -> None:
    night = Hours(folder=tmp_path, house=House(keeps_s=40 * HOUR_S), sleep=(JUMP_S, 3 * HOUR_S)).live()

    assert night.outcome.counts == {State.STORED: 20}
    assert len(night.wire.log) < 300


def chain(wanted: tuple[Job, ...]) -> tuple[Job, ...]:
    """Each is made from the one before it."""
    first, *others = wanted
    return first, *(
        replace(one, source=before.key, link=Link.REMIX) for before, one in zip(wanted, others, strict=False)
    )


def star(wanted: tuple[Job, ...]) -> tuple[Job, ...]:
    """All are made from the first."""
    first, *others = wanted
    return first, *(replace(one, source=first.key, link=Link.REMIX) for one in others)


@pytest.mark.parametrize(
    "clock",
    [from_the_start(7300.0), jumping(DAY_S), swinging(DAY_S)],
    ids=["provider two hours slow", "jumps a day", "swings"],
)
def test_no_clock_breaks_a_chain_of_what_this_run_makes(tmp_path: Path, clock: Callable[[float], float]) -> None:
    house = House(keeps_s=HOUR_S, says_expiry=True)
    night = Hours(folder=tmp_path, count=4, linked=chain, house=house, ahead_s=clock).live()

    assert night.outcome.counts == {State.STORED: 4}


@pytest.mark.parametrize("clock", [from_the_start(0.0), swinging(DAY_S)], ids=["sound", "swings"])
def test_what_comes_too_late_for_its_source_is_blocked_and_not_asked_for(
    tmp_path: Path, clock: Callable[[float], float]
) -> None:
    night = Hours(
        folder=tmp_path,
        count=6,
        linked=star,
        house=House(keeps_s=HOUR_S, renders_s=1500.0, says_expiry=False),
        ahead_s=clock,
        limits=LimitsWish(in_flight=1),
    ).live()

    counts = night.outcome.counts
    assert set(counts) == {State.STORED, State.BLOCKED}
    assert night.sold == counts[State.STORED] == len(night.requests("submit"))
