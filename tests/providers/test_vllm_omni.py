"""The profile `vllm-omni` keeps the contract."""

from __future__ import annotations

from pipeline.providers.base import Problem
from tests.providers.contract import Lists, LooksAtStatus


class TestVLLMOmni(LooksAtStatus, Lists):
    name = "vllm-omni"
    video_id = "video_gen_5f0c2d7a9b8e4c31a6d07e94b1f3528c"
    lacks = dict.fromkeys(("throttled", "no-money"), "it has none")
    quirks = {
        "content-of-a-failed-job": ("content", Problem.FAILED),
        "delete-not-yet": ("delete", Problem.THROTTLED),
        "unavailable": ("submit", Problem.WRONG_ADDRESS),
    }
