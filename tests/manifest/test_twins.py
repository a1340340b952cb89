"""Two videos of one entry that are the same: the axes whose values change nothing are named where they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.profile import Profile
from tests.manifest.folder import Folder

IDLE = "two videos of this entry are the same: no prompt or param uses the axis"
UNKNOWN = "two videos of this entry are the same; is there a value that no template uses, or twice the same?"
ROWS = {"r.csv": "prompt,mood\na,calm\nb,wild\n", "p.txt": "{{ s }}"}


@pytest.fixture
def folder(tmp_path: Path, profiles: dict[str, Profile]) -> Folder:
    return Folder(path=tmp_path, profiles=profiles)


@pytest.mark.parametrize(
    ("fields", "matrix", "told"),
    [
        ("prompt: '{{ s }}'", "s: [a, b]\nlens: [wide, tall]", [f"5:7 {IDLE} 'lens'"]),
        ("prompt: '{{ s }}'", "s: [a, b]\none: [x]\nlens: [wide, tall]", [f"6:7 {IDLE} 'lens'"]),
        ("prompt: p", "lens: [wide, tall]\nmood: [calm, wild]", [f"4:7 {IDLE} 'lens'", f"5:7 {IDLE} 'mood'"]),
        ("prompt: p", "seed: [1, 2]", [f"4:7 {IDLE} 'seed'; did you mean 'params.seed'?"]),
        ("prompt: p", "c: [{name: a}, {name: b}]", [f"4:7 {IDLE} 'c'"]),
        ("prompt: p", "c: [{name: a, seconds: 4}, {name: b, seconds: 4}]", [f"2:5 {UNKNOWN}"]),
        ("prompt: '{{ v }}'", "c: [{name: a, vars: {v: 1}}, {name: b, vars: {v: 1}}]", [f"2:5 {UNKNOWN}"]),
        ("prompt: '{{ s[0] }}'", "zip: {s: [ax, ay], n: [1, 2]}", [f"2:5 {UNKNOWN}"]),
        ("prompt: p", "zip: {s: [ax, ay], n: [1, 2]}", [f"4:13 {IDLE} 's'", f"4:26 {IDLE} 'n'"]),
        ("prompt: p\n    params: {x: '{{ s[0] }}'}", "s: [ax, ay]", [f"2:5 {UNKNOWN}"]),
        ("prompt: p\n    group: '{{ s }}'", "s: [a, b]", [f"5:7 {IDLE} 's'"]),
        ("prompt_file: p.txt", "t: [a, b]\ns: [x]", [f"2:5 {UNKNOWN}"]),
        ("from: r.csv\n    prompt: '{{ prompt }}!'", "s: [a, b]", [f"5:7 {IDLE} 's'"]),
    ],
)
def test_an_axis_that_changes_no_video_is_named(fields: str, matrix: str, told: list[str], folder: Folder) -> None:
    axes = "\n      ".join(matrix.split("\n"))
    issues = folder.issues(f"jobs:\n  - {fields}\n    matrix:\n      {axes}\n", ROWS)

    assert issues == [f"m.yaml:{issue.replace(' ', ' duplicate-wish ', 1)}" for issue in told]


def test_an_axis_of_the_command_line_that_changes_no_video_is_named_as_such(folder: Folder) -> None:
    text = "jobs:\n  - {id: a, prompt: a, vars: {seed: 1}}\n"

    assert folder.issues(text, settings=("seed=7,8",)) == [
        f"m.yaml:2:5 duplicate-wish {IDLE} 'seed'; did you mean 'params.seed'? (--set)"
    ]
