"""The examples run as they are, with the profiles that ship."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pipeline.manifest.load import load
from pipeline.model import Manifest
from pipeline.paths import example_folder
from pipeline.providers.registry import find_profile, profile_names


def read(path: Path) -> Manifest:
    return load(path, find_profile=find_profile, profile_names=profile_names())


@pytest.mark.parametrize("path", sorted(example_folder().iterdir()), ids=lambda path: path.name)
def test_every_example_holds_no_issue(path: Path) -> None:
    manifest = read(path)

    assert manifest.jobs
    assert manifest.warnings == ()


def test_the_quickstart_is_six_short_videos_of_two_sizes_and_two_lengths() -> None:
    manifest = read(example_folder() / "quickstart.yaml")

    assert len(manifest.jobs) == 6
    assert {job.size for job in manifest.jobs} == {"1280x720", "720x1280"}
    assert Counter(job.seconds for job in manifest.jobs) == {4: 3, 8: 3}
    assert manifest.provider.profile == "sandbox"
    assert all(job.group for job in manifest.jobs)


def test_the_overnight_example_states_a_budget() -> None:
    manifest = read(example_folder() / "overnight.yaml")

    assert str(manifest.limits.budget) == "60.00"
    assert len(manifest.jobs) == 7
