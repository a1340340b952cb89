"""The profile `openrouter` keeps the contract."""

from __future__ import annotations

from pipeline.providers.base import Problem, Status
from tests.providers.contract import LooksAtStatus


class TestOpenRouter(LooksAtStatus):
    name = "openrouter"
    video_id = "S2wge1oFOBzIj1PpFcFu"
    lacks = {"gone": "on none of its pages", "no-such-model": "its pages show two, neither for videos"}
    quirks = {
        "content-bad-gateway": ("content", Problem.TROUBLE),
        "content-link": ("look", Status.DONE),  # the link leads to the content's own address
        "failed-cancelled": ("look", Status.CANCELLED),
    }
