"""The profile `litellm` keeps the contract."""

from __future__ import annotations

from pipeline.providers.base import Problem, Status
from tests.providers.contract import LooksAtStatus


class TestLiteLLM(LooksAtStatus):
    name = "litellm"
    video_id = (
        "video_bGl0ZWxsbTpjdXN0b21fbGxtX3Byb3ZpZGVyOm9wZW5haTttb2RlbF9pZDpzb3JhLTI7dmlkZW"
        "9faWQ6dmlkZW9fNjhkNzUxMmQwNzg0ODE5MGIzZTQ1ZGEwZWNiZWJjZGU="
    )
    any_content = {"content-json": Problem.NOT_READY}
    quirks = {
        "completed-without-content": ("content", Problem.FAILED),
        "delete-refused": ("delete", Problem.TROUBLE),
        "forbidden-route": ("submit", Problem.BAD_KEY),
        "list-without-provider": ("list", Problem.TROUBLE),
        "look-hidden-in-a-500": ("look", Problem.TROUBLE),
        "processing": ("look", Status.RUNNING),
        "status-with-another-id": ("look", Status.DONE),
    }
