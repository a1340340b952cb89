"""Who gets colour, and what is set off in a plan."""

from __future__ import annotations

import re

import pytest

from pipeline.ink import Ink, is_wanted, painted, painted_plan

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
