"""`report/` of a run folder: the gallery, its charts and posters, written so that a reader never sees half of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.errors import UsageError
from pipeline.posters import Posters, Told, is_kept, kept, make_posters
from pipeline.storage import RunFolder

if TYPE_CHECKING:
    from pipeline.ledger.replay import RunState
    from pipeline.views.charts.chart import Chart
    from pipeline.views.gallery.past import Past
    from pipeline.views.rows import Row
    from pipeline.views.where import Condition

PAGE: Final = "index.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was written."""

    path: Path
    """The page."""
    cards: int
    posters: Posters


async def write_report(
    folder: RunFolder,
    conditions: Sequence[Condition] = (),
    *,
    posters_s: float = math.inf,
    told: Told = lambda tried, total: None,  # noqa: ARG005
) -> Report:
    """Write the gallery of the jobs that meet *conditions*, with what posters can be made within *posters_s* seconds.

    From the ledger as it is: a runner may be at work. What the manifest asks for no longer is shown only where it has
    cost something. The page comes last, in one step. Raises `UsageError` where there
    is no run or nothing to show, or where `report/` leads out of the run folder, `LedgerDamaged`, and `OSError` where
    the disk does not take it.
    """
    from pipeline.ledger.course import read_course
    from pipeline.views.charts.picture import charts_of
    from pipeline.views.rows import rows_of
    from pipeline.views.where import chosen

    _demand_inside(folder)
    state, course = read_course(folder.path)
    rows = chosen((row for row in rows_of(state) if row.submits or not row.orphaned), conditions)
    if not rows:
        raise UsageError(f"{folder.path}: there is no job to show; no report was written")
    posters = await _posters(folder, rows, posters_s, told)
    charts = charts_of(state, rows, course, budget=_budget(folder, state))
    _write(folder, _page(folder, state, rows, posters, charts))
    return Report(path=folder.report / PAGE, cards=len(rows), posters=posters)


async def _posters(folder: RunFolder, rows: Sequence[Row], within_s: float, told: Told) -> Posters:
    if within_s > 0:
        return await make_posters(folder, rows, within_s=within_s, told=told)
    return Posters(there=kept(folder, rows))


def _page(folder: RunFolder, state: RunState, rows: Sequence[Row], posters: Posters, charts: Sequence[Chart]) -> str:
    from pipeline.views.gallery.document import document_of
    from pipeline.views.gallery.head import head_of
    from pipeline.views.gallery.page import page

    head = head_of(state, rows, name=folder.path.resolve().name)
    pasts = _pasts(folder, state, rows)
    stills = posters.there | {past.sha256 for past in pasts.values() if is_kept(folder, past.sha256)}
    return page(head, document_of(head, rows, posters=stills, pasts=pasts), charts)


def _pasts(folder: RunFolder, state: RunState, rows: Sequence[Row]) -> dict[str, Past]:
    from pipeline.views.gallery.past import past_of

    currency = state.header.currency if state.header else ""
    jobs = [state.jobs[row.key] for row in rows]
    asides = {job.key: folder.aside(job.path, job.sha256) for job in jobs if job.is_unfit}
    return {job.key: past_of(job, currency=currency, aside=asides.get(job.key, "")) for job in jobs}


def _write(folder: RunFolder, text: str) -> None:
    from pipeline.views.gallery.page import assets

    folder.disk.make_folder(folder.report)
    for name, content in assets().items():
        folder.disk.put(folder.report / name, content)
    folder.disk.put(folder.report / PAGE, text.encode("utf-8", "replace"))


def _budget(folder: RunFolder, state: RunState) -> Decimal | None:
    """The budget of the latest run, where it had one and its manifest was kept."""
    with suppress(UsageError):
        return folder.kept(state.reading).limits.budget
    return None


def _demand_inside(folder: RunFolder) -> None:
    if strays := [place for place in folder.strays(()) if place in (folder.report, folder.posters)]:
        raise UsageError(f"{strays[0]} is a link that leads out of the run folder, and nothing is written there")
