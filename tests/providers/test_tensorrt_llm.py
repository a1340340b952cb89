"""The profile `tensorrt-llm` keeps the contract."""

from __future__ import annotations

from pipeline.providers.base import Problem
from tests.providers.contract import Lists, LooksAtStatus


class TestTensorRTLLM(LooksAtStatus, Lists):
    name = "tensorrt-llm"
    video_id = "video_8c1f0c6d3b1a4f0f9f6f0d6c2f7a9b31"
    lacks = dict.fromkeys(("bad-key", "throttled", "no-money", "no-such-model"), "it has none")
    quirks = {
        "gone": ("content", Problem.UNKNOWN_ID),  # word for word the same
        "content-link-older": ("content", Problem.TROUBLE),  # of fields that we do not send
        "content-path": ("content", Problem.TROUBLE),
    }
