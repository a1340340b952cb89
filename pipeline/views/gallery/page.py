"""The gallery's page as text: the template filled in, and the files that stand beside it.

The page holds no script and no style of its own and asks for nothing beyond the run folder, so the policy in its head
can say so: what a page from disk needs is `'self'` for each kind of file that it loads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.model import JSON
from pipeline.views.gallery.document import script_json
from pipeline.views.gallery.head import Head

if TYPE_CHECKING:
    from jinja2 import Template

    from pipeline.views.charts.chart import Chart

_HERE: Final = Path(__file__).resolve().parent
_TEMPLATE: Final = "page.html.j2"
_BESIDE: Final = frozenset({".css", ".js"})


def page(head: Head, document: Mapping[str, JSON], charts: Sequence[Chart]) -> str:
    """The page of *document*. Whatever a text holds it stays text; only the markup of *charts* is ours."""
    from markupsafe import Markup

    drawn = [{"title": chart.title, "svg": Markup(chart.svg), "note": chart.note} for chart in charts]  # noqa: S704
    return _template().render(run=head, charts=drawn, document=Markup(script_json(document)))  # noqa: S704


def assets() -> dict[str, bytes]:
    """The files that the page loads, by their names beside it."""
    return {path.name: path.read_bytes() for path in sorted(_HERE.iterdir()) if path.suffix in _BESIDE}


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(_TEMPLATE)
