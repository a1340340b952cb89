"""The README and the docs are true: their manifests load, their links lead somewhere, their commands exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import pipeline
from pipeline.cli.main import COMMANDS

ROOT = Path(pipeline.__file__).parent.parent
PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", path.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("paper", PAPERS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(paper: Path) -> None:
    broken = [link for link in LINK.findall(paper.read_text("utf-8")) if not (paper.parent / link).exists()]

    assert broken == []


@pytest.mark.parametrize("paper", PAPERS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_nothing_is_left_to_be_filled_in(paper: Path) -> None:
    assert not re.search(r"@@|TODO|TBD|FIXME", paper.read_text("utf-8"))


def test_every_manifest_in_the_readme_loads(tmp_path: Path) -> None:
    manifests = [block for block in blocks(ROOT / "README.md", "yaml") if "jobs:" in block]
    assert manifests
    for block in manifests:
        (tmp_path / "first.yaml").write_text(block, encoding="utf-8")

        manifest = pipeline.load(tmp_path / "first.yaml")

        assert manifest.jobs


def test_every_command_in_the_readme_exists() -> None:
    lines = [line for block in blocks(ROOT / "README.md", "sh") for line in block.splitlines()]
    typed = [shlex.split(line, comments=True) for line in lines]
    commands = {words[n + 1] for words in typed for n, word in enumerate(words[:-1]) if word.endswith("vidbatch")}

    assert commands
    assert commands <= set(COMMANDS)
