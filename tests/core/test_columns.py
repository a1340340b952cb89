"""Columns of one kind, whatever people write into them."""

from __future__ import annotations

import pytest

from pipeline.columns import WHOLE_MAX, Kind, alike, as_kind, column_name, kind_of
from pipeline.model import JSON


@pytest.mark.parametrize(
    ("values", "kind", "told"),
    [
        ([1, 2, None], Kind.WHOLE, [1, 2, None]),
        ([1, 2.5], Kind.NUMBER, [1.0, 2.5]),
        ([True, False], Kind.FLAG, [True, False]),
        ([True, 1], Kind.TEXT, ["true", "1"]),
        (["calm", 7, None], Kind.TEXT, ["calm", "7", None]),
        ([[1, "a"], {"b": 2, "a": 1}], Kind.TEXT, ['[1, "a"]', '{"a": 1, "b": 2}']),
        ([WHOLE_MAX], Kind.WHOLE, [WHOLE_MAX]),
        ([WHOLE_MAX + 1, 1], Kind.TEXT, [str(WHOLE_MAX + 1), "1"]),
        ([None], None, [None]),
        ([], None, []),
    ],
)
def test_a_column_has_the_narrowest_kind_that_can_say_all_its_values(
    values: list[JSON], kind: Kind | None, told: list[JSON]
) -> None:
    assert kind_of(values) is kind
    assert [(type(one), one) for one in (as_kind(value, kind) for value in values)] == [(type(t), t) for t in told]


@pytest.mark.parametrize("name", ["file_name", "file_names", "source_file_name", "a_file_names"])
def test_no_column_has_a_name_by_which_a_videofolder_takes_it_for_one_of_videos(name: str) -> None:
    assert column_name(name) == f"{name}_"
    assert column_name(column_name(name)) == f"{name}_"


def test_values_below_a_mapping_are_alike_where_they_have_one_name() -> None:
    rows: list[dict[str, JSON]] = [
        {"id": "a", "axes": {"mood": "calm", "n": 1}, "meta": {}},
        {"id": "b", "axes": {"mood": 2, "n": 2}, "meta": {"image_file_name": "x.png"}},
    ]

    assert alike(rows, ("axes", "meta")) == [
        {"id": "a", "axes": {"mood": "calm", "n": 1}, "meta": {}},
        {"id": "b", "axes": {"mood": "2", "n": 2}, "meta": {"image_file_name_": "x.png"}},
    ]
