"""Nobody answers, for an hour or for a night: what it costs, what is said, and that the run goes on after it."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.lifecycle import State
from pipeline.limits import LimitsWish
from pipeline.policy.verdict import PATIENCE
from pipeline.policy.watch import SLOW_S
from pipeline.progress import Kind
from tests.runner.hours import HOUR_S, LANES, Hours
from tests.simulation.provider import House
from tests.simulation.weather import CLEAR, Mishap, Weather

DOWN_S = 200.0
"""When it begins: videos are being submitted, rendered and fetched."""
SLOW = Weather(odds={}, slow_s=10.0)
REFUSED = Weather(odds={Mishap.REFUSED: 1.0})
SILENT = Weather(odds={Mishap.SUNK: 1.0})
FAULTY = Weather(odds={Mishap.TURNED_BACK: 1.0})
OPENS_S = 900.0
"""Every breaker is open so long after the outage began, even where each try waits for its deadline."""
CROWDED = LimitsWish(in_flight=50, submits_per_minute=12.0, submit_slots=4, downloads=1)
"""With slow downloads, and so many a minute, every lane is at work when the outage begins."""


def outage(weather: Weather, hours: float, calm: Weather = CLEAR) -> Callable[[float], Weather]:
    return lambda now_s: weather if DOWN_S <= now_s < DOWN_S + hours * HOUR_S else calm


@pytest.mark.parametrize(
    ("weather", "lists"),
    [(REFUSED, False), (REFUSED, True), (SILENT, True), (FAULTY, False)],
    ids=["refused", "refused, with a list", "silent, with a list", "faulty"],
)
def test_a_run_sits_an_outage_out_and_brings_everything_home(tmp_path: Path, weather: Weather, lists: bool) -> None:
    night = Hours(folder=tmp_path, house=House(lists=lists), weather=outage(weather, 1.5)).live()

    assert night.outcome.counts == {State.STORED: 20}
    assert night.outcome.stopped == ""
    assert night.sold == 20
    [opened, closed] = night.said("watch")
    assert opened.startswith(f"nobody answers at {night.board.origin}: ")
    assert closed.startswith("somebody answers again, after 1 h")
    assert [notice.kind for _, notice in night.notices if notice.lane == "watch" and notice.urgent] == [
        *(Kind.OUTAGE, Kind.ANSWERED)
    ]


AT_WORK = pytest.mark.parametrize(
    ("house", "at_work"),
    [
        # what is finished waits to be fetched; while that falls behind, nothing is submitted
        (House(renders_s=120.0, keeps_s=40 * HOUR_S), ["watch", "collect"]),
        # nothing is finished yet
        (House(renders_s=1200.0, keeps_s=40 * HOUR_S), ["submit", "watch"]),
    ],
    ids=["fetching", "submitting"],
)


@AT_WORK
def test_a_night_at_a_dead_endpoint_costs_all_lanes_together_a_few_dozen_requests(
    tmp_path: Path, house: House, at_work: list[str]
) -> None:
    night = Hours(folder=tmp_path, count=60, limits=CROWDED, house=house, weather=outage(REFUSED, 24.0, SLOW)).live()

    assert night.outcome.stopped.startswith("nobody has answered for 8 h")
    assert f" at {night.board.origin}: " in night.outcome.stopped
    assert night.times.true_s < DOWN_S + OPENS_S + PATIENCE.outage_s + 2 * PATIENCE.rest.cap_s
    sent = {lane: night.requests(lane, from_s=DOWN_S) for lane in LANES}
    probes = {lane: [at_s for at_s in times if at_s >= DOWN_S + OPENS_S] for lane, times in sent.items()}
    assert sum(len(sent[lane]) - len(probes[lane]) for lane in LANES) <= 100
    assert sum(map(len, sent.values())) <= 200
    assert all(later - sooner >= 60.0 for lane in LANES for sooner, later in pairwise(probes[lane]))
    for lane in at_work:
        assert len(probes[lane]) >= 30
        assert night.said(lane)[0].startswith(f"nobody answers at {night.board.origin}")


@AT_WORK
def test_when_one_lane_is_answered_again_the_other_finds_out_within_minutes(
    tmp_path: Path, house: House, at_work: list[str]
) -> None:
    night = Hours(folder=tmp_path, count=60, limits=CROWDED, house=house, weather=outage(REFUSED, 3.0, SLOW)).live()

    assert night.outcome.counts == {State.STORED: 60}
    assert night.sold == 60
    again = {notice.lane: at_s for at_s, notice in night.notices if notice.message.startswith("somebody answers again")}
    first_s, second_s = sorted(again[lane] for lane in at_work)
    assert first_s <= DOWN_S + 3 * HOUR_S + 1.1 * PATIENCE.rest.cap_s
    assert second_s - first_s <= 180.0


def test_a_list_whose_pages_do_not_come_starts_no_storm_of_looks(tmp_path: Path) -> None:
    limits = LimitsWish(in_flight=120, submits_per_minute=6000.0, submit_slots=8, downloads=8)
    house = House(lists=True, renders_s=600.0, keeps_s=40 * HOUR_S)
    night = Hours(folder=tmp_path, count=120, limits=limits, house=house, weather=outage(FAULTY, 1.0)).live()

    assert night.outcome.counts == {State.STORED: 120}
    assert len(night.requests("watch", from_s=DOWN_S, until_s=DOWN_S + HOUR_S)) <= 40


def test_time_in_which_nobody_answers_does_not_stall_a_video(tmp_path: Path) -> None:
    house = House(renders_s=1800.0, keeps_s=40 * HOUR_S)
    night = Hours(folder=tmp_path, count=8, house=house, weather=outage(REFUSED, 6.0)).live()

    assert night.outcome.counts == {State.STORED: 8}
    assert "stalled" not in (night.folder / "harbour" / "ledger.jsonl").read_text("ascii")


def test_a_stalled_video_is_looked_at_now_and_then_while_there_is_other_work_and_fetched_when_it_ends(
    tmp_path: Path,
) -> None:
    house = House(renders_s=4500.0, keeps_s=40 * HOUR_S)  # most take longer than the hour after which they are stalled
    limits = LimitsWish(in_flight=4, submits_per_minute=20.0, submit_slots=2, downloads=4)
    night = Hours(folder=tmp_path, count=16, house=house, limits=limits).live()

    records = [json.loads(line) for line in (night.folder / "harbour" / "ledger.jsonl").read_text("ascii").splitlines()]
    stalled = [record["job"] for record in records if record["t"] == "stalled"]
    came = {record["job"] for record in records if record["t"] == "stored"} & set(stalled)
    assert came
    assert len(stalled) == len(set(stalled)), "it is written once"
    for key in came:
        video_id = night.outcome.state.jobs[key].video_id
        looks = [at_s for at_s, line, *_ in night.wire.log if line == f"GET /videos/{video_id}"]
        late = [at_s for at_s in looks if at_s > looks[0] + HOUR_S + 60.0]
        assert all(SLOW_S <= later - sooner < SLOW_S + 30.0 for sooner, later in pairwise(late))


def test_at_thirty_percent_of_trouble_the_breakers_stay_closed(tmp_path: Path) -> None:
    trouble = Weather(odds={Mishap.REFUSED: 0.15, Mishap.THROTTLED: 0.15})
    night = Hours(folder=tmp_path, count=60, weather=lambda now_s: trouble if now_s > 30.0 else CLEAR).live()

    assert night.outcome.counts == {State.STORED: 60}
    assert not any("nobody answers" in notice.message for _, notice in night.notices)
    failed = sum(came in ("nothing", "429") for *_, came in night.wire.log)
    assert 0.2 < failed / (len(night.wire.log) - failed) <= 0.6
