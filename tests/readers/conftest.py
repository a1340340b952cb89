"""Readers that others use, and a run with all that makes a dataset hard to read. `.ci/run` runs this folder apart."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from pipeline.cli.main import main

Export: TypeAlias = Callable[..., Path]

CI = "VIDBATCH_CI"
"""The variable with which what is missing fails instead of being skipped."""

MANIFEST = """\
name: harbour
provider: {profile: sandbox, sandbox: {render_s: 0}}
defaults: {seconds: 4, size: 1280x720}
jobs:
  - id: harbour
    group: test
    prompt: "{{ subject }}, {{ mood }} ✓ \\"35mm\\"\\n=SUM(A1)"
    matrix: {subject: [a heron, a tug], mood: [calm, wild]}
    takes: 2
  - id: eval-1
    group: night/train
    prompt: "<script>alert({{ mood }})</script>"
    matrix: {mood: [1, 2]}
    params: {seed: 7}
  - {id: plain, prompt: "EDITED", meta: {source_file_name: x.mp4, video: 3, text: mine}}
"""


def needed(name: str) -> Any:
    """A package that is no part of the test extra."""
    if os.environ.get(CI):
        return importlib.import_module(name)
    return pytest.importorskip(name, reason=f"{name} is not installed; .ci/run has it")


@pytest.fixture(scope="session")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Hugging Face's, which looks at these when it is imported: never on the network, and nothing kept at home."""
    home = str(tmp_path_factory.mktemp("huggingface"))
    with pytest.MonkeyPatch.context() as shell:
        for name, value in {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": home}.items():
            shell.setenv(name, value)
        module = needed("datasets")
        module.disable_progress_bars()
        yield module


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was run again with an edited prompt."""
    for name in ("av", "pyarrow"):
        needed(name)
    home = tmp_path_factory.mktemp("run")
    manifest = home / "harbour.yaml"
    for text in ("plain one", "plain two"):
        manifest.write_text(MANIFEST.replace("EDITED", text), encoding="utf-8")
        assert main(["run", str(manifest), "--outputs", str(home), "--quiet"]) == 0
    return home / "harbour"


@pytest.fixture(scope="session")
def captions() -> list[str]:
    """Of all videos of that run."""
    of_matrix = [f'{who}, {mood} ✓ "35mm"\n=SUM(A1)' for who in ("a heron", "a tug") for mood in ("calm", "wild")]
    others = [*(f"<script>alert({n})</script>" for n in (1, 2)), "plain one", "plain two"]
    return sorted([*of_matrix, *of_matrix, *others])


@pytest.fixture
def export(run: Path, tmp_path: Path) -> Export:
    """Exports that run as the command does; the name of what it made."""

    def made(form: str, *options: str) -> Path:
        dest = tmp_path / f"as-{form}"
        assert main(["export", str(run), form, str(dest), *options]) == 0
        return dest

    return made
