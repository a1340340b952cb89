"""The profile `sandbox` keeps the contract."""

from __future__ import annotations

from tests.providers.contract import Contract


class TestSandbox(Contract):
    name = "sandbox"
    video_id = "video_4420ef53d0a4a6506c251d96fa276138"
