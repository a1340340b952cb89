"""Who gets colour, and what is set off in a plan."""

from __future__ import annotations

import re

import pytest

from pipeline.ink import Ink, is_wanted, painted, painted_plan, painted_status

PLAN = """\
harbour: 7 videos by the sandbox (sandbox)
        3  new: will be submitted
        2  changed: edited since; will be submitted, what was made stays
           fox: prompt a fox -> 3  blocked: no, a prompt
        1  blocked: the job it builds on has no video
        1  uncertain: perhaps accepted and billed, for up to $0.40
cost    $2.00 for 5 submits
time    about 2 min
folder  outputs/harbour
warning m.yaml:3:5: the costs change nothing"""


@pytest.mark.parametrize(
    ("environment", "at_terminal", "elsewhere"),
    [
        ({}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_a_terminal_gets_colour_unless_the_environment_says_otherwise(
    environment: dict[str, str], at_terminal: bool, elsewhere: bool
) -> None:
    assert is_wanted(environment, is_terminal=True) is at_terminal
    assert is_wanted(environment, is_terminal=False) is elsewhere


def test_the_headline_the_cost_and_what_needs_a_look_are_set_off_and_no_character_changes() -> None:
    shown = painted_plan(PLAN)

    assert re.sub("\x1b\\[[0-9]*m", "", shown) == PLAN
    for words, ink in (
        ("harbour: 7 videos by the sandbox (sandbox)", Ink.BOLD),
        ("changed", Ink.YELLOW),
        ("uncertain", Ink.RED),
        ("cost", Ink.BOLD),
        ("folder", Ink.DIM),
        ("warning", Ink.YELLOW),
    ):
        assert shown.count(painted(words, ink)) == 1
    assert shown.count("\x1b[") == 2 * 8


STATUS = """\
harbour: 1 of 4 videos stored
        1  stored
        1  failed
        1  in_flight
        1  stalled
spent   $1.60 of $40.00 at sandbox (embedded)
began   2026-11-22 19:00:02 UTC; last entry 2 s ago
left    2 videos, about 58 s
renders 1 s in the median, 1 s at the longest
stuck   rendering for more than 3 times the usual 1 s: a failed name
expiry  in 1 h (2026-11-22 21:00 UTC), of a video not here yet
in_flight: a
failed: b — it failed: too dark
stalled: c
not as it should be: d — it is 640x360, not 1280x720
folder  outputs/harbour"""


def test_of_a_status_the_headline_the_money_and_what_needs_a_look_are_set_off() -> None:
    shown = painted_status(STATUS)

    assert re.sub("\x1b\\[[0-9]*m", "", shown) == STATUS
    for words, ink, count in (
        ("harbour: 1 of 4 videos stored", Ink.BOLD, 1),
        *(("spent", Ink.BOLD, 1), ("left", Ink.BOLD, 1), ("began", Ink.DIM, 1), ("folder", Ink.DIM, 1)),
        *(("failed", Ink.RED, 2), ("stuck", Ink.YELLOW, 1), ("expiry", Ink.YELLOW, 1), ("stalled", Ink.YELLOW, 1)),
        ("not as it should be", Ink.YELLOW, 1),
    ):
        assert shown.count(painted(words, ink)) == count
    assert shown.count("\x1b[") == 2 * 11
