"""The picture of a run: charts as SVG, hand-written (docs/decisions/0015).

Everything is painted with `currentColor`, by presentation attributes and never by `style`, so that a page's policy can
forbid inline style, and a chart can be read with no stylesheet at all. A stylesheet gives it its colours by setting
`color`, and nothing else, on `series-1` (submitting), `series-2` (rendering), `series-3` (downloading), `series-4`
(stored), `series-5` (money), `series-6` (what went wrong); and, where it likes, on `chart-axis`, `chart-grid`,
`chart-gap` (a time that is drawn short), `chart-label` (words and figures) and `chart-bound` (the budget, the median).
A chart is 400 units wide and made to be shown between 320 and 560 pixels wide: on a wider page, side by side.
"""

from pipeline.views.charts.chart import Chart
from pipeline.views.charts.picture import charts_of

__all__ = ["Chart", "charts_of"]
