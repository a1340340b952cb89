"""Whole manifests, found by name: each invalid one beside its issues, each valid one beside its jobs.

To add one, put the manifest into `tests/cases/manifests/invalid` or `valid`, run the line below, and read what it
wrote as somebody who made that mistake. What a manifest names (data, prompts, images) lies in a folder below, where
nothing is taken for a case. Every class of issue has a case here (`test_classes.py`).

`REWRITE_CASES=1 pytest tests/manifest/test_cases.py` writes what is said now; read the difference before keeping it.
"""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InvalidManifest
from pipeline.manifest.load import load
from pipeline.manifest.report import render_issue
from pipeline.model import Job, Manifest
from pipeline.profile import Profile

CASES = Path(__file__).parents[1] / "cases" / "manifests"
FORMATS = {".yaml", ".csv", ".tsv", ".jsonl"}
REWRITE = os.environ.get("REWRITE_CASES") == "1"


def cases(kind: str) -> list[Path]:
    return sorted(path for path in (CASES / kind).iterdir() if path.suffix in FORMATS)


def as_written(manifest: Manifest) -> dict[str, Any]:
    """A manifest as its case file shows it; what is empty is left out."""
    choice = manifest.provider
    return {
        "name": manifest.name,
        "provider": _stated(choice),
        "limits": _stated(manifest.limits),
        "files": [file.name for file in manifest.files],
        "jobs": [job_as_written(job) for job in manifest.jobs],
        **({"warnings": [render_issue(issue) for issue in manifest.warnings]} if manifest.warnings else {}),
    }


def job_as_written(job: Job) -> dict[str, Any]:
    return _stated(job)


def _stated(value: Any) -> dict[str, Any]:
    shown = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: _plain(part) for name, part in shown.items() if part not in (None, "", {})}


def _plain(part: Any) -> Any:
    if isinstance(part, int | float | str):
        return part
    return dict(part) if hasattr(part, "keys") else str(part)


def compare(path: Path, text: str) -> None:
    if REWRITE:
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", cases("invalid"), ids=lambda path: path.name)
def test_an_invalid_manifest_is_answered_with_exactly_its_issues(
    case: Path, profiles: dict[str, Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case.parent)

    with pytest.raises(InvalidManifest) as caught:
        load(Path(case.name), find_profile=profiles.get, profile_names=sorted(profiles))

    issues = caught.value.issues
    text = "".join(f"{render_issue(issue)}\n" for issue in issues)
    compare(case.with_name(f"{case.name}.issues.txt"), text)
    for name in {issue.position.file for issue in issues}:
        lines = [issue.position.line for issue in issues if issue.position.file == name]
        assert lines == sorted(lines)


@pytest.mark.parametrize("case", cases("valid"), ids=lambda path: path.name)
def test_a_valid_manifest_makes_exactly_its_jobs(
    case: Path, profiles: dict[str, Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case.parent)

    manifest = load(Path(case.name), find_profile=profiles.get, profile_names=sorted(profiles))

    text = json.dumps(as_written(manifest), indent=2, ensure_ascii=False) + "\n"
    compare(case.with_name(f"{case.name}.jobs.json"), text)


def test_there_are_as_many_cases_as_we_think() -> None:
    assert len(cases("invalid")) >= 110
    assert len(cases("valid")) >= 19


def test_every_expectation_belongs_to_a_case() -> None:
    left = [
        path.name
        for kind, ending in (("invalid", ".issues.txt"), ("valid", ".jobs.json"))
        for path in (CASES / kind).glob(f"*{ending}")
        if not path.with_name(path.name.removesuffix(ending)).exists()
    ]

    assert left == []
