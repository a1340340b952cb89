"""One second of a picture that loops: a sun over water, and the words below. Pure arithmetic on bytes.

The trick that makes it quick without numpy: every moving row is one `bytes.translate`. A row holds, for each pixel,
*how deep* below a wave's crest (or how near the sun) it lies; a table of 256 bytes turns that into a colour, and the
table of the next row is the same ramp, cut a little further on.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from pipeline.sandbox.font import ADVANCE, LEADING, glyph, lines

FRAMES: Final = 24
"""In the second that repeats."""

Colour: TypeAlias = tuple[int, int, int]
"""Luma and the two chromas, in video range (BT.709)."""
Planes: TypeAlias = tuple[bytearray, bytearray, bytearray]

_INK: Final = 232
_FAINT_INK: Final = 150
_LAYERS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is to be seen. Equal scenes give equal bytes."""

    width: int
    height: int
    words: str
    """Drawn large, wrapped."""
    caption: str
    """Drawn small, in the last line."""
    mood: bytes
    """At least 6 bytes: the colours."""
    shape: bytes
    """At least 8 bytes: where the sun stands, how the water runs."""


def frames(scene: Scene) -> Iterator[Planes]:
    """The frames of one second, as Y, U and V planes of 4:2:0; the last leads back into the first."""
    layout = _Layout(scene)
    sky, sun, water = _colours(scene.mood, layout.horizon)
    still = tuple(_still(layout, sky, water, plane) for plane in range(3))
    _write(still[0], layout, scene)
    layers = [_Wave(layout, layer, [sky[-1], *water][layer], water[layer]) for layer in range(_LAYERS)]
    disc = _Sun(layout, sky, sun)
    for n in range(FRAMES):
        turn = 2 * math.pi * n / FRAMES
        planes = (bytearray(still[0]), bytearray(still[1]), bytearray(still[2]))
        for plane, content in enumerate(planes):
            disc.paint(content, plane, turn)
            for wave in layers:
                wave.paint(content, plane, turn)
        yield planes


class _Layout:
    """Where things are, in luma pixels."""

    def __init__(self, scene: Scene) -> None:
        self.width, self.height = scene.width, scene.height
        self.shape = scene.shape
        self.unit = max(min(self.width, self.height), 32) / 100
        self.reach = int(1.7 * self.unit) * 2 + 2
        """How far a wave's crest rises above, or sinks below, its mean, motion included."""
        self.shore = int(self.height * 0.24) * 2
        """The mean of the first wave; each further one lies two reaches below. Even, for the chromas."""
        self.horizon = max(self.shore - self.reach, 1)
        """Rows of clear sky."""
        self.deep = min(self.shore + (2 * _LAYERS - 1) * self.reach, self.height)
        """Where the water is one colour, and the words begin."""

    def mean(self, layer: int) -> int:
        return self.shore + 2 * layer * self.reach


