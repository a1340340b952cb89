"""All charts of a run, those that have something to show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from pipeline.ledger.course import Course, Passage
from pipeline.ledger.replay import RunState
from pipeline.memory import garbage_left_alone
from pipeline.views.charts.chart import Chart
from pipeline.views.charts.lanes import lanes
from pipeline.views.charts.pace import pace, spending
from pipeline.views.charts.renders import render_times, renders
from pipeline.views.charts.timeline import timeline
from pipeline.views.charts.troubles import kinds_of, troubles
from pipeline.views.rows import Row

LINES_MAX: Final = 200
"""More jobs than this are counted in the timeline, and not drawn one by one."""
ATTEMPTS_MAX: Final = 600
"""And more attempts than this."""


def charts_of(state: RunState, rows: Sequence[Row], course: Course, *, budget: Decimal | None = None) -> list[Chart]:
    """The charts of the jobs in *rows*, which are all or some of those in *state*; *course* is the run's.

    *budget* is the one that the run was last given, in its currency. Where nothing was sent there is nothing to show.
    """
    chosen = {row.key: row for row in rows}
    with garbage_left_alone():
        return list(_charts(state, chosen, course, budget))


def _charts(state: RunState, rows: Mapping[str, Row], course: Course, budget: Decimal | None) -> Iterator[Chart]:
    passages = [passage for passage in course.passages if passage.job in rows]
    if not passages:
        return
    busy = [(began.timestamp(), ended.timestamp()) for began, ended in course.busy]
    yield _timeline(passages, rows, busy)
    if panels := render_times(passages, rows):
        yield renders(panels)
    currency = state.header.currency if state.header else ""
    spent = spending((state.jobs[key] for key in rows), currency, budget)
    yield pace([passage.stored_at for passage in passages if passage.stored_at], spent, busy)
    if kinds := kinds_of(course.troubles, rows):
        yield troubles(kinds)


def _timeline(passages: Sequence[Passage], rows: Mapping[str, Row], busy: Sequence[tuple[float, float]]) -> Chart:
    jobs = {passage.job: rows[passage.job].id for passage in passages}
    if len(jobs) > LINES_MAX or len(passages) > ATTEMPTS_MAX:
        return lanes(passages, busy)
    return timeline(passages, jobs, busy)
