"""The proof of `python -m tests.soak downloads`, at a small size."""

from __future__ import annotations

from tests.soak import downloads


def test_downloads_from_a_hostile_server_end_whole_or_not_at_all() -> None:
    proof = downloads.prove(size=40, seed=15)

    assert proof.faults == ()
    assert int(str(proof.figures["gone on with where they broke off"])) > 10
    assert int(str(proof.figures["never more than wrong content, and not stored"])) > 0
