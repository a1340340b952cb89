"""Sweeps, cell by cell: the product, what is excluded and included, labels, ranges and samples."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import chain, islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.manifest.axes import targets
from pipeline.manifest.labels import NAME_MAX, derived_name, label
from pipeline.manifest.ranges import VALUES_MAX, BadRange, counted, length
from pipeline.manifest.sampling import sample
from pipeline.manifest.sweep import Cell, Matrix, cell_identity, further_faults, read_matrix
from pipeline.manifest.template import Template, written
from pipeline.manifest.wording import Fault

WORDS = st.sampled_from(["a", "b", "c", "d"])
VALUES = st.integers(0, 3) | st.sampled_from(["0", "1", "x"])
AXES = st.dictionaries(WORDS, st.lists(VALUES, min_size=1, max_size=3, unique_by=repr), min_size=1, max_size=3)
OBJECTS = st.lists(st.dictionaries(WORDS, VALUES, min_size=1, max_size=3), max_size=4)


def matrix_of(raw: Mapping[str, Any]) -> Matrix:
    matrix, faults = read_matrix(raw)
    assert list(faults) == []
    assert matrix is not None
    return matrix


def values(cell: Cell) -> dict[str, Any]:
    return {point.axis: point.value for point in cell}


def cells_of(raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [values(cell) for cell in matrix_of(raw).cells()]


def said(raw: Mapping[str, Any]) -> list[str]:
    return [derived_name("", [point.label for point in cell]) for cell in matrix_of(raw).cells()]


def faults_of(raw: Mapping[str, Any]) -> list[tuple[str, str]]:
    matrix, faults = read_matrix(raw)
    assert matrix is None
    return [(fault.code, ".".join(map(str, fault.path))) for fault in faults]


def as_github_says(axes: Mapping[str, Any], exclude: Sequence[Any], include: Sequence[Any]) -> list[dict[str, Any]]:
    """GitHub's rules once more, word by word and as slow as they read."""
    original: list[dict[str, Any]] = [{}]
    for name, listed in axes.items():
        original = [{**cell, name: value} for cell in original for value in listed]
    original = [cell for cell in original if not any(rule.items() <= cell.items() for rule in exclude)]
    cells, own = [dict(cell) for cell in original], []
    for rule in include:
        fitting = [
            n for n, cell in enumerate(original) if all(cell[name] == v for name, v in rule.items() if name in cell)
        ]
        for n in fitting:
            cells[n] |= rule
        own += [] if fitting else [dict(rule)]
    return cells + own


@given(AXES, OBJECTS, OBJECTS)
def test_a_matrix_means_what_it_means_on_github(
    axes: dict[str, list[Any]], exclude: list[dict[str, Any]], include: list[dict[str, Any]]
) -> None:
    exclude = [rule for rule in exclude if rule.keys() <= axes.keys()]
    include = [rule for n, rule in enumerate(include) if rule not in include[:n]]

    assert cells_of({**axes, "exclude": exclude, "include": include}) == as_github_says(axes, exclude, include)


def test_cells_are_made_as_they_are_asked_for() -> None:
    axes: dict[str, Any] = {name: {"range": [1, 100]} for name in ("a", "b", "c", "d")}
    matrix, _ = read_matrix({**axes, "include": [{"a": 2, "e": 5}]}, cells_max=10**9)

    assert matrix is not None
    assert matrix.count_max == 10**8 + 1
    assert matrix.axes == ("a", "b", "c", "d", "e")
    assert [values(cell)["d"] for cell in islice(matrix.cells(), 3)] == [1, 2, 3]


def test_cells_share_the_points_of_their_values() -> None:
    first, second = matrix_of({"subject": ["a heron"], "seconds": [4, 8]}).cells()

    assert first[0] is second[0]


def test_a_matrix_can_be_gone_through_again() -> None:
    matrix = matrix_of({"a": [1, 2], "exclude": [{"a": 1}], "include": [{"a": 3}]})

    assert list(matrix.cells()) == list(matrix.cells())


