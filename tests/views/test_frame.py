"""A text in the place of the one before, on a terminal of any size."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pipeline.ink import painted_status
from pipeline.text import cells
from pipeline.views.frame import framed

CONTROLS = re.compile(r"\x1b\[[0-9]*[HKJm]")


def rows_of(frame: str) -> list[str]:
    """What such a frame leaves on a terminal, row by row."""
    return CONTROLS.sub("", frame).split("\r\n")


def test_a_frame_starts_at_the_top_and_clears_what_was_there() -> None:
    assert framed("a\nb", columns=80, rows=24, paint=str) == "\x1b[Ha\x1b[K\r\nb\x1b[K\x1b[J"


def test_what_has_no_room_is_counted() -> None:
    text = "\n".join(f"line {n}" for n in range(10))

    assert rows_of(framed(text, columns=80, rows=4, paint=str)) == ["line 0", "line 1", "line 2", "… and 7 more lines"]
    assert rows_of(framed(text, columns=4, rows=10, paint=str))[0] == "lin…"


@given(st.text("ab日 \n", max_size=400), st.integers(2, 40), st.integers(1, 12))
def test_a_frame_is_never_larger_than_the_terminal(text: str, columns: int, rows: int) -> None:
    shown = rows_of(framed(text, columns=columns, rows=rows, paint=painted_status))

    assert len(shown) <= rows
    assert all(cells(line) <= columns for line in shown)
