"""The profile `sandbox` keeps the contract."""

from __future__ import annotations

from pipeline.providers.registry import find_profile
from pipeline.sandbox.wish import SECONDS_MAX
from tests.providers.contract import Lists, LooksAtStatus


class TestSandbox(LooksAtStatus, Lists):
    name = "sandbox"
    lacks = dict.fromkeys(("failed", "no-money", "no-such-model"), "only by a fault file")
    video_id = "video_4420ef53d0a4a6506c251d96fa276138"


def test_the_profile_knows_the_longest_film_that_the_sandbox_makes() -> None:
    profile = find_profile("sandbox")
    assert profile is not None
    assert (profile.length_s_max, profile.extensions_max) == (SECONDS_MAX, None)
