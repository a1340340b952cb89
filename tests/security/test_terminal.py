"""What a provider or a manifest says cannot steer the terminal it is shown on: a real one, byte by byte."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.security.echo import Echo, Said, said, serving
from tests.security.test_secrets import ROOT
from tests.security.test_secrets import manifest as provider_manifest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")

EVIL = "WOMBAT\x1b[2J\x1b]0;owned\x07\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\\x9b31mred\r\b\b\u202egnp\u2066\x00\x7f"
OURS = re.compile(r"\x1b\[(?:A|[0-9;]*m|K)|\r")
"""What we ourselves steer a terminal with: up a line, colours, to the line's start."""
STEERS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def on_a_terminal(folder: Path, words: Sequence[str], **environment: str) -> str:
    """Everything `vidbatch` writes to a terminal of 200 columns."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
    kept = {name: value for name, value in os.environ.items() if "KEY" not in name and name != "NO_COLOR"}
    child = subprocess.Popen(
        [sys.executable, "-X", "utf8", "-m", "pipeline", *words],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **environment},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while block := os.read(ours, 1 << 16):
            shown += block
    except OSError:  # Linux says so when the other end is closed
        pass
    os.close(ours)
    child.wait(timeout=60)
    return shown.decode("utf-8").replace("\r\n", "\n")


def steered(shown: str) -> list[str]:
    """What would steer a terminal and is none of ours."""
    return [f"{match.group()!r} in {shown[max(0, match.start() - 40) : match.end() + 20]!r}"
            for match in STEERS.finditer(OURS.sub("", shown))]  # fmt: skip


def _evil(echo: Echo, kind: str, video_id: str, words: str) -> Said:
    if kind == "submit" and not echo.looks:
        echo.looks["first"] = 1
        return said({"id": f"video{EVIL}", "status": EVIL, "error": {"code": EVIL, "message": EVIL}})
    if kind == "look":
        return said({"id": video_id, "status": "failed", "error": {"code": EVIL, "message": EVIL}})
    return said({"error": {"code": EVIL, "message": EVIL}}, 400)


def test_a_providers_words_do_not_steer_the_terminal(
    tmp_path: Path, a_film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.security.echo._sound", _evil)
    monkeypatch.setattr("tests.security.echo.TRICKS", {"heron": _evil, "tug": _evil})
    with serving(Echo(a_film)) as base_url:
        path = provider_manifest(tmp_path, profile="sandbox", base_url=base_url, prompts=["a heron", "a tug"])
        shown = on_a_terminal(tmp_path, ["run", path.name], VIDBATCH_SANDBOX_KEY="sk-Wombat-1234567890")
    run = str(tmp_path / "outputs" / "night")
    shown += on_a_terminal(tmp_path, ["status", run]) + on_a_terminal(tmp_path, ["resolve", run])

    assert "\x1b[A" in shown or "\r" in shown, "the bars were drawn"
    assert shown.count("WOMBAT") >= 2, "its words were shown"
    assert steered(shown) == []


def test_a_manifests_words_and_name_do_not_steer_the_terminal(tmp_path: Path) -> None:
    escaped = "".join(f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}" for c in EVIL)
    path = tmp_path / "evil\x1b[2J\u202ename.yaml"
    path.write_text(
        f'defaults: {{model: "{escaped}"}}\nvars: {{"{escaped}": 1}}\noutput: {{path: "../{escaped}"}}\n'
        f'"{escaped}": 1\n'
        f'jobs:\n  - {{prompt: a, id: "{escaped}", size: "{escaped}", params: {{"{escaped}": "{escaped}"}}}}\n'
        f'  - {{prompt: "{{{{ {escaped} }}}}", prompt_file: "{escaped}"}}\n',
        encoding="utf-8",
    )

    shown = on_a_terminal(tmp_path, ["validate", path.name]) + on_a_terminal(tmp_path, ["run", path.name])

    assert "WOMBAT" in shown
    assert steered(shown) == []
