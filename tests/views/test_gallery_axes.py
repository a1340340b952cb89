"""Along which axes a gallery can be laid out, and which two it begins with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model import JSON
from pipeline.views.gallery.axes import Grid, axes_of, grid_of, label
from pipeline.views.rows import Row, rows_of
from tests.ledger.histories import opened, planned

Rows: TypeAlias = Callable[[Sequence[dict[str, Any]]], list[Row]]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Rows that differ from one another as told and in nothing else."""
    path: Path = tmp_path_factory.mktemp("run") / "ledger.jsonl"
    with opened(path) as ledger:
        planned(ledger, 1)
        (row,) = rows_of(ledger.state)
    plain = replace(row, axes={}, params={}, meta={}, group="", prompt="a fox")

    def make(changes: Sequence[dict[str, Any]]) -> list[Row]:
        return [replace(plain, **change) for change in changes]

    return make


def sweep(**axes: Sequence[JSON]) -> list[dict[str, Any]]:
    """One row for each combination, whose prompt is made of it."""
    cells = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    return [{"axes": cell, "prompt": str(cell)} for cell in cells]


def test_axes_are_the_sweeps_own_then_the_settings_that_vary(rows: Rows) -> None:
    found = axes_of(
        rows(
            [
                {**cell, "model": model, "take": take}
                for cell in sweep(subject=["a heron", "a tug"], seed=[12, 3])
                for model in ("sora-2", "sora-2-pro")
                for take in (1, 2)
            ]
        )
    )

    assert [axis.name for axis in found] == ["subject", "seed", "model", "take"]
    assert [axis.swept for axis in found] == [True, True, False, False]


def test_values_stand_as_the_run_has_them_and_numbers_in_their_order(rows: Rows) -> None:
    subject, seed = axes_of(rows(sweep(subject=["tug", "heron"], seed=[12, 3, 4.5])))

    assert subject.values == ("tug", "heron")
    assert seed.values == (3, 4.5, 12)
    assert seed.at == (2, 0, 1, 2, 0, 1)


def test_a_row_without_an_axis_has_no_place_on_it(rows: Rows) -> None:
    (subject, *_) = axes_of(rows([*sweep(subject=["heron", "tug"]), {}]))

    assert subject.at == (0, 1, None)


def test_an_axis_that_is_a_setting_has_what_the_other_videos_were_asked_for(rows: Rows) -> None:
    swept = sweep(size=["1280x720", "720x1280"], seconds=[4, 8])
    lone = {"prompt": "alone", "size": "1280x720", "seconds": 8, "group": "list"}

    size, seconds, group = axes_of(rows([*({**s, "axes": s["axes"] | {"group": "g"}} for s in swept), lone]))

    assert (size.values, size.at) == (("1280x720", "720x1280"), (0, 0, 1, 1, 0))
    assert (seconds.values, seconds.at) == ((4, 8), (0, 1, 0, 1, 1))
    assert (group.values, group.at) == (("g", "list"), (0, 0, 0, 0, 1))


def test_a_name_of_ones_own_is_not_taken_for_a_setting(rows: Rows) -> None:
    (mood, *_) = axes_of(rows([*({**s, "link": ""} for s in sweep(link=["a", "b"])), {"link": "remix", "group": ""}]))

    assert mood.at == (0, 1, None)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ([{}, {}], []),
        ([{"axes": {"s": 1}}, {"axes": {"s": 1}}], []),
        # a setting that an axis of the sweep decides is that axis under another name
        ([{"axes": {"s": s}, "group": f"g{s % 2}", "seconds": s, "size": size} for s in (1, 2, 3, 4) for size in "ab"],
         ["s", "size"]),
        # an axis may be a setting: it is not there twice
        ([{"axes": {"seconds": s}, "seconds": s} for s in (4, 8)], ["seconds"]),
        # prompts that come back are an axis, each one its own are none
        ([{"prompt": p, "take": t} for p in "ab" for t in (1, 2)], ["take", "prompt"]),
        ([{"prompt": p, "model": m} for p, m in zip("abcd", "xyxy", strict=True)], ["model"]),
        # two entries with one sweep: their prompts tell them apart
        ([{"axes": {"s": s}, "prompt": p} for s in (1, 2) for p in "ab"], ["s", "prompt"]),
        # remixes stand apart from what they are made of
        ([{"axes": {"s": s}, "link": link} for s in (1, 2) for link in ("", "remix")], ["s", "link"]),
    ],
)  # fmt: skip
def test_only_what_tells_videos_apart_is_an_axis(
    rows: Rows, changes: Sequence[dict[str, Any]], names: Sequence[str]
) -> None:
    assert [axis.name for axis in axes_of(rows(changes))] == names


