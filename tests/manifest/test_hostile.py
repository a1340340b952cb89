"""Hostile manifests: a small size of `python -m tests.soak manifests`, and what holds of the place of an issue."""

from __future__ import annotations

import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.manifest.source import Source

SEED = 20261122
MANIFESTS = 80


@pytest.mark.skipif(sys.platform != "linux", reason="forks, and bounds the memory of a process")
def test_hostile_manifests_are_read_or_refused_at_a_place_and_send_nothing() -> None:
    from tests.soak import manifests

    proof = manifests.prove(size=MANIFESTS, seed=SEED)

    assert proof.faults == ()


@given(st.text("a\r\n\u2028", max_size=60).map(lambda text: text * 300), st.integers(0, 20_000))
@example("a" * 4_095 + "\r\n", 4_097)
@example("a" * 4_095 + "\r" + "b", 4_096)
@example("\r\n" * 3_000, 4_097)
@example("a\r" + "b" * 9_000, 9_001)
def test_a_place_is_the_line_and_column_that_an_editor_shows(text: str, offset: int) -> None:
    offset = min(offset, len(text))
    before = text[:offset].removesuffix("\r") if text[offset - 1 : offset + 1] == "\r\n" else text[:offset]
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    position = Source("m", text).position(offset)

    assert position.line == len(lines)
    assert position.column == len(lines[-1]) + 1 + len(text[:offset]) - len(before)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_line_is_shown_without_its_end(ending: str) -> None:
    source = Source("m", ending.join(["one", "two", "three"]))

    assert source.line_around(source.text.index("wo")) == "two"
    assert source.line_around(len(source.text)) == "three"
