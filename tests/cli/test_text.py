from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text import byte_size, cells, duration, fit, listing, money, plain, plural, wrap


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("3.2", "USD", "$3.20"),
        ("0", "USD", "$0.00"),
        ("1E+2", "USD", "$100.00"),
        ("-1.5", "USD", "-$1.50"),
        ("0.0125", "CNY", "0.0125 CNY"),
        ("40", "CNY", "40.00 CNY"),
    ],
)
def test_money_has_two_places_and_more_only_where_they_count(amount: str, currency: str, shown: str) -> None:
    assert money(Decimal(amount), currency) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (45.4, "45 s"),
        (59.6, "1 min"),
        (723, "12 min 3 s"),
        (3600, "1 h"),
        (12_000, "3 h 20 min"),
        (3_603, "1 h"),
        (187_200, "2 d 4 h"),
        (-3, "0 s"),
    ],
)
def test_a_duration_has_at_most_two_units(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (1_440_000, "1.4 MB"), (999_600, "1.0 MB"), (7e13, "70.0 TB")],
)
def test_sizes_are_in_decimal_units(count: float, shown: str) -> None:
    assert byte_size(count) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("as it is", "as it is"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b2Jgone", "gone"),
        ("\x1b]0;my title\x07text", "text"),
        ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("two\r\nlines\tand a tab", "two lines and a tab"),
        ("over\rwritten", "over written"),
        ("user\u202egpj.exe", "usergpj.exe"),
        ("\u2066isolated\u2069", "isolated"),
        ("bell\x07 nul\x00 del\x7f", "bell nul del"),
        ("日本語 and 👩\u200d🚀", "日本語 and 👩\u200d🚀"),
        ("lone \ud800 surrogate", "lone surrogate"),
    ],
)
def test_plain_text_cannot_steer_a_terminal(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text())
def test_plain_text_is_one_printable_line_whatever_came(text: str) -> None:
    shown = plain(text)

    assert all(c.isprintable() or c in "\u200c\u200d" or ord(c) > 127 for c in shown)
    assert len(shown.splitlines()) <= 1
    assert plain(shown) == shown


def test_a_listing_names_the_first_and_counts_the_rest() -> None:
    assert listing(["a", "b"]) == "a, b"
    assert listing([f"j{n}" for n in range(22)]) == "j0, j1, j2, j3, j4 and 17 more"


def test_one_is_singular() -> None:
    assert [plural(n, "job") for n in (0, 1, 2, 12_000)] == ["0 jobs", "1 job", "2 jobs", "12,000 jobs"]


@given(st.text(alphabet="ab é日本👩 ", max_size=60), st.integers(min_value=6, max_value=40))
def test_fitted_and_wrapped_text_keeps_within_its_width(text: str, width: int) -> None:
    lines = wrap(text, width, indent="  ").split("\n")

    assert cells(fit(text, width)) <= width
    assert all(cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_a_block_begins_and_goes_on_as_told_and_a_long_word_may_stay_whole() -> None:
    text = "outputs/a-long-folder was run before"
    assert wrap(text, 12, first="run  ", indent="     ", cut=False).split("\n") == [
        *("run  outputs/a-long-folder", "     was run", "     before")
    ]
    assert wrap("\x1b[1mtwo\x1b[0m \x1b[2mwords\x1b[0m", 9, cut=False) == "\x1b[1mtwo\x1b[0m \x1b[2mwords\x1b[0m"
