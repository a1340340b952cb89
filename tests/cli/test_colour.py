"""Colour is for people: issues and plans have it, what programs read has none."""

from __future__ import annotations

import io
import os
import struct
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.cli.colour import issue_for
from pipeline.cli.main import main
from pipeline.model import Issue, Position
from pipeline.text import cells


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


def test_an_issue_fits_the_terminal_and_its_message_is_one_line_elsewhere() -> None:
    fcntl = pytest.importorskip("fcntl", reason="pseudo-terminals are POSIX")
    termios = pytest.importorskip("termios", reason="pseudo-terminals are POSIX")
    message = "this is not known " * 9
    issue = Issue(position=Position(file="m.yaml", line=3, column=70), message=message, source="a heron " * 20)
    ours, theirs = os.openpty()
    with os.fdopen(ours), closing(os.fdopen(theirs, "w")) as terminal:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 57, 0, 0))
        assert max(map(cells, issue_for(terminal, issue).splitlines())) <= 57 + len("\x1b[1m\x1b[0m")
    assert all(issue_for(stream, issue).startswith(f"m.yaml:3:70: {message}\n") for stream in (io.StringIO(), None))
