"""When to do things: numbers in, numbers out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.pacing import RETRY_AFTER_S_MAX, Rate, RenderTimes, backoff_s, next_look_s, retry_after_s
from pipeline.profile import Pace

NOW = datetime(2026, 11, 22, 20, 0, 0, tzinfo=UTC)

spreads = st.floats(0.0, 1.0, exclude_max=True)
ages = st.floats(0.0, 1e6)
render_times = st.lists(st.floats(0.1, 1e5), max_size=24)
paces = st.builds(
    lambda first_s, interval_s, more_s: Pace(
        first_s=first_s, interval_s=interval_s, interval_s_max=interval_s + more_s
    ),
    st.floats(0.1, 600.0),
    st.floats(0.1, 60.0),
    st.floats(0.0, 600.0),
)


@pytest.mark.parametrize(
    ("failures", "spread", "wait_s"),
    [(1, 0.0, 0.5), (1, 0.9999, 2.0), (2, 0.9999, 4.0), (3, 0.0, 2.0), (9, 0.9999, 300.0), (10**9, 0.9999, 300.0)],
)
def test_backoff_doubles_up_to_its_cap(failures: int, spread: float, wait_s: float) -> None:
    assert backoff_s(failures, base_s=2.0, cap_s=300.0, spread=spread) == pytest.approx(wait_s, rel=1e-3)


@given(st.integers(-5, 10**6), st.floats(0.001, 60.0), st.floats(0.001, 3600.0), spreads)
def test_backoff_is_positive_under_its_cap_and_never_shrinks(
    failures: int, base_s: float, cap_s: float, spread: float
) -> None:
    wait_s = backoff_s(failures, base_s=base_s, cap_s=cap_s, spread=spread)

    assert 0.0 < wait_s <= cap_s
    assert wait_s <= backoff_s(failures + 1, base_s=base_s, cap_s=cap_s, spread=spread)


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("3600", 3600.0),
        ("3601", None),  # longer than that ends the night
        ("-1", None),
        ("9" * 5000, None),
        ("1e2", None),
        ("²", None),
        ("", None),
        (".", None),
        ("soon", None),
        ("Sun, 22 Nov 2026 20:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 21:00:30 +0100", 30.0),
        ("Sun, 22 Nov 2026 20:00:30 -0000", 30.0),
        ("Sun, 22 Nov 2026 19:59:59 GMT", None),  # gone by
        ("Sun, 22 Nov 2036 20:00:30 GMT", None),
        ("Sun, 99 Nov 2026 20:00:30 GMT", None),
        ("Sun, 22 Nov 99999999999999999999 20:00:30 GMT", None),
        ("Sun, 22 Nov 2026 20:00:30 +99999999999999999999", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str, wait_s: float | None) -> None:
    assert retry_after_s(header, now=NOW) == wait_s


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ Nov \d+ \d+:\d+:\d+ [+-]?\w+"))
@example("Sun, 22 Nov 2026 20:00:30 +9999")
def test_any_retry_after_is_a_sane_wait_or_none(header: str) -> None:
    wait_s = retry_after_s(header, now=NOW)

    assert wait_s is None or 0.0 <= wait_s <= RETRY_AFTER_S_MAX


@given(st.integers(0, 3600))
def test_a_date_and_its_distance_are_the_same_wish(wait_s: int) -> None:
    assert retry_after_s(format_datetime(NOW + timedelta(seconds=wait_s), usegmt=True), now=NOW) == wait_s


@given(st.floats(0.1, 6000.0), st.lists(st.floats(0.0, 100.0), min_size=1, max_size=30))
def test_places_are_never_closer_than_the_rate(per_minute: float, gaps: list[float]) -> None:
    rate, now_s, places = Rate(per_minute), 0.0, []
    for gap_s in gaps:
        now_s += gap_s
        wait_s = rate.take(now_s)
        assert wait_s >= 0.0
        places.append(now_s + wait_s)

    for earlier, later in pairwise(places):
        assert later - earlier >= 60.0 / per_minute - 1e-6


def test_the_first_place_is_now_and_an_idle_hour_saves_up_nothing() -> None:
    rate = Rate(60.0)
    assert rate.take(100.0) == 0.0
    assert rate.take(100.0) == 1.0
    assert rate.take(3700.0) == 0.0
    assert rate.take(3700.0) == 1.0


def learned(seconds: list[float]) -> RenderTimes:
    renders = RenderTimes()
    for one in seconds:
        renders.add(one)
    return renders


def test_a_few_renders_teach_nothing_yet() -> None:
    renders = learned([10.0] * (RenderTimes.ENOUGH - 1))
    assert (renders.typical_s(99.0), renders.next_end_s(0.0)) == (99.0, None)

    renders.add(10.0)
    assert (renders.typical_s(99.0), renders.next_end_s(0.0)) == (10.0, 10.0)


def test_only_the_latest_renders_count() -> None:
    renders = learned([1000.0] * RenderTimes.WINDOW + [10.0] * RenderTimes.WINDOW)
    assert renders.typical_s(0.0) == 10.0
    assert renders.next_end_s(10.0) is None


@given(render_times, ages)
def test_the_next_end_lies_ahead(seconds: list[float], age_s: float) -> None:
    end_s = learned(seconds).next_end_s(age_s)

    assert end_s is None or end_s > age_s


@given(paces, render_times, ages, spreads)
def test_a_later_look_waits_between_the_profiles_shortest_and_longest(
    pace: Pace, seconds: list[float], age_s: float, spread: float
) -> None:
    wait_s = next_look_s(max(age_s, 0.001), pace=pace, renders=learned(seconds), spread=spread)

    assert pace.interval_s * 0.9 <= wait_s <= pace.interval_s_max * 1.1


@given(paces, render_times, spreads)
def test_the_first_look_is_never_sooner_than_the_shortest_wait(pace: Pace, seconds: list[float], spread: float) -> None:
    assert next_look_s(0.0, pace=pace, renders=learned(seconds), spread=spread) >= pace.interval_s * 0.9


@given(paces, ages, ages, spreads)
def test_past_what_was_learned_looks_grow_ever_rarer(pace: Pace, one: float, other: float, spread: float) -> None:
    younger, older = sorted((max(one, 0.001), max(other, 0.001)))
    nothing = RenderTimes()

    waits = [next_look_s(age_s, pace=pace, renders=nothing, spread=spread) for age_s in (younger, older)]

    assert waits[0] <= waits[1]


@given(paces, render_times, spreads)
def test_no_lesson_puts_the_first_look_off_beyond_twice_the_usual(
    pace: Pace, seconds: list[float], spread: float
) -> None:
    latest_s = max(pace.interval_s, pace.first_s, 2.0 * pace.typical_s)

    assert next_look_s(0.0, pace=pace, renders=learned(seconds), spread=spread) <= latest_s * 1.1


def test_the_first_look_waits_for_the_usual_end() -> None:
    pace = Pace(first_s=20.0, interval_s=10.0, interval_s_max=30.0)
    assert next_look_s(0.0, pace=pace, renders=RenderTimes(), spread=0.5) == 20.0
    assert next_look_s(0.0, pace=pace, renders=learned([100.0] * 8), spread=0.5) == 100.0
    assert next_look_s(85.0, pace=pace, renders=learned([100.0] * 8), spread=0.5) == 15.0
