"""The profile `openai` keeps the contract."""

from __future__ import annotations

from tests.providers.contract import Lists, LooksAtStatus


class TestOpenAI(LooksAtStatus, Lists):
    name = "openai"
    video_id = "video_68d7512d07848190b3e45da0ecbebcde004da08e1e0678d5"
