"""How an issue looks on a terminal."""

from __future__ import annotations

import re

import pytest

from pipeline.manifest.report import issue_command, issue_json, render_issue
from pipeline.model import Issue, Position
from pipeline.text import cells


def issue(source: str, column: int, message: str = "wrong", *, warning: bool = False) -> Issue:
    position = Position(file="m.yaml", line=7, column=column)
    return Issue(position=position, message=message, path="jobs[0]", code="c", source=source, warning=warning)


def test_the_line_and_a_caret_stand_below_the_message() -> None:
    assert render_issue(issue("  seconds: 7", 12)) == (
        "m.yaml:7:12: wrong (jobs[0])\n 7 |   seconds: 7\n   |            ^"
    )


def test_a_warning_says_so() -> None:
    assert render_issue(issue("", 1, warning=True)) == "m.yaml:7:1: warning: wrong (jobs[0])"


def test_the_caret_stands_under_wide_and_combined_letters() -> None:
    text, caret = render_issue(issue("夜e\u0301x", 4)).splitlines()[1:]

    assert text == " 7 | 夜e\u0301x"
    assert caret.index("^") - caret.index("|") - 2 == 3


def test_a_terminal_obeys_nothing_that_a_file_says() -> None:
    shown = render_issue(issue("a\x1b[31m\tb", 8, "found \x1b]0;title\x07"))

    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\t" not in shown


def test_a_long_line_is_shown_around_the_place() -> None:
    text, caret = render_issue(issue("x" * 500 + "Y" + "x" * 500, 501)).splitlines()[1:]

    assert len(text) < 120
    assert text[caret.index("^")] == "Y"
    assert text.endswith("…")


@pytest.mark.parametrize(("before", "letter"), [(0, "x"), (500, "x"), (3, "夜"), (500, "夜")])
def test_no_line_is_wider_than_a_terminal_and_the_message_breaks_between_words(before: int, letter: str) -> None:
    wrong = issue(letter * before + "Y" + letter * 500, before + 1, "this is wrong " * 12)
    lines = render_issue(wrong, color=True, width=60).splitlines()
    bare = [re.sub("\x1b\\[[0-9]*m", "", line) for line in lines]
    *message, text, caret = bare

    assert max(map(cells, bare)) <= 60
    assert " ".join(message).split() == f"m.yaml:7:{before + 1}: {wrong.message} (jobs[0])".split()
    assert cells(text[: text.index("Y")]) == caret.index("^")
    assert text.endswith("…")


def test_colour_is_added_only_on_request() -> None:
    plain = render_issue(issue("seconds: 7", 10))
    painted = render_issue(issue("seconds: 7", 10), color=True)

    assert painted == (
        "\x1b[1mm.yaml:7:10\x1b[0m: wrong\x1b[2m (jobs[0])\x1b[0m\n"
        "\x1b[2m 7 |\x1b[0m seconds: 7\n\x1b[2m   |\x1b[0m          \x1b[31m^\x1b[0m"
    )
    assert re.sub("\x1b\\[[0-9]*m", "", painted) == plain


def test_an_issue_as_json_has_everything() -> None:
    assert issue_json(issue("s: 7", 4)) == {
        "file": "m.yaml",
        "line": 7,
        "column": 4,
        "path": "jobs[0]",
        "code": "c",
        "message": "wrong",
        "warning": False,
        "more": 0,
        "source": "s: 7",
    }


def test_a_workflow_command_can_be_cut_short_by_nothing_that_a_file_says() -> None:
    position = Position(file="a,b:c%.yaml", line=7, column=3)
    said = Issue(position=position, message="50% of\r\n::error::it, a: b\x1b[31m", path="jobs[0]", code="c", more=2)

    assert issue_command(said) == (
        "::error file=a%2Cb%3Ac%25.yaml,line=7,col=3,title=c"
        "::50%25 of%0D%0A::error::it, a: b·[31m (jobs[0]); and 2 more like it"
    )
    assert issue_command(issue("x", 1, warning=True)).startswith("::warning file=m.yaml,line=7,col=1,title=c::")
