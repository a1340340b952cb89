"""Goldens of what is shown."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def same_as_golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with `golden/<name>`; with REWRITE_CASES=1 in the environment it writes it instead."""
    folder = Path(request.path).parent / "golden"

    def compare(name: str, text: str) -> None:
        path = folder / name
        if os.environ.get("REWRITE_CASES") == "1":
            path.write_text(text + "\n", encoding="utf-8", newline="\n")
        assert text + "\n" == path.read_text(encoding="utf-8")

    return compare
