"""The profile `sglang` keeps the contract."""

from __future__ import annotations

from pipeline.providers.base import Problem
from tests.providers.contract import LooksAtStatus


class TestSGLang(LooksAtStatus):
    name = "sglang"
    video_id = "7c1d9a52-3f0e-4b86-9d2a-58e6c0b41f73"
    lacks = dict.fromkeys(
        ("in-progress", "bad-key", "throttled", "no-money", "no-such-model"), "its code has no such answer"
    )
    quirks = {
        "content-link": ("content", Problem.TROUBLE),  # uploaded to a cloud: that takes a profile of its own
        "unavailable": ("submit", Problem.WRONG_ADDRESS),
    }
