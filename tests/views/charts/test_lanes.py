"""Many jobs at once: how many were in each lane, column by column, quickly and in little markup."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ledger.course import Course, Passage
from pipeline.ledger.replay import RunState
from pipeline.ledger.state import Attempt
from pipeline.views.charts import charts_of
from pipeline.views.charts.chart import LEFT, RIGHT
from pipeline.views.charts.lanes import at_once, at_once_max, so_far
from pipeline.views.rows import rows_of
from tests.ledger.histories import BEGINNING, ORIGIN, PRICE, key
from tests.views.charts.drawn import is_sound
from tests.views.charts.nights import job, lived, way

PLACES = st.floats(LEFT, RIGHT)
SPANS = st.lists(st.tuples(PLACES, PLACES).map(sorted).map(tuple), max_size=20)


@pytest.mark.parametrize(
    ("spans", "columns"),
    [
        ([], [0, 0, 0]),
        ([(0, 1)], [1, 0, 0]),
        ([(0, 2), (1, 3)], [1, 2, 1]),
        ([(0.5, 1.25)], [0.5, 0.25, 0]),
        ([(0.25, 0.5), (0.25, 0.5)], [0.5, 0, 0]),
        ([(1, 1)], [0, 0, 0]),
    ],
)
def test_a_column_tells_how_many_there_were_in_the_mean(spans: list[tuple[float, float]], columns: list[float]) -> None:
    assert at_once([(LEFT + start, LEFT + end) for start, end in spans])[:3] == pytest.approx(columns)


@settings(max_examples=25)
@given(SPANS)
def test_no_time_is_lost_or_told_twice(spans: list[tuple[float, float]]) -> None:
    columns = at_once(spans)

    assert len(columns) == RIGHT - LEFT
    assert sum(columns) == pytest.approx(sum(end - start for start, end in spans), abs=1e-6)
    assert max(columns) <= at_once_max(spans) + 1e-6


@pytest.mark.parametrize(
    ("spans", "most"),
    [([], 0), ([(0, 2), (2, 4)], 1), ([(0, 3), (2, 4)], 2), ([(0, 9), (1, 2), (3, 4), (3, 5)], 3), ([(1, 1)], 0)],
)
def test_the_most_at_once_are_counted(spans: list[tuple[float, float]], most: int) -> None:
    assert at_once_max(spans) == most


def test_what_was_stored_adds_up() -> None:
    assert so_far([LEFT + 0.5, LEFT + 1, LEFT + 1.9, RIGHT])[:3] == [1, 3, 3]
    assert so_far([LEFT, RIGHT])[-1] == 2


def test_each_lane_has_a_panel_with_its_peak() -> None:
    told = [fact for n in range(300) for fact in way(n, 10.0 * n, 10.0 * n + 2, 10.0 * n + 62, 10.0 * n + 77)]
    state, course = lived(told, (job(f"fox-{n}") for n in range(300)))

    drawn = is_sound(charts_of(state, list(rows_of(state)), course)[0])

    assert "submitting (submit lane), at most 1 at once" in drawn.labels
    assert "rendering (watch lane), at most 6 at once" in drawn.labels
    assert "downloading (collect lane), at most 2 at once" in drawn.labels
    assert "stored, 300 in all" in drawn.labels
    assert all(len(drawn.paths(f"series-{n}")) == 1 for n in range(1, 5))


def test_a_hundred_thousand_attempts_are_drawn_quickly_and_small() -> None:
    state, course = _nights(jobs=5_000, each=20)
    rows = list(rows_of(state))

    began_s = time.process_time()
    charts = charts_of(state, rows, course)
    took_s = time.process_time() - began_s

    assert "stored, 100,000 in all" in is_sound(charts[0]).labels
    assert sum(len(chart.svg) for chart in charts) < 200_000
    assert took_s < 8, "it takes one second on a machine that is not busy"


def _nights(*, jobs: int, each: int) -> tuple[RunState, Course]:
    """A night of so many jobs, all of them bought so often: the same moments again and again."""
    state, course = lived([], (job(f"fox-{n}", size=f"{n % 9 + 1}00x200") for n in range(jobs)))
    for n in range(jobs):
        at = BEGINNING + timedelta(seconds=n * 5)
        accepted_at, finished_at, stored_at = (at + timedelta(seconds=s) for s in (0.4, 60 + n % 37, 99 + n % 11))
        state.jobs[key(n)].attempts += [Attempt(number=1, price=PRICE, submitted_at=at, origin=ORIGIN)] * each
        course.passages.append(
            Passage(
                job=key(n),
                number=1,
                submitted_at=at,
                accepted_at=accepted_at,
                finished_at=finished_at,
                stored_at=stored_at,
            )
        )
    course.passages *= each
    course.busy.append((BEGINNING, BEGINNING + timedelta(seconds=jobs * 5 + 120)))
    return state, course