@pytest.mark.parametrize(
    ("raw", "places"),
    [
        ({"a": [1, 2], "exclude": [{"a": 3}]}, ["exclude.0"]),
        ({"a": [1, 2], "exclude": [{"a": "1"}]}, ["exclude.0"]),
        ({"a": [1, 2], "exclude": [{"a": 1.0}]}, []),
        ({"a": [1, 2], "exclude": [{"a": True}]}, ["exclude.0"]),
        ({"a": [1, 2], "exclude": [{"a": 1}, {"a": 1}]}, []),
        ({"a": [1, 2], "include": [{"a": 2}]}, ["include.0"]),
        ({"a": [1, 2], "include": [{"a": 3}]}, []),
        ({"a": [1, 2], "include": [{"b": 3}]}, []),
    ],
)
def test_a_rule_that_changes_nothing_is_told(raw: dict[str, Any], places: list[str]) -> None:
    matrix = matrix_of(raw)

    assert list(matrix.cells())

    assert [(fault.code, ".".join(map(str, fault.path[1:]))) for fault in matrix.idle()] == [
        ("no-effect", place) for place in places
    ]


LOW, HIGH, PLAIN = {"name": "low", "seconds": 4}, {"name": "high", "params": {"a": 2}}, {"name": "plain"}


@pytest.mark.parametrize(
    ("raw", "cells"),
    [
        ({"c": [LOW], "include": [{"seconds": 12}]}, [{"c": LOW}, {"seconds": 12}]),
        ({"c": [LOW, PLAIN], "include": [{"seconds": 12}]}, [{"c": LOW}, {"c": PLAIN, "seconds": 12}]),
        ({"c": [HIGH], "include": [{"params.a": 1}]}, [{"c": HIGH}, {"params.a": 1}]),
        ({"c": [HIGH], "include": [{"params.b": 1}]}, [{"c": HIGH, "params.b": 1}]),
        (
            {"c": [{"vars": {"mood": "calm"}}], "include": [{"mood": "wild"}]},
            [{"c": {"vars": {"mood": "calm"}}}, {"mood": "wild"}],
        ),
        ({"prompt": ["p"], "include": [{"prompt_file": "q"}]}, [{"prompt": "p"}, {"prompt_file": "q"}]),
        (
            {"zip": {"c": [LOW, HIGH], "x": [1, 2]}, "include": [{"seconds": 8}]},
            [{"c": LOW, "x": 1}, {"c": HIGH, "x": 2, "seconds": 8}],
        ),
        ({"x": [1], "include": [{"params.a": 1}, {"c": HIGH}]}, [{"x": 1, "params.a": 1}, {"c": HIGH}]),
        ({"x": [1], "include": [{"c": HIGH}, {"params.a": 1}]}, [{"x": 1, "c": HIGH}, {"params.a": 1}]),
        (
            {"x": [1, 2], "include": [{"x": 1, "params.a": 1}, {"c": HIGH}]},
            [{"x": 1, "params.a": 1}, {"x": 2, "c": HIGH}],
        ),
        ({"x": [1], "include": [{"c": HIGH}, {"c": LOW}, {"params.a": 1}]}, [{"x": 1, "c": LOW, "params.a": 1}]),
        (
            {"x": [1], "include": [{"c": LOW}, {"seconds": 8}, {"seconds": 9}]},
            [{"x": 1, "c": LOW}, {"seconds": 8}, {"seconds": 9}],
        ),
    ],
)
def test_an_include_extends_no_cell_where_another_name_sets_the_same(
    raw: dict[str, Any], cells: list[dict[str, Any]]
) -> None:
    assert cells_of(raw) == cells


SETTERS = [{"c": LOW}, {"c": HIGH}, {"c": PLAIN}, {"d": LOW}, {"d": HIGH}, {"seconds": 8}, {"params.a": 1}, {"x": 1}]


@given(
    st.lists(st.sampled_from([LOW, HIGH, PLAIN]), min_size=1, unique_by=repr),
    st.lists(st.sampled_from(SETTERS), max_size=6, unique_by=repr),
)
def test_in_no_cell_do_two_names_set_one_field(cameras: list[Any], include: list[Any]) -> None:
    for cell in matrix_of({"c": cameras, "include": include}).cells():
        set_by_any = list(chain.from_iterable(map(targets, cell)))
        assert len(set_by_any) == len(set(set_by_any))


