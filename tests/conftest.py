"""What holds for every test: no network beyond loopback, none of the user's settings, nothing left behind."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests import guard

settings.register_profile("vidbatch", deadline=None)  # a busy machine is no defect
settings.load_profile("vidbatch")

pytest.register_assert_rewrite("tests.providers.contract")

# A shell's background, or nohup, has its children ignore these; what is tested is how they are heeded.
for _name in ("SIGINT", "SIGHUP"):
    _number = getattr(signal, _name, None)
    if _number is not None and signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _name == "SIGINT" else signal.SIG_DFL)


# Tests start hundreds of our programs: where bytecode is not to be kept, each would compile all of its modules anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means: three for two cores, since a third of the time goes into waiting for other programs."""
    return max((os.cpu_count() or 1) * 3 // 2, 1)


OUTPUTS = Path(__file__).parent.parent / "outputs"


@pytest.fixture(autouse=True)
def _guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    guard.keep_on_loopback(monkeypatch)
    guard.forget_settings(monkeypatch, tuple(os.environ))
    with guard.nothing_new_in(OUTPUTS):
        yield