class _Wave:
    """One layer of water, rolling: its crest sways to the side and up and down a quarter turn apart."""

    def __init__(self, layout: _Layout, layer: int, above: Colour, below: Colour) -> None:
        self.layout = layout
        self.mean, self.reach = layout.mean(layer), layout.reach
        self.bob = max(self.reach // 5, 1)
        self.sway = int(1.6 * layout.unit) * (1 if layer % 2 else -1)
        self.line = max(0.5 * layout.unit, 1.0)
        """How thick the bright line of the crest is."""
        self.rise = max(self.reach - self.bob - int(2 * self.line), 1)
        self.grain = 255 / (2 * self.rise)
        """Steps of depth a pixel."""
        self.phase = layer * 2.1
        self.crest = self._crest(layer)
        self.ramps = [self._ramp(above[plane], below[plane], foam=plane == 0) for plane in range(3)]

    def paint(self, content: bytearray, plane: int, turn: float) -> None:
        step = 2 if plane else 1
        width = self.layout.width // step
        start = abs(self.sway) + round(self.sway * math.sin(turn + self.phase))
        crest = self.crest[start : start + self.layout.width : step]
        top = self.mean + round(self.bob * math.cos(turn + self.phase)) + self.rise - 2 * self.reach
        ramp = self.ramps[plane]
        for y in range(
            max((self.mean - self.reach) // step, 0), min(self.mean + self.reach, self.layout.height) // step
        ):
            cut = round((y * step - top) * self.grain)
            content[y * width : (y + 1) * width] = crest.translate(ramp[cut : cut + 256])

    def _crest(self, layer: int) -> bytes:
        """How high the crest stands over each column, 0 to 255, with room to sway on both sides."""
        seed, width = self.layout.shape, self.layout.width
        turns = 2 * math.pi / max(width, self.layout.height * 0.7)
        first, second = 1.5 + seed[layer] % 3 + layer, 4 + seed[layer + 1] % 4
        lead = seed[layer + 2] / 40
        return bytes(
            int(127.5 + 82 * math.sin(x * turns * first + lead) + 45 * math.sin(x * turns * second - lead))
            for x in range(-abs(self.sway), width + abs(self.sway) + 1)
        )

    def _ramp(self, above: int, below: int, *, foam: bool) -> bytes:
        """The colour at each depth: air, the bright line of the crest, water."""
        colours = bytearray()
        for k in range(round((3 * self.reach + self.bob - self.rise + 1) * self.grain) + 257):
            depth = k / self.grain - 2 * self.reach
            light = 26 * math.exp(-((depth / self.line - 1) ** 2)) if foam else 0
            colours.append(min(round(above + (below - above) * _step(depth) + light), 235))
        return bytes(colours)


class _Sun:
    """A soft disc with a halo, breathing up and down above the water."""

    def __init__(self, layout: _Layout, sky: list[Colour], sun: Colour) -> None:
        self.layout, self.sky, self.sun = layout, sky, sun
        room = layout.horizon
        self.radius = max(int(room * 0.42), 3)
        self.bob = max(int(room * 0.02), 1)
        span = max(layout.width - 2 * self.radius, 0)
        self.x = min(self.radius, layout.width // 2) + int(span * (0.2 + 0.6 * layout.shape[6] / 255))
        self.y = int(room * 0.52)
        self.rows = self._rows()
        self.tables: dict[tuple[int, int], bytes] = {}

    def paint(self, content: bytearray, plane: int, turn: float) -> None:
        step = 2 if plane else 1
        width = self.layout.width // step
        left, right = max(self.x - self.radius, 0), min(self.x + self.radius, self.layout.width)
        middle = self.y + round(self.bob * math.sin(turn))
        for y in range(max(middle - self.radius, 0), min(middle + self.radius, len(self.sky)) // step * step, step):
            glow = self.rows[abs(y - middle)][left - self.x + self.radius : right - self.x + self.radius : step]
            at = y // step * width + left // step
            content[at : at + len(glow)] = glow.translate(self._table(plane, self.sky[y][plane]))

    def _table(self, plane: int, sky: int) -> bytes:
        """Blends of one sky colour with the sun's, by how near the sun is."""
        table = self.tables.get((plane, sky))
        if table is None:
            table = bytes(sky + (self.sun[plane] - sky) * near // 255 for near in range(256))
            self.tables[plane, sky] = table
        return table

    def _rows(self) -> list[bytes]:
        """How near the sun each pixel is, for each distance from its middle row."""
        core = self.radius * 0.5
        rows = []
        for dy in range(self.radius + 1):
            half = [self._near(math.hypot(dx, dy), core) for dx in range(self.radius + 1)]
            rows.append(bytes(half[:0:-1] + half[: self.radius]))
        return rows

    def _near(self, distance: float, core: float) -> int:
        disc = 1 - _step((distance - core) / max(core * 0.04, 1))
        halo = max(1 - distance / self.radius, 0.0) ** 2 * 0.9
        return min(int(255 * max(disc, halo)), 255)


def _still(layout: _Layout, sky: list[Colour], water: list[Colour], plane: int) -> bytearray:
    """What does not move: the sky and the deep water."""
    step = 2 if plane else 1
    width, height = layout.width // step, layout.height // step
    content = bytearray()
    for y in range(0, height * step, step):
        colour = water[-1] if y >= layout.deep else sky[min(y, len(sky) - 1)]
        content += bytes((colour[plane],)) * width
    return content


def _write(luma: bytearray, layout: _Layout, scene: Scene) -> None:
    """The words into the deep water, as large as they fit; the caption below them."""
    margin = int(4 * layout.unit)
    small = max(int(layout.unit * 0.45), 1)
    bottom = layout.height - margin // 2 - small * LEADING
    pen = _Pen(luma, layout.width, x=margin, y=bottom)
    pen.write(lines(scene.caption, columns=pen.columns(small), rows=1), small, _FAINT_INK)
    for scale in range(max(int(layout.unit * 0.9), 1), 0, -1):
        pen.y = layout.deep + 2 * scale
        rows = (bottom - pen.y) // (scale * LEADING)
        written = lines(scene.words, columns=pen.columns(scale), rows=rows)
        if rows > 0 and (scale == 1 or not written or not written[-1].endswith("...")):
            pen.write(written, scale, _INK)
            return


@dataclass(slots=True)
class _Pen:
    """Writes lines of text from its place downwards."""

    luma: bytearray
    width: int
    x: int
    y: int

    def columns(self, scale: int) -> int:
        """How many characters fit between the margins."""
        return (self.width - 2 * self.x) // (scale * ADVANCE)

    def write(self, text: list[str], scale: int, ink: int) -> None:
        for line in text:
            for row in range(8):
                self._write_row("".join(glyph(character)[row] + "." for character in line), row, scale, ink)
            self.y += scale * LEADING

    def _write_row(self, cells: str, row: int, scale: int, ink: int) -> None:
        """One row of cells, *scale* pixels high; what would leave the picture is left out."""
        start = (self.y + row * scale) * self.width + self.x
        if start + scale * self.width > len(self.luma):
            return
        cells = cells[: (self.width - self.x) // scale]
        dot = bytes((ink,)) * scale
        for n, cell in enumerate(cells):
            if cell == "#":
                self.luma[start + n * scale : start + (n + 1) * scale] = dot
        written = self.luma[start : start + len(cells) * scale]
        for below in range(start + self.width, start + scale * self.width, self.width):
            self.luma[below : below + len(written)] = written


def _colours(mood: bytes, horizon: int) -> tuple[list[Colour], Colour, list[Colour]]:
    """The sky from top to horizon, the sun, and the water from far to near."""
    hue = int.from_bytes(mood[4:6]) / 65536
    glow = hue + (0.09 if mood[1] % 2 else -0.09)
    high, low = (hue, 0.62, 0.34), (glow, 0.52, 0.80)
    sky = [_colour(*(a + (b - a) * row / horizon for a, b in zip(high, low, strict=True))) for row in range(horizon)]
    sun = _colour(hue + 0.45 + mood[2] / 1024, 0.30, 0.99)
    water = [_colour(hue + 0.03 * layer, 0.60 + 0.06 * layer, 0.56 - 0.20 * layer) for layer in range(_LAYERS)]
    return sky, sun, water


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    chromas = (blue - luma) / 1.8556, (red - luma) / 1.5748
    return round(16 + 219 * luma), round(128 + 224 * chromas[0]), round(128 + 224 * chromas[1])


def _step(x: float) -> float:
    """0 below, 1 above, and a soft step within one unit around 0."""
    return min(max(x + 0.5, 0.0), 1.0)