@pytest.mark.parametrize(
    ("changes", "grid"),
    [
        ([{}], Grid()),
        # one axis is a row of columns
        (sweep(subject=["heron", "tug", "seal"]), Grid(columns="subject")),
        ([{"take": take} for take in (1, 2, 3)], Grid(columns="take")),
        # prompts are always rows
        ([{"prompt": p, "take": t} for p in "ab" for t in (1, 2, 3)], Grid(columns="take", rows="prompt")),
        # fewer values make the columns
        (sweep(subject=["heron", "tug", "seal"], seconds=[4, 8]), Grid(columns="seconds", rows="subject")),
        # the sweep before the settings, takes last
        ([{**c, "take": t} for c in sweep(a="xy", b="uv") for t in range(1, 9)], Grid(columns="a", rows="b")),
        ([{**c, "model": m, "take": t} for c in sweep(a="xyz") for m in "mn" for t in range(1, 9)],
         Grid(columns="model", rows="a")),
        # paired axes are one: a third tells more apart
        ([{"axes": {"size": s, "framing": f, "n": n}} for s, f in ("aw", "bt") for n in range(3)],
         Grid(columns="size", rows="n")),
        # a thousand prompts under two models are no grid
        ([{"prompt": str(n), "model": "xy"[n % 2]} for n in range(1000)], Grid()),
        ([{"prompt": p, "size": s} for p, s in ("aw", "bt", "cw")], Grid()),
        ([{"prompt": p, "group": p, "size": s} for p, s in ("aw", "bt", "cw", "dt")], Grid()),
        ([{"axes": {"s": n % 2}, "prompt": str(n), "id": str(n)} for n in range(5)], Grid()),
        # what a few rows of a file say for themselves is no axis of all the videos
        ([*({**c, "size": c["axes"]["size"], "take": t} for c in sweep(a="xyz", b="uv", size="wt") for t in (1, 2)),
          *({"axes": {"mood": m, "note": str(n)}, "prompt": str(n), "size": "w"} for n, m in enumerate("cwscwc"))],
         Grid(columns="size", rows="a")),
        # nor is what nearly every video has for itself
        ([{"axes": {"note": str(n), "s": n % 2, "t": n // 2 % 2}} for n in range(8)], Grid(columns="s", rows="t")),
        # what stands on a diagonal is no grid; what fills one is
        ([{"axes": {"seed": n, "name": "abcd"[n]}, "take": t} for n in range(4) for t in (1, 2)],
         Grid(columns="take", rows="seed")),
        # a few prompts, their takes and what was made of one of them
        ([{"prompt": p, "take": t, "link": "remix" if p == "c" else ""} for p in "abc" for t in (1, 2)],
         Grid(columns="take", rows="prompt")),
    ],
)  # fmt: skip
def test_a_page_begins_with_the_two_axes_that_tell_most_with_fewest_values(
    rows: Rows, changes: Sequence[dict[str, Any]], grid: Grid
) -> None:
    assert grid_of(axes_of(rows(changes))) == grid


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("4", "4"),
        (4, 4),
        (0.5, 0.5),
        (True, "true"),
        (None, "null"),
        ([1, "ü"], '[1, "ü"]'),
        (2**53, str(2**53)),  # a browser would round it
        (1e300, "1e+300"),
    ],
)
def test_a_value_is_shown_as_it_was_written(value: JSON, shown: str | float) -> None:
    assert (label(value), type(label(value))) == (shown, type(shown))


@settings(max_examples=40)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.sampled_from(["x", "y", 1, 2.5, True, None]))))
def test_any_sweep_has_a_place_for_each_of_its_rows(rows: Rows, cells: list[dict[str, JSON]]) -> None:
    made = rows([{"axes": cell, "prompt": str(cell)} for cell in cells])
    axes = axes_of(made)
    grid = grid_of(axes)

    assert {grid.columns, grid.rows} - {""} <= {axis.name for axis in axes}
    for axis in axes:
        assert len(axis.at) == len(made)
        assert len(set(axis.values)) == len(axis.values)
        if axis.swept:
            shown = [None if at is None else axis.values[at] for at in axis.at]
            assert shown == [label(row.axes[axis.name]) if axis.name in row.axes else None for row in made]
