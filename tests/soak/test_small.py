"""The long proofs, small enough for every day. Others are tests of their own: tests/{chaos,crash,disk}."""

from __future__ import annotations

import random

import pytest

from tests.soak import runners, storm
from tests.soak.proof import Script


@pytest.mark.parametrize(("script", "size"), [(runners, 4), (storm, 60)], ids=["runners", "storm"])
def test_a_small_one_finds_no_fault(script: Script, size: int) -> None:
    proof = script.prove(size=size, seed=random.SystemRandom().randrange(1 << 32))
    assert proof.faults == (), proof
