"""The bars on a real pseudo-terminal, read back through a small model of its screen."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

import pipeline
from pipeline.cli.observers.bars import Bars, Speed, joined
from pipeline.cli.observers.tally import Tally

ROOT = Path(pipeline.__file__).parent.parent

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX")

RUN = """
import sys
from decimal import Decimal
from pipeline.cli.observers import choose_observer
from pipeline.lifecycle import State as S
from pipeline.progress import Ended, Moved, Notice, Received, Started

now_s = 0.0
bars = choose_observer(quiet=False, log_format="text", stream=sys.stderr, clock=lambda: now_s)
assert type(bars).__name__ == "Bars"
with bars:
    bars(Started(run="r", folder="f", provider="p", counts={S.PENDING: 60}, to_submit=60,
                 planned_cost=None, spent=Decimal(0), budget=Decimal(40), currency="USD"))
    for n in range(60):
        was = S.PENDING
        for state in (S.SUBMITTING, S.IN_FLIGHT, S.FINISHED, S.STORED if n % 7 else S.FAILED):
            now_s += 0.2
            bars(Moved(id=f"j{n}", key="k", was=was, state=state, spent=Decimal("0.8") * n))
            bars(Received(id=f"j{n}", bytes=3_000_000))
            was = state
        if n == 30:
            bars(Notice(lane="submit", message="the provider asks to wait: 请求过于频繁，请稍后再试，谢谢您的等待"))
            bars(Notice(lane="run", message="the budget\\x1b[2J is nearly used up", urgent=True))
    MIDDLE
    bars(Ended(counts={S.STORED: 51, S.FAILED: 9}, spent=Decimal(48), stopped="", interrupted=False, elapsed_s=48.0))
print("after", file=sys.stderr)
"""


def on_terminal(code: str, columns: int, *, encoding: str = "utf-8") -> str:
    """What *code* writes to a terminal that is so many columns wide."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm",
        "PYTHONIOENCODING": f"{encoding}:backslashreplace",
    }
    child = subprocess.Popen([sys.executable, "-c", code], stderr=theirs, stdout=subprocess.DEVNULL, env=environ)
    os.close(theirs)
    written = b""
    try:
        while piece := os.read(ours, 65536):
            written += piece
    except OSError:  # Linux says EIO when the other end is closed
        pass
    finally:
        os.close(ours)
    assert child.wait(timeout=60) == 0
    return written.decode(encoding)


class Screen:
    """As much of a terminal as tqdm uses: carriage return, line feed, one line up, and wrapping at the edge."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.rows: list[list[str]] = [[]]
        self.row = self.column = self.wraps = 0

    def feed(self, text: str) -> None:
        for token in re.findall(r"\x1b\[A|\x1b.|.", text, re.DOTALL):
            match token:
                case "\r":
                    self.column = 0
                case "\n":
                    self._down()
                case "\x1b[A":
                    self.row -= 1
                case _:
                    assert token.isprintable(), f"{token!r} reached the terminal"
                    self._put(token)

    def lines(self) -> list[str]:
        return [line for row in self.rows if (line := "".join(row).rstrip())]

    def _down(self) -> None:
        self.row += 1
        while len(self.rows) <= self.row:
            self.rows.append([])

    def _put(self, character: str) -> None:
        width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if self.column + width > self.columns:
            self.wraps += 1
            self.column = 0
            self._down()
        row = self.rows[self.row]
        row.extend(" " * (self.column + width - len(row)))
        row[self.column] = character
        row[self.column + 1 : self.column + width] = [""] * (width - 1)
        self.column += width


def screen_of(code: str, columns: int, *, encoding: str = "utf-8") -> Screen:
    screen = Screen(columns)
    screen.feed(on_terminal(code, columns, encoding=encoding))
    return screen


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal_and_nothing_but_notices_stays(columns: int) -> None:
    screen = screen_of(RUN.replace("MIDDLE", ""), columns)

    assert screen.wraps == 0
    assert screen.lines()[-1] == "after"
    told = " ".join(" ".join(screen.lines()[:-1]).split())
    assert "!! run: the budget is nearly used up" in told
    assert told.replace(" ", "") == (
        "submit:theprovideraskstowait:请求过于频繁，请稍后再试，谢谢您的等待!!run:thebudgetisnearlyusedup"
    )


@pytest.mark.parametrize("columns", [40, 80])
def test_three_lines_show_how_things_stand(columns: int) -> None:
    screen = screen_of(RUN.replace("MIDDLE", "import os; bars.beat(); os._exit(0)"), columns)

    videos, received, standing = screen.lines()[-3:]
    assert re.fullmatch(r"videos  85%\|█+. *\| 51/60", videos)
    assert len(videos) == columns - 1
    assert received == "received 717 MB, 15.0 MB/s"
    assert standing == "9 failed, $47.20 of $40.00"
    assert screen.wraps == 0


def test_a_terminal_without_unicode_gets_bars_all_the_same() -> None:
    screen = screen_of(RUN.replace("MIDDLE", ""), 80, encoding="ascii")

    assert screen.lines()[-1] == "after"


def test_bars_are_drawn_at_most_ten_times_a_second() -> None:
    # 60 jobs take 4 moves of 0.01 s each: 2.4 s, so 24 drawings and the first one
    code = RUN.replace("now_s += 0.2", "now_s += 0.01").replace("MIDDLE", "")

    written = on_terminal(code, 80)

    drawings = len(re.findall(r"\rvideos +\d+%", written))
    assert 10 <= drawings <= 30


def test_what_does_not_fit_is_left_out_whole() -> None:
    phrases = ["6 in flight", "1 failed", "$3.20 of $40.00", "about 12 min left", "24 to submit"]

    assert joined(phrases, 200) == ", ".join(phrases)
    assert joined(phrases, 39) == "6 in flight, 1 failed, $3.20 of $40.00"
    assert joined(phrases, 27) == "6 in flight, 1 failed"
    assert joined(phrases, 5) == ""


def test_the_speed_is_smooth_and_falls_when_nothing_comes() -> None:
    speed = Speed()
    for n in range(101):
        steady = speed.at(n / 10, n * 100_000)

    assert steady == pytest.approx(1_000_000, rel=0.2)
    assert speed.at(40.0, 10_000_000) < 10_000
    assert speed.at(40.0, 10_000_000) == speed.at(40.0, 10_000_000)


def test_bars_before_a_run_show_nothing() -> None:
    assert Tally().left_s(1.0) == 0.0
    with Bars(sys.stderr, clock=lambda: 0.0) as bars:
        bars.beat()
