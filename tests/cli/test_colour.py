"""Colour is for people: issues and plans have it, what programs read has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.main import main


@pytest.mark.parametrize(
    ("words", "coloured"),
    [
        ("plan sound.yaml", True),
        ("plan sound.yaml --against sound.yaml", True),
        ("run sound.yaml --dry-run", True),
        ("plan wrong.yaml", True),
        ("validate wrong.yaml", True),
        ("plan nothing.yaml", True),
        ("plan sound.yaml --json", False),
        ("plan sound.yaml --jobs", False),
        ("plan sound.yaml --against sound.yaml --json", False),
        ("validate wrong.yaml --format json", False),
        ("validate wrong.yaml --format github", False),
    ],
)
def test_only_what_people_read_is_coloured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str, coloured: bool
) -> None:
    (tmp_path / "sound.yaml").write_text("jobs: [{prompt: a heron}]\n", encoding="utf-8")
    (tmp_path / "wrong.yaml").write_text("jobs: [{prompt: a heron, secnds: 4}]\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    for force, shown in (("1", coloured), ("", False)):
        monkeypatch.setenv("FORCE_COLOR", force)
        main(words.split())
        said = capsys.readouterr()
        assert ("\x1b[" in said.out + said.err) is shown
