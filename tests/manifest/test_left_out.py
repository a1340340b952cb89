"""One mistake in an entry makes no others up: what it might have said is not called missing. The rest is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.profile import Profile
from tests.manifest.folder import Folder

ROWS = {"r.csv": "prompt,mood\na heron,calm\na tug,wild\n"}
SWEEP = "matrix: {s: [p, q]}, prompt: '{{ s }}, {{ nowhere }}'"
DATA = "from: r.csv, prompt: '{{ prompt }}, {{ mood }}, {{ nowhere }}'"
NOWHERE = "undefined there is no variable 'nowhere'"


@pytest.fixture
def folder(tmp_path: Path, profiles: dict[str, Profile]) -> Folder:
    return Folder(path=tmp_path, profiles=profiles)


@pytest.mark.parametrize("entry", [SWEEP, DATA], ids=["matrix", "from"])
@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("secnds: 8", "unknown-key"),
        ("seconds: 8s", "bad-form"),
        ("takes: two", "wrong-type"),
        ("size: '16:9'", "bad-form"),
        ("fit: stretch", "unknown-word"),
        ("group: [a]", "wrong-type"),
        ("params: seed", "wrong-type"),
        ("sample: 3", "wrong-type"),
    ],
)
def test_a_field_at_fault_makes_no_axis_and_no_column_missing(
    wrong: str, code: str, entry: str, folder: Folder
) -> None:
    found = folder.issues(f"jobs:\n  - {{{wrong}, {entry}}}\n", ROWS)

    assert [issue.split(" ", 1)[1] for issue in found[1:]] == [NOWHERE]
    assert found[0].split()[1] == code


@pytest.mark.parametrize(
    ("entry", "codes"),
    [
        ("matix: {s: [p, q]}, prompt: '{{ s }}, {{ nowhere }}'", ["unknown-key", "undefined"]),
        ("matix: {s: [p, q]}, prompt: '{% if s %}x{% endif %}'", ["unknown-key"]),
        ("matrix: {s: [p, p]}, prompt: '{{ s }}, {{ nowhere }}'", ["duplicate-value", "undefined"]),
        (
            "matrix: {zip: [{s: 3}, 4], takes: [1]}, prompt: '{{ s }}, {{ nowhere }}'",
            ["wrong-type", "bad-axis", "undefined"],
        ),
        ("matrix: [p, q], prompt: '{{ s }} {{'", ["wrong-type", "bad-template"]),
        ("matrix: {seconds: [8, 8], model: [x]}, prompt: a, seconds: 20", ["duplicate-value"]),
        ("matrix: {s: [p, q]}, id: x, prompt: '{{ s }}', sample: 3", ["wrong-type"]),
        ("matrix: {s: [p, p]}, from: r.csv, prompt: '{{ s }}, {{ prompt }}'", ["duplicate-value"]),
        ("vars: {s: p, my-style: q}, prompt: '{{ s }}, {{ nowhere }}'", ["bad-name", "undefined"]),
        ("form: r.csv, prompt: '{{ mood }}'", ["unknown-key"]),
        ("from: 3.csv, prompt: '{{ mood }}'", ["missing-file"]),
        ("from: {a: r.csv}, prompt: '{{ mood }} {{'", ["wrong-type", "bad-template"]),
        ("remix_of: a, takes: two, prompt: '{{ subject }}, {{ nowhere }}'", ["wrong-type", "undefined"]),
        ("remix_of: b, takes: two, prompt: '{{ subject }} {{'", ["unknown-source", "wrong-type", "bad-template"]),
        ("remix_of: [a], prompt: '{{ subject }}'", ["wrong-type"]),
        ("edit_of: [a], prompt: '{{ subject }}'", ["wrong-type"]),
        ("matrix: {edit_of: [a], s: [p, q]}, prompt: '{{ s }}'", ["bad-axis"]),
    ],
)
def test_what_is_wrong_might_have_said_the_names_in_it_or_whatever_there_is(
    entry: str, codes: list[str], folder: Folder
) -> None:
    text = f"jobs:\n  - {{id: a, prompt: '{{{{ subject }}}}', matrix: {{subject: [x, y]}}}}\n  - {{{entry}}}\n"

    assert [issue.split()[1] for issue in folder.issues(text, ROWS)] == codes


def test_a_large_matrix_of_an_entry_at_fault_is_not_made_and_says_its_names_all_the_same(folder: Folder) -> None:
    prompt = "{{ s }}, {{ style }}, {{ nowhere }}"
    text = f"jobs:\n  - {{takes: two, matrix: {{s: {{range: [1, 9000]}}}}, prompt: '{prompt}'}}\n"

    found = folder.issues(text, settings=("style=noir,bright",))

    assert [issue.split(" ", 1)[1] for issue in found[1:]] == [NOWHERE]


def test_so_might_what_is_wrong_around_the_entries(folder: Folder) -> None:
    text = "variables: {style: noir}\njobs:\n  - prompt: 'a heron, {{ style }}'\n  - prompt: '{{ nowhere }}'\n"

    unknown, undefined = folder.issues(text)

    assert unknown.endswith("unknown key 'variables'; did you mean 'vars'?")
    assert undefined == f"m.yaml:4:17 {NOWHERE}"


def test_the_rows_and_cells_of_an_entry_at_fault_are_looked_at_all_the_same(folder: Folder) -> None:
    text = "jobs:\n  - {from: r.csv, secnds: 8, matrix: {size: [1280x720, 1x1]}, meta: {x: '{{ lens }}'}}\n"
    rows = {"r.csv": "prompt,model,lens\na heron,sora2,wide\na tug,,\n"}

    found = [issue.split()[:2] for issue in folder.issues(text, rows)]

    assert found == [
        ["m.yaml:2:19", "unknown-key"],
        ["m.yaml:2:56", "profile-size"],
        ["r.csv:2:9", "profile-model"],
        ["r.csv:3:1", "undefined"],
    ]
