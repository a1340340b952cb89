"""The profile `azure` keeps the contract."""

from __future__ import annotations

from tests.providers.contract import Lists, LooksAtStatus


class TestAzure(LooksAtStatus, Lists):
    name = "azure"
    video_id = "video_68f10985d6c4819097007665bdcfba5f"
    lacks = dict.fromkeys(("unknown-id", "not-ready", "gone", "no-money"), "nobody shows them; OpenAI's are likely")
