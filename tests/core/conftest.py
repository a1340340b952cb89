"""Fixtures of what is decided before a run: its folder, and its ledger with a header."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.ledger.ledger import Ledger
from pipeline.storage import RunFolder
from tests.ledger.histories import opened


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "harbour")


@pytest.fixture
def ledger(folder: RunFolder) -> Iterator[Ledger]:
    with opened(folder.ledger) as ledger:
        yield ledger