MANY: Any = {"range": [1, VALUES_MAX]}


@pytest.mark.parametrize(
    ("raw", "cells_max", "message"),
    [
        ({f"a{n}": MANY for n in range(10)}, 100_000, f"the matrix has {10**50:,} cells; 10,000,000 is the most"),
        ({"v": MANY, "w": [1, 2]}, 100_000, "the matrix has 200,000 cells; more than 100,000 want --allow-large"),
        (
            {"v": MANY, "include": [{"w": 1}]},
            100_000,
            "the matrix has 100,001 cells; more than 100,000 want --allow-large",
        ),
        ({"v": MANY, "w": {"range": [0, 10, 0.1]}}, 10**7, "the matrix has 10,100,000 cells; 10,000,000 is the most"),
        ({"zip": {f"a{n}": MANY for n in range(3)}}, 100_000, "300,000 values in zip; 200,000 is the most"),
        (
            {"zip": [{"a": MANY, "b": MANY}, {"c": [1], "d": [2]}]},
            100_000,
            "200,002 values in zip; 200,000 is the most",
        ),
    ],
)
def test_a_matrix_that_is_too_large_is_refused_before_a_value_is_made(
    raw: dict[str, Any], cells_max: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.manifest.axes.counted", lambda bounds: pytest.fail(f"{bounds} was counted out"))

    matrix, faults = read_matrix(raw, cells_max=cells_max)

    assert matrix is None
    assert [(fault.code, fault.path, fault.message) for fault in faults] == [("too-many", ("matrix",), message)]


def test_what_is_wrong_in_its_form_is_not_counted_out_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.manifest.axes.counted", lambda bounds: pytest.fail(f"{bounds} was counted out"))
    known = Fault(path=("matrix", "seconds", 0), code="wrong-type", message="expected a number")

    assert list(further_faults({"v": MANY, "seconds": ["x"]}, [known])) == []
    assert list(further_faults({"v": {"range": [1, 20_000]}}, [])) == []
    assert list(further_faults({"v": {"range": [1, 20_000]}, "seconds": []}, [])) == []


def test_as_many_cells_as_the_bound_are_fine() -> None:
    raw: dict[str, Any] = {"v": {"range": [1, 50]}, "w": [1, 2], "include": [{"v": 99}]}

    assert read_matrix(raw, cells_max=101)[1] == ()
    assert [fault.code for fault in read_matrix(raw, cells_max=100)[1]] == ["too-many"]


def test_what_a_point_sets() -> None:
    camera = {"name": "low", "lens": 24, "params": {"cfg": 2}, "model": "sora-2-pro", "vars": {"mood": "calm"}}
    raw = {"seconds": [8.0], "params.seed": [7], "meta.scene": [12], "subject": ["a heron"], "camera": [camera]}

    (cell,) = matrix_of(raw).cells()

    assert [(p.axis, dict(p.fields), dict(p.variables)) for p in cell] == [
        ("seconds", {"seconds": 8}, {}),
        ("params.seed", {"params": {"seed": 7}}, {}),
        ("meta.scene", {"meta": {"scene": 12}}, {}),
        ("subject", {}, {"subject": "a heron"}),
        (
            "camera",
            {"params": {"cfg": 2}, "model": "sora-2-pro"},
            {"camera": camera, "mood": "calm"},
        ),
    ]


def test_a_point_knows_where_it_is_written() -> None:
    raw = {
        "model": "sora-2",
        "zip": [{"size": ["1280x720"], "framing": ["wide"]}],
        "seconds": {"range": [4, 4]},
        "include": [{"color": "red"}],
    }

    (cell,) = matrix_of(raw).cells()

    assert [p.path for p in cell] == [
        ("matrix", "model"),
        ("matrix", "zip", 0, "size", 0),
        ("matrix", "zip", 0, "framing", 0),
        ("matrix", "seconds", "range"),
        ("matrix", "include", 0, "color"),
    ]


@pytest.mark.parametrize(
    ("template", "text"),
    [("{{ camera }}", "low"), ("{{ camera.lens }}", "24"), ("{{ camera | upper }}", "LOW"), ("{{ lens }}", "35, wide")],
)
def test_a_template_writes_a_mapping_by_its_name(template: str, text: str) -> None:
    raw = {"camera": [{"name": "low", "lens": 24}], "lens": [{"mm": 35, "field": "wide", "params": {"seed": 7}}]}
    (cell,) = matrix_of(raw).cells()
    variables = {name: value for point in cell for name, value in point.variables.items()}

    if "|" in template:
        variables["camera"] = written(variables["camera"])

    assert Template(template).render(variables) == text


@pytest.mark.parametrize("meant", ["low", {"name": "low", "lens": 24}, {"lens": 24, "name": "low"}])
def test_a_mapping_is_meant_by_its_name_or_in_full(meant: Any) -> None:
    cameras = [{"name": "low", "lens": 24}, {"name": "high", "lens": 85}]

    assert said({"camera": cameras, "exclude": [{"camera": meant}]}) == ["high"]


def test_a_mapping_that_differs_is_not_meant() -> None:
    matrix = matrix_of({"camera": [{"name": "low", "lens": 24}], "exclude": [{"camera": {"name": "low"}}]})

    assert len(list(matrix.cells())) == 1


@pytest.mark.parametrize(
    ("axis", "value", "text"),
    [
        ("seconds", 8, "8s"),
        ("seconds", 2.5, "2-5s"),
        ("size", "1280x720", "1280x720"),
        ("subject", "A heron, at dawn!", "a-heron-at-dawn"),
        ("subject", "an old lighthouse keeper in the rain", "an-old-lighthouse-keeper"),
        ("subject", "x" * 40, "x" * 24),
        ("subject", "Möwe", "mowe"),
        ("subject", "", "subject-none"),
        ("subject", None, "subject-none"),
        ("prompt", "A heron stands in the reeds while the sun comes up", "a-heron-stands-in-the"),
        ("prompt_file", "prompts/fox.txt", "fox"),
        ("params.seed", 7, "seed7"),
        ("cfg", 0.5, "cfg0-5"),
        ("hdr", True, "hdr-true"),
        ("meta.scene", 12.0, "scene12"),
        ("params.tags", ["fog", "rain"], "fog-rain"),
        ("device", "con", "con-x"),
    ],
)
def test_a_value_speaks_in_an_id(axis: str, value: Any, text: str) -> None:
    assert label(axis, value) == text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"zip": {"size": ["1x1", "2x2"], "framing": ["wide", "tall"]}}, ["wide", "tall"]),
        ({"zip": {"size": ["1x1", "2x2"], "seconds": [4, 8]}}, ["1x1-4s", "2x2-8s"]),
        ({"model": "sora-2", "seconds": [4]}, ["sora-2-4s"]),
        ({"a": ["x", "y"], "include": [{"b": "z"}]}, ["x", "y"]),
        ({"include": [{"a": "x", "b": 1}]}, ["x-b1"]),
    ],
)
def test_who_speaks_in_an_id(raw: dict[str, Any], expected: list[str]) -> None:
    assert said(raw) == expected


