"""A text in the place of the one before, on a terminal of any size. Pure."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.text import cells, fit

OTHER_SCREEN, BACK = "\x1b[?1049h", "\x1b[?1049l"
"""xterm's alternate screen: what was on the terminal before is there again afterwards."""
_TOP, _NEXT_LINE, _END = "\x1b[H", "\x1b[K\r\n", "\x1b[K\x1b[J"
"""To the top left; what is left of a line is cleared, and below the last one all that is left."""


def framed(text: str, *, columns: int, rows: int, paint: Callable[[str], str]) -> str:
    """What to write so that a terminal of this size shows the beginning of *text*, and nothing else.

    *paint* gives it its colours, which take no room. The last row has no line break, which would scroll.
    """
    shown = paint("\n".join(_cropped(text.split("\n"), columns, rows)))
    return _TOP + shown.replace("\n", _NEXT_LINE) + _END


def _cropped(lines: list[str], columns: int, rows: int) -> list[str]:
    if len(lines) > rows:
        lines = [*lines[: rows - 1], f"… and {len(lines) - rows + 1} more lines"]
    return [line if cells(line) <= columns else f"{fit(line, columns - 1)}…" for line in lines]
