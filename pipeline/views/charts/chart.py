"""What a chart is: markup that stands by itself, with a name and a description for those who do not see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pipeline.views.charts.marks import escaped, figure

WIDTH: Final = 400
LEFT: Final = 46
"""Where the plot begins: room for figures such as `10,000` beside it."""
RIGHT: Final = WIDTH - 18
"""Where it ends: half of a label of time stands out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart of a run."""

    title: str
    svg: str
    """One `svg` element. All texts in it are escaped; it has neither inline style nor script."""
    note: str
    """What the marks do not say, in a sentence or two; empty: nothing."""


def chart(name: str, *, title: str, told: str, height: float, marks: Iterable[str], note: str = "") -> Chart:
    """The chart of these *marks*; *told* says in words what it shows, and *name* sets its ids apart on a page."""
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart-svg" viewBox="0 0 {WIDTH} {figure(height)}" role="img" '
        f'aria-labelledby="chart-{name}-title chart-{name}-told" font-size="11" fill="currentColor">'
        f'<title id="chart-{name}-title">{escaped(title)}</title><desc id="chart-{name}-told">{escaped(told)}</desc>'
        f"{''.join(marks)}</svg>"
    )
    return Chart(title=title, svg=svg, note=note)


def sentences(*parts: str) -> str:
    """Those of *parts* that say something, one after the other."""
    return " ".join(filter(None, parts))
