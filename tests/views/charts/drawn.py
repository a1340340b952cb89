"""What a chart shows, read back from its SVG."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from pipeline.views.charts.chart import WIDTH, Chart

SVG = "{http://www.w3.org/2000/svg}"
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class Drawn:
    """A chart as a tree. Parsing it says that it is well-formed."""

    def __init__(self, chart: Chart) -> None:
        self.root = ElementTree.fromstring(chart.svg)
        _, _, self.width, self.height = map(float, self.root.attrib["viewBox"].split())

    @property
    def title(self) -> str:
        return self.root.findtext(f"{SVG}title", "")

    @property
    def told(self) -> str:
        return self.root.findtext(f"{SVG}desc", "")

    @property
    def tips(self) -> list[str]:
        """What a pointer is told that rests on a mark."""
        return [title.text or "" for title in self.root.iter(f"{SVG}title")][1:]

    @property
    def labels(self) -> list[str]:
        return [text.text or "" for text in self.root.iter(f"{SVG}text")]

    def paths(self, look: str) -> list[str]:
        """The paths of all marks of that class, in order; those of the legend, too."""
        return [path.attrib["d"] for path in self.root.iter(f"{SVG}path") if path.get("class") == look]

    def bars(self, look: str) -> list[tuple[float, float, float, float]]:
        """The filled rectangles of that class: left, top, right, bottom."""
        return [bar for d in self.paths(look) for bar in boxes(d)]

    def places(self) -> list[tuple[float, float]]:
        """Where the labels stand."""
        return [(float(text.attrib["x"]), float(text.attrib["y"])) for text in self.root.iter(f"{SVG}text")]


def boxes(d: str) -> list[tuple[float, float, float, float]]:
    found = []
    for part in filter(None, d.split("M")):
        if part.endswith("Z") and len(numbers := [float(n) for n in _NUMBER.findall(part)]) == 5:
            x, y, to_x, to_y, _ = numbers
            found.append((x, min(y, to_y), to_x, max(y, to_y)))
    return found


def is_sound(chart: Chart) -> Drawn:
    """What holds of every chart."""
    drawn = Drawn(chart)
    assert drawn.width == WIDTH
    assert drawn.root.attrib["role"] == "img"
    assert drawn.title == chart.title
    assert drawn.told
    named = drawn.root.attrib["aria-labelledby"].split()
    assert named == [drawn.root[0].attrib["id"], drawn.root[1].attrib["id"]]
    for element in drawn.root.iter():
        assert element.tag.removeprefix(SVG) in {"svg", "title", "desc", "g", "path", "text"}
        assert not any(name == "style" or name.startswith("on") or "href" in name for name in element.attrib)
    for x, y in drawn.places():
        assert 0 <= x <= drawn.width
        assert 0 <= y <= drawn.height
    return drawn
