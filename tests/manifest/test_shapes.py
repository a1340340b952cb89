"""What wishes have in common is worked out once: no wish may get what is another's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InvalidManifest
from pipeline.manifest.load import Wishes, load
from pipeline.model import Job
from pipeline.profile import Profile

HEAD = "defaults: {model: sketch}\njobs:\n"
NEIGHBOURS = [
    ("{id: a, prompt: a, matrix: {params.cfg: [8]}}", "{id: b, prompt: b, matrix: {params.cfg: [8.0]}}"),
    ("{id: a, prompt: a, matrix: {params.cfg: [1]}}", "{id: b, prompt: b, matrix: {params.cfg: [true]}}"),
    ("{id: a, prompt: a, params: {x: 0.0}}", "{id: b, prompt: b, params: {x: -0.0}}"),
    ("{id: a, prompt: a, params: {x: 1}}", "{id: b, prompt: b, params: {x: true}}"),
    ("{id: a, prompt: a, params: {x: [1]}}", "{id: b, prompt: b, params: {x: [2]}}"),
    ("{id: a, prompt: a, meta: {}}", "{id: b, prompt: b, meta: {x: 1}}"),
    ("{id: a, prompt: a, meta: {x: 1}}", "{id: b, prompt: b, meta: {x: '{{ seconds }}'}}"),
    ("{id: a, prompt: 'a {{ v }}', vars: {v: 1}}", "{id: b, prompt: 'b {{ v }}', vars: {v: 2}}"),
    ("{id: a, prompt: a, group: g}", "{id: b, prompt: b, group: h}"),
    (
        "{id: a, prompt: a, matrix: {c: [{name: l, seconds: 4}]}}",
        "{id: b, prompt: b, matrix: {c: [{name: l, seconds: 8}]}}",
    ),
]


def jobs_of(text: str, path: Path, profiles: dict[str, Profile]) -> dict[str, dict[str, Any]]:
    path.write_text(text, encoding="utf-8")
    jobs = load(path, find_profile=profiles.get, profile_names=sorted(profiles), wishes=Wishes(allow_unknown=True)).jobs
    return {job.id: seen(job) for job in jobs}


def seen(job: Job) -> dict[str, Any]:
    """All of a job but its place, numbers as they are sent."""
    return {
        name: json.dumps(dict(value)) if name in ("params", "meta", "axes") else value
        for name in ("key", "prompt", "seconds", "group", "params", "meta", "axes")
        for value in [getattr(job, name)]
    }


@pytest.mark.parametrize("pair", NEIGHBOURS, ids=lambda pair: pair[1][4:50])
def test_an_entry_makes_the_same_job_whoever_stands_beside_it(
    pair: tuple[str, str], tmp_path: Path, profiles: dict[str, Profile]
) -> None:
    path = tmp_path / "m.yaml"
    alone: dict[str, Any] = {}
    for entry in pair:
        alone |= jobs_of(f"{HEAD}  - {entry}\n", path, profiles)

    for order in (pair, pair[::-1]):
        together = jobs_of(HEAD + "".join(f"  - {entry}\n" for entry in order), path, profiles)

        assert together == alone


def test_what_a_row_notes_is_its_own(tmp_path: Path, profiles: dict[str, Profile]) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text('{"prompt": "a", "meta": {}}\n{"prompt": "b", "meta": {"x": 1}}\n', encoding="utf-8")

    jobs = load(path, find_profile=profiles.get, profile_names=sorted(profiles)).jobs

    assert [dict(job.meta) for job in jobs] == [{}, {"x": 1}]


def test_an_extension_knows_its_own_length_and_a_remix_or_an_edit_of_it_the_whole(
    tmp_path: Path, profiles: dict[str, Profile]
) -> None:
    text = """\
defaults: {model: sora-2}
jobs:
  - {id: s, prompt: a, matrix: {seconds: [8]}}
  - {id: e, extend_of: s, prompt: "goes on {{ seconds }} s", seconds: 12}
  - {id: r, remix_of: e, prompt: "again {{ seconds }} s"}
  - {id: c, edit_of: r, prompt: "changed {{ seconds }} s"}
"""
    path = tmp_path / "m.yaml"
    path.write_text(text, encoding="utf-8")

    extending = {"sandbox": replace(profiles["sandbox"], extends=True)}
    jobs = load(path, find_profile=extending.get, profile_names=["sandbox"]).jobs

    assert [(job.prompt, job.seconds, job.axes["seconds"]) for job in jobs] == [
        ("a", 8, 8),
        ("goes on 12 s", 12, 12),
        ("again 20 s", 20, 20),
        ("changed 20 s", 20, 20),
    ]


def test_a_cell_that_a_template_wants_is_missed_in_its_own_row(tmp_path: Path, profiles: dict[str, Profile]) -> None:
    (tmp_path / "birds.csv").write_text("prompt,mood\na heron,calm\na swan,\n", encoding="utf-8")
    path = tmp_path / "m.yaml"
    path.write_text('jobs: [{from: birds.csv, prompt: "{{ prompt }}, {{ mood }}"}]\n', encoding="utf-8")

    with pytest.raises(InvalidManifest) as caught:
        load(path, find_profile=profiles.get, profile_names=sorted(profiles))

    issue = caught.value.issues[0]
    assert (Path(issue.position.file).name, issue.position.line) == ("birds.csv", 3)
    assert "no 'mood' in this row" in issue.message


def test_an_include_that_names_a_mapping_means_all_of_it(tmp_path: Path, profiles: dict[str, Profile]) -> None:
    text = """\
{id: a, prompt: 'x {{ camera }}', matrix: {camera: [{name: low, params: {lens: 24}}], seconds: [4],
  include: [{camera: low, seconds: 12}]}}
"""
    jobs = jobs_of(f"{HEAD}  - {text}", tmp_path / "m.yaml", profiles)

    assert {name: json.loads(job["params"]) for name, job in jobs.items()} == {
        "a-low-4s": {"lens": 24},
        "a-low-12s": {"lens": 24},
    }


def test_a_sample_of_nothing_is_told(tmp_path: Path, profiles: dict[str, Profile]) -> None:
    path = tmp_path / "m.yaml"
    path.write_text("jobs: [{prompt: a heron, sample: {count: 2}}]\n", encoding="utf-8")

    warnings = load(path, find_profile=profiles.get, profile_names=sorted(profiles)).warnings

    assert [(one.code, one.position.column) for one in warnings] == [("no-effect", 26)]
