"""The long proofs, small enough for every day."""

from __future__ import annotations

import random

from tests.soak import runners


def test_of_runners_started_at_once_one_wins_and_the_others_send_nothing() -> None:
    proof = runners.prove(size=6, seed=random.SystemRandom().randrange(1 << 32))
    assert proof.faults == (), proof