def test_values_that_read_alike_are_told_apart() -> None:
    first, second, third = said({"subject": ["a heron", "A heron!", "a tug"]})

    assert third == "a-tug"
    assert first != second
    assert first.startswith("a-heron-")


def test_a_zip_whose_variables_repeat_is_told_apart() -> None:
    names = said({"zip": {"size": ["1x1", "2x2", "3x3"], "framing": ["wide", "wide", "tall"]}})

    assert len(set(names)) == 3
    assert names[2] == "tall"


@given(st.lists(st.text("ab é-", max_size=30), max_size=6))
def test_a_derived_name_is_short_portable_and_its_own(texts: list[str]) -> None:
    labels = [label("subject", text) for text in texts]
    name = derived_name("Harbour", labels)

    assert len(name) <= NAME_MAX
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    assert len("-".join(["harbour", *labels])) <= NAME_MAX or derived_name("Harbour", [*labels, "x"]) != name


@pytest.mark.parametrize(
    ("bounds", "numbers"),
    [
        ([1, 10, 3], [1, 4, 7, 10]),
        ([4, 6], [4, 5, 6]),
        ([6, 4], [6, 5, 4]),
        ([3, 1, -1], [3, 2, 1]),
        ([0, 0.3, 0.1], [0, 0.1, 0.2, 0.3]),
        ([1.5, 2.5, 0.5], [1.5, 2, 2.5]),
        ([5, 5], [5]),
        ([5, 5, 2], [5]),
        ([1e-05, 3e-05, 1e-05], [1e-05, 2e-05, 3e-05]),
    ],
)
def test_a_range_is_counted_out_exactly(bounds: Any, numbers: list[float]) -> None:
    found = counted(bounds)

    assert list(map(repr, found)) == list(map(repr, numbers))
    assert length(bounds) == len(numbers)


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ([1, 10, 0], "steps of 0"),
        ([1, 10, -1], "never arrives at 10"),
        ([10, 1, 1], "never arrives at 1"),
        ([1, 10, 4], "comes to 9 and 13, never to 10"),
        ([1, 2.5], "comes to 2 and 3, never to 2.5"),
        ([1], "write {range: [from, to]}"),
        ([1, 2, 3, 4], "write {range: [from, to]}"),
        (7, "write {range: [from, to]}"),
        ([1, VALUES_MAX + 1], "100,001 values; 100,000 is the most"),
        ([0, 1e300, 1e-300], "is the most"),
    ],
)
def test_a_range_that_cannot_be_counted_out_says_why(bounds: Any, words: str) -> None:
    with pytest.raises(BadRange) as caught:
        counted(bounds)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "faults"),
    [
        ({}, [("empty-matrix", "matrix")]),
        ({"exclude": []}, [("empty-matrix", "matrix")]),
        ({f"a{n}": [1] for n in range(51)}, [("too-many", "matrix")]),
        ({f"a{n}": [1] for n in range(50)}, None),
        ({"a": [1], "include": [{"b": n} for n in range(1_001)]}, [("too-many", "matrix")]),
        ({"include": [{"b": n} for n in range(1_001)]}, None),
        ({"takes": [1, 2]}, [("bad-axis", "matrix.takes")]),
        ({"params": [1]}, [("bad-axis", "matrix.params")]),
        ({"params.model": ["a"]}, [("bad-axis", "matrix.params.model")]),
        ({"params.a b": ["a"]}, [("bad-axis", "matrix.params.a b")]),
        ({"my-style": ["a"]}, [("bad-axis", "matrix.my-style")]),
        ({"key": ["a"]}, [("bad-axis", "matrix.key")]),
        ({"zip": {"include": ["a"]}}, [("bad-axis", "matrix.zip.include")]),
        ({"secnds": [4]}, [("near-miss", "matrix.secnds")]),
        ({"subject": None}, [("empty", "matrix.subject")]),
        ({"camera": {"name": "low"}}, [("bad-axis", "matrix.camera")]),
        ({"camera": [{"name": "low", "secnds": 4}]}, [("near-miss", "matrix.camera.0.secnds")]),
        ({"camera": [{"name": "low", "takes": 4}]}, [("bad-axis", "matrix.camera.0.takes")]),
        ({"cfg": {"range": [1, 2, 0]}}, [("bad-range", "matrix.cfg.range")]),
        ({"cfg": {"range": [1, 2], "step": 1}}, [("bad-range", "matrix.cfg.range")]),
        ({"zip": {}}, [("empty", "matrix.zip")]),
        ({"zip": {"a": [1, 2], "b": [1]}}, [("zip-length", "matrix.zip.b")]),
        ({"a": [1], "zip": {"a": [2]}}, [("duplicate-axis", "matrix.zip.a")]),
        ({"a": [1, 2, 1.0]}, [("duplicate-value", "matrix.a.2")]),
        ({"a": [1, "1", True]}, None),
        ({"zip": {"a": [1, 1], "b": [1, 2]}}, None),
        ({"zip": {"a": [1, 1], "b": [2, 2]}}, [("duplicate-value", "matrix.zip.a.1")]),
        ({"c": [{"name": "low", "x": 1}, {"name": "low", "x": 2}]}, [("duplicate-value", "matrix.c.1")]),
        ({"seconds": [4], "c": [{"name": "x", "seconds": 8}]}, [("duplicate-axis", "matrix.c.0")]),
        ({"prompt": ["a"], "prompt_file": ["b"]}, [("duplicate-axis", "matrix.prompt_file.0")]),
        ({"a": [1], "exclude": [{"b": 1}]}, [("unknown-axis", "matrix.exclude.0.b")]),
        ({"a": [1], "exclude": [{}]}, [("empty", "matrix.exclude.0")]),
        ({"a": [1], "include": [{"secnds": 1}]}, [("near-miss", "matrix.include.0.secnds")]),
        ({"a": [1], "include": [{"takes": 1}]}, [("bad-axis", "matrix.include.0.takes")]),
        ({"include": [{"a": 1}, {"a": 1.0}]}, [("duplicate-value", "matrix.include.1")]),
        ({"include": [{"seconds": 4, "c": {"seconds": 8}}]}, [("duplicate-axis", "matrix.include.0.c")]),
        (
            {"a": [1], "include": [{"prompt": "a", "prompt_file": "b"}]},
            [("duplicate-axis", "matrix.include.0.prompt_file")],
        ),
        ({"include": [{"prompt": "a"}, {"prompt_file": "b"}]}, None),
        (
            {"secnds": [4], "a": [1, 1], "exclude": [{"b": 1}]},
            [("near-miss", "matrix.secnds"), ("duplicate-value", "matrix.a.1"), ("unknown-axis", "matrix.exclude.0.b")],
        ),
    ],
)
def test_a_matrix_that_makes_no_sense_says_where(raw: dict[str, Any], faults: list[tuple[str, str]] | None) -> None:
    if faults is None:
        assert list(matrix_of(raw).cells())
    else:
        assert faults_of(raw) == faults


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (
            {"zip": {"size": ["1x1", "2x2"], "framing": ["wide"]}},
            "zip pairs values one by one, but 'size' has 2, 'framing' has 1",
        ),
        ({"a": ["x", "y", "x"]}, "the same as value 1: it would be the same video"),
        ({"params": [1]}, "an axis sets one name of 'params': write 'params.NAME'"),
        ({"takes": [1]}, "'takes' is no axis: it stands beside the matrix"),
        ({"colour": [1], "exclude": [{"color": 1}]}, "'color' is no axis of this matrix; did you mean 'colour'?"),
        ({"size": ["1x1"], "zip": {"size": ["2x2"]}}, "the axis 'size' stands already in matrix.size"),
    ],
)
def test_a_fault_says_what_to_do(raw: dict[str, Any], message: str) -> None:
    _, faults = read_matrix(raw)

    assert [fault.message for fault in faults] == [message]


