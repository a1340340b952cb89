"""Axes: round numbers and round times, few enough to be read, and nights side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.views.charts.scale import scale, ticks
from pipeline.views.charts.times import SHORTEST_S, STEPS_S, TICKS_MAX, time_scale

H = 3600.0
EVENING = datetime(2026, 11, 22, 19, 0, tzinfo=UTC).timestamp()
EVER = st.floats(0, 4e9)


@pytest.mark.parametrize(
    ("upto", "whole", "expected"),
    [
        (1, False, (0, 0.5, 1)),
        (0.034, False, (0, 0.01, 0.02, 0.03, 0.04)),
        (7, True, (0, 2, 4, 6, 8)),
        (1, True, (0, 1, 2)),
        (0, True, (0, 1, 2)),
        (0, False, (0, 0.5, 1)),
        (40, True, (0, 10, 20, 30, 40)),
        (100_000, True, (0, 50_000, 100_000)),
    ],
)
def test_an_axis_of_numbers_is_marked_at_round_ones(upto: float, whole: bool, expected: Sequence[float]) -> None:
    assert ticks(upto, ticks_max=5, whole=whole) == expected


@settings(max_examples=60)
@given(st.floats(1e-9, 1e15), st.integers(4, 12), st.booleans())
@example(0.7, 8, False)
@example(0.30000000000000004, 4, False)
def test_an_axis_has_three_marks_or_more_and_never_too_many(upto: float, ticks_max: int, whole: bool) -> None:
    marks = ticks(upto, ticks_max=ticks_max, whole=whole)

    step = marks[1]
    assert 3 <= len(marks) <= ticks_max
    assert marks[0] == 0
    assert marks[-2] < max(upto, 2 if whole else 0) * (1 + 1e-6)
    assert upto <= marks[-1] * (1 + 1e-6)
    assert all(later - earlier == pytest.approx(step) for earlier, later in pairwise(marks))
    assert f"{step:e}"[0] in "125"
    assert set(f"{step:.6e}"[1:8]) <= {".", "0"}
    assert not whole or step == int(step)


@pytest.mark.parametrize(
    ("upto", "words"),
    [
        (0.1, ["0", "0.05", "0.10"]),
        (1.4, ["0", "0.5", "1.0", "1.5"]),
        (40, ["0", "20", "40"]),
        (9_000, ["0", "5,000", "10,000"]),
        (400_000, ["0", "200k", "400k"]),
        (2e9, ["0", "1000M", "2000M"]),
    ],
)
def test_figures_beside_an_axis_are_short_and_all_alike(upto: float, words: list[str]) -> None:
    upward = scale(upto, 100, 0)

    assert [upward.words(tick) for tick in upward.ticks] == words


def test_what_is_more_is_further_along() -> None:
    upward = scale(7, 100, 0)

    assert upward(0) == 100
    assert upward(upward.high) == 0
    assert upward(3) > upward(4)


@pytest.mark.parametrize(
    ("busy", "words"),
    [
        ([(0, 0)], ["19:00", ":01", ":02", ":03"]),
        ([(0, 50)], ["19:00", ":10", ":20", ":30", ":40", ":50"]),
        ([(12, 40)], ["19:00:15", ":20", ":25", ":30", ":35", ":40"]),
        ([(0, 10), (H, H + 10)], ["19:00", "20:00"]),
        ([(0, 100)], ["19:00", ":15", ":30", ":45", "19:01", ":15", ":30"]),
        ([(0, 7 * H)], ["19:00", "20:00", "21:00", "22:00", "23:00", "00:00", "01:00", "02:00"]),
        ([(0, 5 * H), (23 * H, 29 * H)], ["19:00", "22:00", "18:00", "20:00", "22:00", "00:00"]),
        ([(0, 60 * H)], ["00:00", "12:00", "00:00", "12:00", "00:00"]),
        ([(0, 190 * H)], ["23 Nov", "24 Nov", "25 Nov", "26 Nov", "27 Nov", "28 Nov", "29 Nov", "30 Nov"]),
    ],
)
def test_an_axis_of_times_is_marked_at_round_ones(busy: list[tuple[float, float]], words: list[str]) -> None:
    times = time_scale([(EVENING + since, EVENING + until) for since, until in busy], 46, 382)

    assert [tick.words for tick in times.ticks] == words


def test_the_day_is_said_where_it_is_another() -> None:
    times = time_scale([(EVENING, EVENING + 7 * H)], 46, 382)

    assert [(tick.words, tick.date) for tick in times.ticks if tick.date] == [("19:00", "22 Nov"), ("00:00", "23 Nov")]


def test_steps_of_time_are_close_enough_for_three_marks() -> None:
    assert all(later <= 2.5 * earlier for earlier, later in pairwise(STEPS_S))


@settings(max_examples=60)
@given(EVER, st.floats(0, 5e8))
def test_a_time_without_a_break_has_three_marks_or_more_and_never_too_many(began_s: float, length_s: float) -> None:
    times = time_scale([(began_s, began_s + length_s)], 46, 382)

    assert 3 <= len(times.ticks) <= TICKS_MAX
    _is_sound(times.ticks, began_s, began_s + max(length_s, SHORTEST_S))
    assert len({round(later.at_s - earlier.at_s) for earlier, later in pairwise(times.ticks)}) == 1


@settings(max_examples=30)
@given(EVER, st.lists(st.tuples(st.floats(0, 1e6), st.floats(1801, 1e7)), min_size=2, max_size=45))
def test_any_number_of_nights_fits(began_s: float, nights: list[tuple[float, float]]) -> None:
    busy = []
    for length_s, pause_s in nights:
        busy.append((began_s, began_s + length_s))
        began_s += length_s + pause_s

    times = time_scale(busy, 46, 382)

    _is_sound(times.ticks, busy[0][0], max(busy[-1][1], busy[-1][0] + SHORTEST_S))
    assert len(times.gaps) == len(nights) - 1
    moments = [at_s for night in busy for at_s in night]
    places = [times(at_s) for at_s in moments]
    assert places == sorted(places)
    assert places[0] == pytest.approx(46)
    assert 46 <= min(places) <= max(places) <= 382 + 1e-6
    assert all(before.end < after.start for before, after in times.gaps)
    assert times(moments[0] - 5) == places[0]
    assert times(moments[-1] + 1e6) == pytest.approx(382)


def _is_sound(ticks: Sequence[object], began_s: float, ended_s: float) -> None:
    places = [tick.place for tick in ticks]  # type: ignore[attr-defined]
    assert all(began_s - 1 <= tick.at_s <= ended_s + 1 for tick in ticks)  # type: ignore[attr-defined]
    assert all(46 - 1e-6 <= place <= 382 + 1e-6 for place in places)
    assert all(later - earlier >= 35 for earlier, later in pairwise(places)), "labels would meet"


def test_a_pause_is_drawn_short_and_the_nights_keep_their_proportions() -> None:
    times = time_scale([(EVENING, EVENING + 6 * H), (EVENING + 24 * H, EVENING + 26 * H)], 46, 382)

    first, second = times.stretches
    assert (first.end - first.start) / (second.end - second.start) == pytest.approx(3)
    assert 5 < second.start - first.end < 20
    assert first.end < times(EVENING + 12 * H) < second.start
