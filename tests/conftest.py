"""What holds for every test: no network beyond loopback, none of the user's settings, nothing left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests import guard

settings.register_profile("vidbatch", deadline=None)  # a busy machine is no defect
settings.load_profile("vidbatch")

pytest.register_assert_rewrite("tests.providers.contract")

OUTPUTS = Path(__file__).parent.parent / "outputs"


@pytest.fixture(autouse=True)
def _guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    guard.keep_on_loopback(monkeypatch)
    guard.forget_settings(monkeypatch, tuple(os.environ))
    with guard.nothing_new_in(OUTPUTS):
        yield