def test_a_sample_is_the_lowest_by_hash_in_the_order_of_the_cells() -> None:
    matrix = matrix_of({"a": {"range": [1, 40]}})

    def rank(n: int) -> str:
        return hashlib.sha256(f"7\na={n}".encode()).hexdigest()

    drawn = [values(cell)["a"] for cell in sample(matrix.cells(), 5, 7, cell_identity)]

    assert drawn == sorted(sorted(range(1, 41), key=rank)[:5])


@given(st.integers(1, 30), st.integers(1, 30), st.integers())
def test_a_larger_sample_holds_the_smaller_one(one: int, other: int, seed: int) -> None:
    smaller, larger = (sample(range(25), count, seed, str) for count in sorted((one, other)))

    assert set(smaller) <= set(larger)
    assert len(larger) == min(25, max(one, other))


def test_a_sample_does_not_depend_on_the_order_of_axes_and_values() -> None:
    one = matrix_of({"a": [1, 2, 3, 4], "b": ["x", "y", "z"]})
    other = matrix_of({"b": ["z", "x", "y"], "a": {"range": [4, 1, -1]}})

    drawn = [
        {frozenset(values(cell).items()) for cell in sample(matrix.cells(), 6, 1, cell_identity)}
        for matrix in (one, other)
    ]

    assert drawn[0] == drawn[1]


def test_another_value_pushes_few_out_of_a_sample() -> None:
    before = sample(range(100), 20, 0, str)
    after = sample(range(101), 20, 0, str)

    assert len(set(before) - set(after)) <= 1
